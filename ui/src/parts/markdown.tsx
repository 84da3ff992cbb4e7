// Markdown as our own reports have it: headings, paragraphs, lists and tables. Built as elements, never as markup: what
// an event says becomes text, whatever it is.

import type { ComponentChildren } from "preact";

interface Block {
  kind: "h1" | "h2" | "p" | "ul" | "table";
  lines: string[];
}

export function Markdown({ text }: { text: string }) {
  return <article class="markdown">{blocksOf(text).map((block, place) => <Shown key={place} block={block} />)}</article>;
}

function blocksOf(text: string): Block[] {
  return text.split(/\n{2,}/).map((part) => part.split("\n").filter((line) => line !== "")).filter((lines) => lines.length > 0)
    .map((lines): Block => {
      const first = lines[0]!;
      if (first.startsWith("# ")) return { kind: "h1", lines: [first.slice(2)] };
      if (first.startsWith("## ")) return { kind: "h2", lines: [first.slice(3)] };
      if (first.startsWith("- ")) return { kind: "ul", lines: lines.map((line) => line.replace(/^- /, "")) };
      return first.startsWith("| ") ? { kind: "table", lines } : { kind: "p", lines };
    });
}

function Shown({ block: { kind, lines } }: { block: Block }) {
  switch (kind) {
    case "h1": return <h3 class="report-title">{inline(lines[0]!)}</h3>;
    case "h2": return <h4>{inline(lines[0]!)}</h4>;
    case "p": return <p>{inline(lines.join(" "))}</p>;
    case "ul": return <ul>{lines.map((line, place) => <li key={place} class={line.startsWith("[ ] ") ? "todo" : ""}>{inline(line.replace(/^\[ \] /, ""))}</li>)}</ul>;
    case "table": return <Rows lines={lines} />;
  }
}

function Rows({ lines: [head = "", , ...rows] }: { lines: string[] }) {
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={cells(head).join(", ")}><table>
      <thead><tr>{cells(head).map((each, place) => <th key={place}>{inline(each)}</th>)}</tr></thead>
      <tbody>{rows.map((row, place) => <tr key={place}>{cells(row).map((each, at) => <td key={at}>{inline(each)}</td>)}</tr>)}</tbody>
    </table></div>
  );
}

/** Gives the cells of a row: bars that stand behind a backslash are text. */
const cells = (row: string): string[] => row.replace(/^\| | \|$/g, "").split(/(?<!\\) \| /);

/** Gives a line with its strong parts, and without the backslashes before what would mean something. */
function inline(line: string): ComponentChildren[] {
  return line.split(/(?<!\\)\*\*/).map((part, place) => {
    const plain = part.replace(/\\([\\`*_[\]<>|#~])/g, "$1");
    return place % 2 === 1 ? <strong key={place}>{plain}</strong> : plain;
  });
}
