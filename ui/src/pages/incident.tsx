// One incident from its first alert to its postmortem: what is likely its cause, what to do, and all that happened on one
// line of time.

import { useEffect, useState } from "preact/hooks";
import { order, readText } from "../api/ask";
import type { Cause, Problem, TimelineLine, WholeIncident } from "../api/shapes";
import { AnnouncedCharts } from "../parts/announcedcharts";
import { Confirm, type Asked } from "../parts/confirm";
import { Markdown } from "../parts/markdown";
import { Mark } from "../parts/mark";
import { Prose } from "../parts/prose";
import { Section } from "../parts/section";
import { Empty, Failed, Loading } from "../parts/states";
import { address, addressOf, change, here } from "../state/address";
import { useNow } from "../state/clock";
import { useFetched } from "../state/fetched";
import { problemOf } from "../state/load";
import { useRange } from "../state/seen";
import { useSource } from "../state/source";
import { world } from "../state/world";
import { incidentState, lasted, stepsOf, timeOf } from "../words/incident";
import type { Shape, Tone } from "../words/standing";
import { clock, full, short, span } from "../words/time";
import { RUNBOOKS } from "./runbook";

export function OneIncident({ number }: { number: string }) {
  const events = useSource(world.events).value ?? [];
  // The log grows while an incident goes on; what was read is read anew with what concerns it.
  const last = events.findLast((event) => event.kind !== "notice_sent")?.sequence;
  const { value: incident, problem } = useFetched<WholeIncident>(`/incidents/${encodeURIComponent(number)}`, last);
  const services = useSource(world.services).value ?? [];
  const fixed = useSource(address).from;
  useEffect(() => {
    if (incident !== null && fixed === null) change(timeOf(incident));
  }, [incident === null]);
  if (problem) return <Failed problem={problem} what={`incident ${number}`} />;
  if (incident === null) return <Loading what={`incident ${number}`} />;
  const concerned = services.filter((each) => incident.services.includes(each.name) ||
    each.prefixes.some((prefix) => incident.prefixes.includes(prefix)) || each.pops.some((pop) => incident.services.length === 0 && incident.pops.includes(pop)));
  return (
    <>
      <Head incident={incident} />
      <div class="pair">
        <Causes incident={incident} />
        <Steps incident={incident} />
      </div>
      {concerned.length > 0 && <AnnouncedCharts services={concerned} />}
      <Timeline incident={incident} />
      <Postmortem number={incident.id} again={`${incident.status} ${incident.timeline.length}`} />
    </>
  );
}

function Head({ incident }: { incident: WholeIncident }) {
  const me = useSource(world.me);
  const now = useNow();
  const [asked, setAsked] = useState<Asked | null>(null);
  const told = incidentState(incident);
  const operates = me?.role === "operator" || me?.role === "admin";
  return (
    <div class="head">
      <div>
        <h1><a href={addressOf("incidents", { from: null, until: null, brush: null })} class="quiet">Incident</a> {incident.id} <span class="said"><Mark shape={told.shape} tone={told.tone} />{told.word}</span></h1>
        <p><b>{incident.title}</b></p>
        <p class="quiet">{incident.severity} · {incident.urgency} · {incident.kind.replaceAll("_", " ")} · began <time>{full(Date.parse(incident.opened))}</time> · {incident.cleared === null ? "goes on for" : "lasted"} {span(lasted(incident, now))}{incident.flapping && " · comes and goes"}</p>
        <p>{incident.pops.map((pop) => <a key={pop} class="tag" href={addressOf(`pops/${encodeURIComponent(pop)}`)}>{pop}</a>)}
          {incident.services.map((name) => <a key={name} class="tag" href={addressOf(`services/${encodeURIComponent(name)}`)}>{name}</a>)}
          {incident.prefixes.map((prefix) => <code key={prefix} class="tag">{prefix}</code>)}
          {incident.regions.map((region) => <span key={region} class="tag">{region}</span>)}</p>
        {incident.deliveries.map((each) => <p key={each.key} class="waits"><Mark shape="cross" tone="bad" />{each.notifier} was not told ({each.state}, {each.attempts} attempts): {each.why}</p>)}
      </div>
      <div class="orders">
        {incident.kind === "hijack" && incident.prefixes[0] && <a class="button" href={addressOf("debug", { pick: incident.prefixes[0] })}>follow the paths</a>}
        {operates && incident.kind === "hijack" && incident.cleared === null && incident.prefixes[0] && <button class="danger" onClick={() => setAsked(mitigate(incident.prefixes[0]!))}>mitigate</button>}
        {operates && incident.status === "open" && <button class="primary" onClick={() => setAsked(acknowledge(incident))}>acknowledge</button>}
        {operates && <button class="primary" onClick={() => setAsked(annotate(incident))}>add a note</button>}
        {me && !operates && <span class="quiet">Your role ({me.role}) may look, and not order.</span>}
      </div>
      {asked && <Confirm asked={asked} close={() => setAsked(null)} />}
    </div>
  );
}

