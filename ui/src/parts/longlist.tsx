// A long list is drawn in part: what is worst stands first, and a button shows more. It takes the focus like any other.

import { useState } from "preact/hooks";

/** Rows that are drawn at first, and that a press adds. */
const ROWS = 60;
const MORE = 200;

/** Gives the rows to draw, and the button for more; null where all are drawn. */
export function useLongList<Item>(all: Item[]) {
  const [count, setCount] = useState(ROWS);
  const left = all.length - count;
  return {
    drawn: left > 0 ? all.slice(0, count) : all,
    more: left <= 0 ? null : (
      <p class="how">{count} of {all.length}. <button class="plain" onClick={() => setCount(count + MORE)}>show {Math.min(MORE, left)} more</button></p>
    ),
  };
}
