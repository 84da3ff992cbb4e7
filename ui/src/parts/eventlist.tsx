// Events in a table: when, where, what, and what was seen.

import type { LogEvent, PoP } from "../api/shapes";
import { addressOf } from "../state/address";
import { useNow } from "../state/clock";
import { useSource } from "../state/source";
import { world } from "../state/world";
import { tell } from "../words/happening";
import { full, short } from "../words/time";
import { Mark } from "./mark";

export function EventList({ events, evidence = true, label }: { events: LogEvent[]; evidence?: boolean; label: string }) {
  const now = useNow();
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={label}>
      <table class="events">
        <thead><tr><th>at</th><th>where</th><th>what</th>{evidence && <th>evidence</th>}</tr></thead>
        <tbody>{events.map((event) => <Row key={event.sequence} event={event} now={now} evidence={evidence} />)}</tbody>
      </table>
    </div>
  );
}

/** Names of PoPs as they were read last: each row of each list asks. */
let names: { pops: PoP[] | null; set: Set<string> } = { pops: null, set: new Set() };

function namesOf(pops: PoP[] | null): Set<string> {
  if (names.pops !== pops) names = { pops, set: new Set((pops ?? []).map((pop) => pop.name)) };
  return names.set;
}

function Row({ event, now, evidence }: { event: LogEvent; now: number; evidence: boolean }) {
  const told = tell(event);
  const isPoP = namesOf(useSource(world.pops).value).has(event.pop);
  return (
    <tr>
      <td class="at"><time dateTime={new Date(event.at).toISOString()} title={full(event.at)}>{short(event.at, now)}</time></td>
      <td>{isPoP ? <a href={addressOf(`pops/${encodeURIComponent(event.pop)}`)}>{event.pop}</a> : event.pop}</td>
      <td><Mark shape={told.shape} tone={told.tone} />{told.link ? <a href={addressOf(told.link)}>{told.text}</a> : told.text}</td>
      {evidence && <td class="evidence">{told.evidence}</td>}
    </tr>
  );
}
