// A long list is drawn in part: what is worst stands first, and a button shows more. It takes the focus like any other,
// and hands it to the first row that it brought.

import { useLayoutEffect, useRef, useState } from "preact/hooks";

/** Rows that are drawn at first, and that a press adds. */
const ROWS = 60;
const MORE = 200;

/** Gives the rows to draw, and the button for more; null where all are drawn. It stands beside the list's only table. */
export function useLongList<Item>(all: Item[]) {
  const [count, setCount] = useState(ROWS);
  const grown = useRef<{ within: HTMLElement; from: number } | null>(null);
  useLayoutEffect(() => {
    const told = grown.current;
    grown.current = null;
    if (told !== null) focusRow(told.within.querySelectorAll<HTMLElement>("tbody tr")[told.from]);
  }, [count]);
  const left = all.length - count;
  const grow = (event: Event): void => {
    const within = (event.currentTarget as HTMLElement).closest("p")?.parentElement;
    grown.current = within ? { within, from: count } : null;
    setCount(count + MORE);
  };
  return {
    drawn: left > 0 ? all.slice(0, count) : all,
    more: left <= 0 ? null : (
      <p class="how">{count} of {all.length}. <button class="plain" onClick={grow}>show {Math.min(MORE, left)} more</button></p>
    ),
  };
}

/** Focuses a row, or what in it can be: a link, a switch. */
function focusRow(row: HTMLElement | undefined): void {
  const within = row?.matches("[tabindex]") ? row : row?.querySelector<HTMLElement>("a, button, input");
  within?.focus();
}
