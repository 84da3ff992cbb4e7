// What is wrong and not over: incidents as the controller joined them, findings of the watch, and troubles one by one.

import type { FindingsTold, Incident, LogEvent } from "../api/shapes";
import { EventList } from "../parts/eventlist";
import { Mark } from "../parts/mark";
import { WatchFound } from "../parts/watchfound";
import { Section } from "../parts/section";
import { Empty, Failed, Loading } from "../parts/states";
import { addressOf, go } from "../state/address";
import { useNow } from "../state/clock";
import { useFetched } from "../state/fetched";
import { useEvents } from "../state/seen";
import { useSource } from "../state/source";
import { world } from "../state/world";
import { tell } from "../words/happening";
import { incidentState, lasted, timeOf, worstFirst } from "../words/incident";
import { ago, full, short, span } from "../words/time";

/** Gives the last event of each finding that was opened and not cleared, the worst first. */
export function openFindings(events: LogEvent[]): LogEvent[] {
  const open = new Map<string, LogEvent>();
  for (const event of events) {
    const name = String(event.fields.finding);
    if (event.kind === "finding_opened" || event.kind === "finding_updated") open.set(name, event);
    if (event.kind === "finding_cleared") open.delete(name);
  }
  return [...open.values()].sort((a, b) => Number(b.fields.score) - Number(a.fields.score));
}

export function Incidents() {
  const events = useSource(world.events).value;
  const list = useSource(world.incidents);
  const watch = useFetched<FindingsTold>("/findings", Math.floor(useNow() / 5000));
  const troubles = useEvents((event) => tell(event).class === "trouble" || event.kind === "finding_cleared");
  if (events === null || troubles === null) return <Loading what="the log" />;
  const open = openFindings(events);
  const watched = watch.value?.items.filter((each) => each.cleared === null) ?? [];
  const incidents = list.value ?? [];
  const going = worstFirst(incidents.filter((each) => each.status !== "cleared"));
  const over = incidents.filter((each) => each.status === "cleared");
  return (
    <>
      <h1 class="only-spoken">Incidents</h1>
      <Section title="Open incidents" aside={<>what belongs together, once</>}>
        {list.value === null ? list.problem ? <Failed problem={list.problem} what="incidents" /> : <Loading what="incidents" /> : going.length === 0
          ? <Empty><Mark shape="full" tone="good" />No incident is open.</Empty>
          : <IncidentTable incidents={going} label="Open incidents" />}
      </Section>
      <Section title="Open findings" aside={<>what the watch sees of the Internet</>}>
        {watch.value?.watches.filter((each) => each.silent).map((each) => <div key={each.name} class="state problem" role="alert"><strong>The watch {each.name} is silent</strong><span>It told nothing since <time>{each.heard}</time>: what it would find is not known.</span></div>)}
        {open.length + watched.length === 0
          ? <Empty>{watch.value?.watched ? <><Mark shape="full" tone="good" />No finding is open.</> : <>No finding is open in this controller's log, and it reads no watch: <code>anycastle up --findings FILE --watch RUN_DIR</code>.</>}</Empty>
          : <>{watched.map((each) => <WatchFound key={each.finding} found={each} />)}{open.map((event) => <Finding key={event.sequence} event={event} />)}</>}
      </Section>
      {over.length > 0 && <Section title="Past incidents" aside={<>the newest first, each with its postmortem</>}><IncidentTable incidents={over.slice(0, 50)} label="Past incidents" /></Section>}
      <Section title="Timeline" aside={<>troubles and their ends, in the time above</>}>
        {troubles.length === 0 ? <Empty><Mark shape="full" tone="good" />Nothing broke in this time.</Empty> : <EventList events={troubles.slice(0, 200)} label="Timeline" />}
      </Section>
      <p class="how">A controller with <code>--fleet</code> opens incidents and tells those whom the fleet's files name. The same by command: <code>anycastle incidents show ID</code>; with probes' results beside the log: <code>anycastle diagnose</code>, <code>anycastle postmortem ID</code>.</p>
    </>
  );
}

export function IncidentTable({ incidents, label }: { incidents: Incident[]; label: string }) {
  const now = useNow();
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={label}><table class="grid">
      <thead><tr><th class="first">number</th><th>severity</th><th>what</th><th>state</th><th>about</th><th>began</th><th class="num">for</th></tr></thead>
      <tbody>{incidents.map((each) => {
        const told = incidentState(each);
        const target = addressOf(`incidents/${each.id}`, timeOf(each));
        return (
          <tr key={each.id} data-row tabIndex={0} class={each.status !== "cleared" && each.severity !== "minor" ? "row-bad" : ""}
            onKeyDown={(event) => event.key === "Enter" && event.target === event.currentTarget && go(target)}>
            <td>{each.id}</td><td>{each.severity}</td><td><a href={target}>{each.title}</a></td>
            <td class="said"><Mark shape={told.shape} tone={told.tone} />{told.word}</td>
            <td class="evidence">{[...each.pops, ...each.services, ...each.prefixes].join(", ")}</td>
            <td><time title={full(Date.parse(each.opened))}>{short(Date.parse(each.opened), now)}</time></td>
            <td class="num">{span(lasted(each, now))}</td>
          </tr>
        );
      })}</tbody>
    </table></div>
  );
}

function Finding({ event }: { event: LogEvent }) {
  const now = useNow();
  const { fields } = event;
  const list = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);
  return (
    <article class="finding">
      <h3><Mark shape="cross" tone="bad" />{String(fields.finding_kind).replaceAll("_", " ")}: {String(fields.subject)}</h3>
      <p><b>{String(fields.severity)}</b> · score {String(fields.score)} · {String(fields.peers)} peers in {String(fields.asns)} networks · RPKI: {String(fields.validity || "no data")} · <time title={full(event.at)}>{ago(event.at, now)}</time></p>
      <p><code>{list(fields.prefixes).join("  ")}</code></p>
      <ul>{list(fields.reasons).map((reason) => <li key={reason}>{reason}</li>)}</ul>
      {list(fields.evidence).length > 0 && <details><summary>evidence</summary><pre>{list(fields.evidence).join("\n")}</pre></details>}
      <p><a href={addressOf("runbooks/hijack")}>runbook</a></p>
    </article>
  );
}