function mitigate(prefix: string): Asked {
  return {
    title: `Announce more-specifics of ${prefix}?`,
    happens: [
      `The more-specifics of ${prefix} that the fleet's files approve are announced, at every PoP of the service, through the same upstreams.`,
      "It is a rollout, and a second person must approve it; nothing is baked or gated.",
      "Where none is approved, or no ROA makes it valid, it is refused, and nothing changes.",
    ],
    verb: "Mitigate",
    danger: true,
    needsReason: true,
    carryOut: (reason) => order("/mitigations", { prefix, reason }),
  };
}

function acknowledge(incident: WholeIncident): Asked {
  return {
    title: `Acknowledge incident ${incident.id}?`,
    happens: ["You are named as the one who looks at it.", "Nobody is reminded of it any more. It stays open until what alerts is over."],
    verb: "Acknowledge",
    carryOut: () => order(`/incidents/${incident.id}/acknowledge`, {}),
  };
}

function annotate(incident: WholeIncident): Asked {
  return {
    title: `Add a note to incident ${incident.id}`,
    happens: ["It stands in the timeline and in the postmortem with your name, and stays in the log."],
    verb: "Add it",
    needsReason: true,
    reasonLabel: "Words",
    carryOut: (text) => order(`/incidents/${incident.id}/notes`, { text }),
  };
}

function Causes({ incident }: { incident: WholeIncident }) {
  return (
    <Section title="Likely cause" aside={<>of twenty rules, those that the log is evidence of</>}>
      {incident.causes.length === 0
        ? <Empty>The log alone speaks for none of the known causes.</Empty>
        : incident.causes.slice(0, 3).map((cause) => <OneCause key={cause.number} cause={cause} />)}
      {incident.causes.length > 3 && <details><summary>{incident.causes.length - 3} more that are possible</summary>{incident.causes.slice(3).map((cause) => <OneCause key={cause.number} cause={cause} />)}</details>}
      {incident.not_given.length > 0 && <p class="how">More would be known with: {incident.not_given.join("; ")}.</p>}
    </Section>
  );
}

function OneCause({ cause }: { cause: Cause }) {
  const likely = cause.state === "likely";
  return (
    <article class={`cause ${likely ? "" : "is-possible"}`}>
      <h3><Mark shape={likely ? "full" : "ring"} tone={likely ? "bad" : "none"} />{cause.cause}</h3>
      <p class="quiet">{cause.state}: {Math.round(cause.weight * 100)} % of what it would show is seen</p>
      <ul>{cause.evidence.slice(0, 6).map((each) => <li key={each}>{each}</li>)}</ul>
      {cause.against.length > 0 && <p class="quiet">Against it: {cause.against.join("; ")}</p>}
      <dl class="advice"><dt>confirm</dt><dd><Prose text={cause.confirm} /></dd><dt>refute</dt><dd><Prose text={cause.refute} /></dd><dt>mend</dt><dd><Prose text={cause.fix} /></dd></dl>
    </article>
  );
}

function Steps({ incident }: { incident: WholeIncident }) {
  const name = stepsOf(incident.kind);
  const steps = name === undefined ? undefined : RUNBOOKS[name];
  const { runbook } = incident;
  return (
    <Section title="Runbook" aside={<>{runbook.title}</>}>
      <div class="runbook-steps">
        {steps && <ol>{steps.steps.map((step) => <li key={step}>{step}</li>)}</ol>}
        {runbook.playbook && <p class="quiet"><Prose text={runbook.playbook} /></p>}
        <p>Step by step, with what each did kept in the log: <code>{runbook.command}</code></p>
        {name !== undefined && <p><a href={addressOf(`runbooks/${name}`)}>first steps as a page</a></p>}
      </div>
    </Section>
  );
}

const LANES: Record<string, { shape: Shape; tone: Tone }> = {
  alert: { shape: "down", tone: "bad" }, cleared: { shape: "up", tone: "good" }, notified: { shape: "ring", tone: "none" },
  acknowledged: { shape: "half", tone: "calm" }, note: { shape: "bar", tone: "calm" }, bgp: { shape: "square", tone: "none" },
  finding: { shape: "cross", tone: "bad" }, change: { shape: "diamond", tone: "calm" }, automation: { shape: "diamond", tone: "none" },
  check: { shape: "half", tone: "warn" }, alarm: { shape: "cross", tone: "warn" }, probe: { shape: "dashed", tone: "warn" },
  burn: { shape: "down", tone: "warn" }, runbook: { shape: "bar", tone: "none" },
};
const LISTED = 60;
/** Of these, lines of what led to it; what came of it is more than what was before. */
const LISTED_BEFORE = 20;

