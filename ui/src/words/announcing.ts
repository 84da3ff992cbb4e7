// At how many PoPs a service was announced, over time: from the log's `stance_changed`, and from what is now.

import type { LogEvent } from "../api/shapes";
import type { Range } from "../state/seen";
import { serviceOf } from "./happening";

export interface Step {
  at: number;
  /** PoPs of which it is known that they announced it; null where of none anything is known. */
  on: number | null;
  /** PoPs of which nothing is known. */
  unknown: number;
}

/** The stance of one PoP from a moment on; null: nothing is known. */
type Turn = [at: number, on: boolean | null];

/** What is known of a service at one PoP now. */
export interface Known {
  /** null where it is not known */
  stance: string | null;
  /** From when on nothing is known, in milliseconds since 1970: its agent is gone. */
  goneAt: number | null;
}

/** Gives one PoP's turns of a service, within the range. */
function turns(events: LogEvent[], range: Range, { stance: now, goneAt }: Known): Turn[] {
  const own = events.toSorted((a, b) => a.at - b.at);
  const before = own.findLast((event) => event.at <= range.from);
  const after = own.find((event) => event.at > range.from);
  const isOn = (event: LogEvent): boolean => event.fields.stance !== "withdraw";
  // An agent that begins says its first stance too: before an announcement nothing is known, before a withdrawal it was on.
  const first = before ? isOn(before) : after ? (isOn(after) ? null : true) : now === null ? null : now !== "withdraw";
  const within = own.filter((event) => event.at > range.from && event.at <= range.to);
  const told: Turn[] = [[range.from, first], ...within.map((event): Turn => [event.at, isOn(event)])];
  if (goneAt === null || goneAt > range.to) return told;
  return [...told.filter(([at]) => at < goneAt), [Math.max(range.from, goneAt), null]];
}

/** Gives the steps of a service within a range, the first at its beginning. `now`: PoP -> what is known of it now. */
export function announcing(service: string, events: LogEvent[], range: Range, now: Map<string, Known>): Step[] {
  const own = Map.groupBy(
    events.filter((event) => event.kind === "stance_changed" && serviceOf(event) === service), (event) => event.pop);
  const all = [...now].flatMap(([pop, known]) => turns(own.get(pop) ?? [], range, known).map((turn) => ({ pop, turn })));
  all.sort((a, b) => a.turn[0] - b.turn[0]);
  const is = new Map<string, boolean | null>([...now.keys()].map((pop) => [pop, null]));
  const steps: Step[] = [];
  let [known, announced] = [0, 0];
  for (const { pop, turn: [at, on] } of all) {
    const before = is.get(pop) ?? null;
    known += Number(on !== null) - Number(before !== null);
    announced += Number(on === true) - Number(before === true);
    is.set(pop, on);
    const step = { at, on: known === 0 ? null : announced, unknown: is.size - known };
    if (steps.at(-1)?.at === at) steps.pop();
    steps.push(step);
  }
  return steps;
}

/** Gives the step that holds at a moment. */
export function stepAt(steps: Step[], at: number): Step | undefined {
  return steps.findLast((step) => step.at <= at);
}
