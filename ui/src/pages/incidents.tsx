// What is wrong and not over: incidents as the controller joined them, findings of the watch, and troubles one by one.

import type { LogEvent } from "../api/shapes";
import { EventList } from "../parts/eventlist";
import { Mark } from "../parts/mark";
import { Section } from "../parts/section";
import { Empty, Loading } from "../parts/states";
import { addressOf } from "../state/address";
import { useNow } from "../state/clock";
import { useEvents } from "../state/seen";
import { useSource } from "../state/source";
import { world } from "../state/world";
import { tell } from "../words/happening";
import { ago, full } from "../words/time";

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

/** Gives the last event of each incident that is not cleared, pages first, then the newest. */
export function openIncidents(events: LogEvent[]): LogEvent[] {
  const open = new Map<string, LogEvent>();
  for (const event of events) {
    if (event.kind !== "incident_changed") continue;
    const name = String(event.fields.incident);
    if (event.fields.status === "cleared") open.delete(name);
    else open.set(name, event);
  }
  const rank = (event: LogEvent): number => (event.fields.urgency === "page" ? 0 : 1);
  return [...open.values()].sort((a, b) => rank(a) - rank(b) || b.at - a.at);
}

export function Incidents() {
  const events = useSource(world.events).value;
  const troubles = useEvents((event) => tell(event).class === "trouble" || event.kind === "finding_cleared");
  if (events === null || troubles === null) return <Loading what="the log" />;
  const open = openFindings(events);
  const incidents = openIncidents(events);
  return (
    <>
      <h1 class="only-spoken">Incidents</h1>
      <Section title="Open incidents" aside={<>what belongs together, once</>}>
        {incidents.length === 0
          ? <Empty><Mark shape="full" tone="good" />No incident is open in this controller's log.</Empty>
          : incidents.map((event) => <Incident key={event.sequence} event={event} />)}
      </Section>
      <Section title="Open findings" aside={<>what the watch sees of the Internet</>}>
        {open.length === 0
          ? <Empty>No finding is open in this controller's log. A watch keeps its own: <code>anycastle watch status</code>.</Empty>
          : open.map((event) => <Finding key={event.sequence} event={event} />)}
      </Section>
      <Section title="Timeline" aside={<>troubles and their ends, in the time above</>}>
        {troubles.length === 0 ? <Empty><Mark shape="full" tone="good" />Nothing broke in this time.</Empty> : <EventList events={troubles.slice(0, 200)} label="Timeline" />}
      </Section>
      <p class="how">A controller with <code>--fleet</code> opens incidents and tells those whom the fleet's files name. Whole timelines: <code>anycastle incidents show ID</code>; what logs and probes amount to afterwards: <code>anycastle diagnose</code>, <code>anycastle postmortem ID</code>.</p>
    </>
  );
}

const RUNBOOKS: Record<string, string> = {
  hijack: "hijack", pop_down: "no-contact", service_down: "withdrawn", session_down: "session-down", withdrawn: "routes-missing",
};

function Incident({ event }: { event: LogEvent }) {
  const now = useNow();
  const { fields } = event;
  const page = fields.urgency === "page";
  const list = (value: unknown): string => (Array.isArray(value) ? value.map(String).join(", ") : "");
  const about = [list(fields.pops), list(fields.services), list(fields.prefixes)].filter((each) => each !== "").join(" · ");
  const runbook = RUNBOOKS[String(fields.alert)];
  return (
    <article class="finding">
      <h3><Mark shape="cross" tone={page ? "bad" : "warn"} />{String(fields.incident)}: {String(fields.title)}</h3>
      <p><b>{String(fields.urgency)}</b> · {fields.who ? `${String(fields.who)} looks at it` : String(fields.status)} · {String(fields.change)} <time title={full(event.at)}>{ago(event.at, now)}</time></p>
      {about !== "" && <p><code>{about}</code></p>}
      {fields.text ? <p>{String(fields.text)}</p> : null}
      {runbook && <p><a href={addressOf(`runbooks/${runbook}`)}>runbook</a></p>}
    </article>
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