function Timeline({ incident }: { incident: WholeIncident }) {
  const [hidden, setHidden] = useState<string[]>([]);
  const [all, setAll] = useState(false);
  const { marked } = useRange();
  const isMarked = useSource(address).brush !== null;
  const within = incident.timeline.filter((line) => !isMarked || (Date.parse(line.at) >= marked.from && Date.parse(line.at) <= marked.to));
  const lanes = [...new Set(incident.timeline.map((line) => line.lane))].sort();
  const lines = within.filter((line) => !hidden.includes(line.lane));
  const opened = lines.findIndex((line) => line.at >= incident.opened);
  const first = all ? 0 : Math.max(0, Math.min((opened < 0 ? lines.length : opened) - LISTED_BEFORE, lines.length - LISTED));
  const drawn = all ? lines : lines.slice(first, first + LISTED);
  return (
    <Section title="Timeline" aside={
      <span class="lanes" role="group" aria-label="Kinds of lines">{lanes.map((lane) => (
        <button key={lane} class="lane" aria-pressed={!hidden.includes(lane)}
          onClick={() => setHidden(hidden.includes(lane) ? hidden.filter((each) => each !== lane) : [...hidden, lane])}>
          <Lane name={lane} />{lane} {within.filter((line) => line.lane === lane).length}</button>))}</span>}>
      {drawn.length === 0 ? <Empty>No line is within the marked time and the kinds above.</Empty> : (
        <div class="scroll" tabIndex={0} role="group" aria-label="Timeline"><table class="timeline">
          <thead><tr><th>at</th><th class="num">since it began</th><th>kind</th><th>what</th><th>evidence</th></tr></thead>
          <tbody>{drawn.map((line, place) => <Line key={place} line={line} opened={Date.parse(incident.opened)} />)}</tbody>
        </table></div>
      )}
      {drawn.length < lines.length && <button class="plain" onClick={() => setAll(true)}>show {lines.length - drawn.length} more, {first} of them earlier</button>}
      {incident.timeline_beyond > 0 && <p class="how">{incident.timeline_beyond} lines more had no room: the log has them.</p>}
    </Section>
  );
}

function Lane({ name }: { name: string }) {
  return <Mark {...(LANES[name] ?? { shape: "ring", tone: "none" })} />;
}

function Line({ line, opened }: { line: TimelineLine; opened: number }) {
  const at = Date.parse(line.at);
  const sequence = /^controller:(\d+)$/.exec(line.where)?.[1];
  const picked = useSource(address).pick === sequence && sequence !== undefined;
  return (
    <>
      <tr class={line.lane === "alert" ? "row-bad" : ""}>
        <td class="at"><time title={full(at)}>{short(at, opened)}</time></td>
        <td class="num quiet">{at < opened ? "−" : "+"}{span(Math.abs(at - opened) / 1000)}</td>
        <td class="said"><Lane name={line.lane} />{line.lane}</td>
        <td>{line.text}</td>
        <td>{sequence && <a href={here({ pick: picked ? "" : sequence })} aria-expanded={picked}>event {sequence}</a>}</td>
      </tr>
      {picked && <tr><td colSpan={5}><Evidence sequence={Number(sequence)} /></td></tr>}
    </>
  );
}

/** An event as it stands in the log, with its hash. */
export function Evidence({ sequence }: { sequence: number }) {
  const { value, problem } = useFetched<{ items: object[] }>(`/events?cursor=${sequence - 1}&limit=1`);
  if (problem) return <Failed problem={problem} what={`event ${sequence}`} />;
  return value === null ? <Loading what={`event ${sequence}`} /> : <pre class="raw" tabIndex={0} aria-label={`Event ${sequence}`}>{JSON.stringify(value.items[0] ?? null, null, 2)}</pre>;
}

function Postmortem({ number, again }: { number: number; again: string }) {
  const [text, setText] = useState<string | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    const abort = new AbortController();
    readText(`/incidents/${number}/postmortem`, abort.signal).then(
      (found) => { setText(found); setProblem(null); },
      (error: unknown) => { if (!abort.signal.aborted) setProblem(problemOf(error)); });
    return () => abort.abort();
  }, [number, again]);
  return (
    <Section title="Postmortem" aside={<><a href={`/api/v1/incidents/${number}/postmortem?form=html`} download target="_self">as one file of HTML</a><span>written from the log at {clock(Date.now())}</span></>}>
      {problem ? <Failed problem={problem} what="the postmortem" /> : text === null ? <Loading what="the postmortem" /> : <Markdown text={text} />}
    </Section>
  );
}
