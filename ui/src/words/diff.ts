// What differs between two texts, line by line: the longest common subsequence, between what begins and ends alike.

export interface Line {
  sign: " " | "+" | "-";
  text: string;
}

/** Beyond this many cells the whole middle is shown as replaced: it would not be read line by line anyway. */
const CELLS_MAX = 4_000_000;
const AROUND = 3;

/** Gives the lines that differ, with a few around them; an empty list where none does. */
export function diff(before: string, after: string): Line[] {
  const a = before.split("\n");
  const b = after.split("\n");
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++;
  if (head === a.length && head === b.length) return [];
  const lines: Line[] = [
    ...same(a.slice(0, head)),
    ...middle(a.slice(head, a.length - tail), b.slice(head, b.length - tail)),
    ...same(a.slice(a.length - tail)),
  ];
  const near = (place: number): boolean =>
    lines.slice(Math.max(0, place - AROUND), place + AROUND + 1).some((line) => line.sign !== " ");
  return lines.filter((_, place) => near(place));
}

const same = (lines: string[]): Line[] => lines.map((text) => ({ sign: " ", text }));

function middle(a: string[], b: string[]): Line[] {
  if (a.length * b.length > CELLS_MAX) {
    return [...a.map((text): Line => ({ sign: "-", text })), ...b.map((text): Line => ({ sign: "+", text }))];
  }
  const width = b.length + 1;
  const common = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      common[i * width + j] =
        a[i] === b[j] ? common[(i + 1) * width + j + 1]! + 1 : Math.max(common[(i + 1) * width + j]!, common[i * width + j + 1]!);
    }
  }
  return walk(a, b, common, width);
}

function walk(a: string[], b: string[], common: Uint32Array, width: number): Line[] {
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ sign: " ", text: a[i++]! });
      j++;
    } else if (j === b.length || (i < a.length && common[(i + 1) * width + j]! >= common[i * width + j + 1]!)) {
      lines.push({ sign: "-", text: a[i++]! });
    } else {
      lines.push({ sign: "+", text: b[j++]! });
    }
  }
  return lines;
}
