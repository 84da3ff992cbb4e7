// For how much of a time PoPs announced a service, counted from the log's `stance_changed`.

import type { LogEvent } from "../api/shapes";
import type { Range } from "../state/seen";

export interface Share {
  /** PoP-seconds in which it was announced or steered. */
  announced: number;
  /** PoP-seconds of which the log tells anything. */
  known: number;
}

/**
 * Gives the share of a service at one PoP. Before the first event since its beginning the stance was the other one than what
 * the event came to; where there is no event, it is what it is now. `now` null: nothing is known now.
 */
export function announced(events: LogEvent[], range: Range, now: string | null): Share {
  const [first, ...rest] = events.filter((event) => event.at > range.from).sort((a, b) => a.at - b.at);
  const share: Share = { announced: 0, known: 0 };
  let on: boolean | null = first === undefined ? (now === null ? null : now !== "withdraw") : before(first);
  let at = range.from;
  for (const event of first === undefined ? [] : [first, ...rest]) {
    add(share, on, at, Math.min(event.at, range.to));
    on = event.fields.stance !== "withdraw";
    at = Math.min(event.at, range.to);
  }
  add(share, on, at, range.to);
  return share;
}

/** An agent that begins says its first stance too: before that, nothing is known. */
function before(first: LogEvent): boolean | null {
  return first.fields.stance === "withdraw" ? true : null;
}

function add(share: Share, on: boolean | null, from: number, to: number): void {
  if (on === null) return;
  const seconds = Math.max(0, to - from) / 1000;
  share.known += seconds;
  if (on) share.announced += seconds;
}

export function sum(shares: Share[]): Share {
  return shares.reduce((a, b) => ({ announced: a.announced + b.announced, known: a.known + b.known }), { announced: 0, known: 0 });
}

/** `99.21 %`; null where nothing is known. */
export function percent(share: Share): string | null {
  return share.known === 0 ? null : `${((100 * share.announced) / share.known).toFixed(2)} %`;
}
