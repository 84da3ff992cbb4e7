// What happened, as marks on a line of time: a triangle is trouble, a diamond somebody's change.

import type { LogEvent } from "../api/shapes";
import type { Range } from "../state/seen";
import { tell } from "../words/happening";
import { full } from "../words/time";
import { share } from "./brushing";

/** Marks that are drawn on a line at most: what is nearer together than that is one mark. */
const SLOTS = 200;

export interface DotShape {
  key: string;
  left: string;
  y: number;
  tone: string;
  kind: string;
  title: string;
}

/** Gives one mark for what happens within the same two hundredth of the window; `rows` has where each class stands. */
export function merged(events: LogEvent[], window: Range, rows: Record<string, number>): DotShape[] {
  const found = new Map<string, { first: LogEvent; count: number }>();
  for (const event of events) {
    const slot = Math.round(((event.at - window.from) / (window.to - window.from)) * SLOTS);
    const key = `${tell(event).class} ${slot}`;
    const known = found.get(key);
    found.set(key, { first: known?.first ?? event, count: (known?.count ?? 0) + 1 });
  }
  return [...found].map(([key, { first, count }]) => {
    const told = tell(first);
    const more = count > 1 ? ` and ${count - 1} more` : "";
    return {
      key, left: share(first.at, window), y: rows[told.class] ?? 0, tone: told.tone, kind: told.class,
      title: `${full(first.at)} ${first.pop}: ${told.text}${more}`,
    };
  });
}

export function Dot({ dot }: { dot: DotShape }) {
  return (
    <svg class={`dot ${dot.tone}`} style={{ left: dot.left, top: `${dot.y - 5}px` }} width="10" height="10" viewBox="0 0 12 12">
      <title>{dot.title}</title>
      <path d={dot.kind === "trouble" ? "M1 2h10L6 11z" : "M6 .8 11.2 6 6 11.2.8 6z"} fill="currentColor" />
    </svg>
  );
}
