// The event log with its filters, and for an admin who asked for what.

import type { AuditRow, Page } from "../api/shapes";
import { EventList } from "../parts/eventlist";
import { Section } from "../parts/section";
import { Empty, Failed, Loading } from "../parts/states";
import { address, change } from "../state/address";
import { useNow } from "../state/clock";
import { useFetched } from "../state/fetched";
import { useEvents } from "../state/seen";
import { useSource } from "../state/source";
import { world } from "../state/world";
import { full, short } from "../words/time";

const LISTED = 300;

export function Audit() {
  const kind = useSource(address).kind;
  const all = useSource(world.events).value ?? [];
  const events = useEvents((event) => !kind || event.kind === kind);
  const kinds = [...new Set(all.map((event) => event.kind))].sort();
  return (
    <>
      <h1 class="only-spoken">Audit</h1>
      <Section title="Event log" aside={
        <label>kind <select value={kind} onChange={(event) => change({ kind: event.currentTarget.value })}>
          <option value="">all kinds</option>{kinds.map((each) => <option key={each}>{each}</option>)}</select></label>}>
        {events === null ? <Loading what="the log" /> : events.length === 0
          ? <Empty>No event fits the filters in this time. Choose a longer one above.</Empty>
          : <><EventList events={events.slice(0, LISTED)} label="Event log" />
            {events.length > LISTED && <p class="how">The newest {LISTED} of {events.length}. <code>anycastle events</code> has all of them.</p>}</>}
      </Section>
      <Requests />
    </>
  );
}

function Requests() {
  const me = useSource(world.me);
  const now = useNow();
  const admin = me?.role === "admin" && me.services === null;
  const { value, problem } = useFetched<Page<AuditRow>>(admin ? "/audit?limit=100" : null);
  return (
    <Section title="Requests" aside={<>who asked the API for what; that you looked is in it from now on</>}>
      {!admin ? <div class="state problem denied" role="alert"><strong>You may not see who asked for what</strong><span>It needs the role admin for all services; yours is {me?.role}.</span></div>
        : problem ? <Failed problem={problem} what="the audit" /> : value === null ? <Loading what="the audit" /> : value.items.length === 0 ? <Empty>Nobody asked for anything yet.</Empty> : (
          <div class="scroll" tabIndex={0} role="group" aria-label="Requests"><table>
            <thead><tr><th>at</th><th>who</th><th>from</th><th>what</th><th>of</th><th>came of it</th></tr></thead>
            <tbody>{value.items.map((row) => (
              <tr key={row.number}>
                <td class="num"><time title={full(Date.parse(row.at))}>{short(Date.parse(row.at), now)}</time></td>
                <td>{row.who}</td><td>{row.address}</td><td><code>{row.action}</code></td><td class="evidence">{row.subject}</td><td>{row.result}</td>
              </tr>
            ))}</tbody>
          </table></div>
        )}
    </Section>
  );
}
