// One rollout: where it stands, what it waits for, what its gates say, what it changes, and the orders on it.

import { useState } from "preact/hooks";
import { eventOf, type StoredEvent } from "../api/stream";
import type { LogEvent, Page, Rollout } from "../api/shapes";
import { Confirm, type Asked } from "../parts/confirm";
import { EventList } from "../parts/eventlist";
import { Mark } from "../parts/mark";
import { ask } from "../parts/rolloutorder";
import { RevisionDiff } from "../parts/revisiondiff";
import { Section } from "../parts/section";
import { Empty, Failed, Loading, NoData } from "../parts/states";
import { addressOf } from "../state/address";
import { useNow } from "../state/clock";
import { useFetched } from "../state/fetched";
import { useSource } from "../state/source";
import { world } from "../state/world";
import { isOver, ordersOf, stateOf, stepState } from "../words/rollout";
import { ago, full, short, span } from "../words/time";

const KINDS = ["rollout_changed", "gate_judged", "approval_given"];

export function OneRollout({ number }: { number: string }) {
  const listed = useSource(world.rollouts).value?.find((each) => String(each.number) === number);
  const known = useSource(world.events).value ?? [];
  const last = known.findLast((event) => KINDS.includes(event.kind))?.sequence;
  const { value: rollout, etag, problem } = useFetched<Rollout>(`/rollouts/${encodeURIComponent(number)}`, `${last} ${listed?.state} ${listed?.paused_by}`);
  const log = useFetched<Page<StoredEvent>>(`/events?newest=true&limit=1000&${KINDS.map((kind) => `kind=${kind}`).join("&")}`, last);
  if (problem) return <Failed problem={problem} what={`rollout ${number}`} />;
  if (rollout === null) return <Loading what={`rollout ${number}`} />;
  const events = (log.value?.items ?? []).map(eventOf).filter((event) => concerns(event, rollout.number));
  return (
    <>
      <Head rollout={rollout} etag={etag} />
      <div class="pair">
        <Steps rollout={rollout} />
        <Gates rollout={rollout} events={events} />
      </div>
      <RevisionDiff before={rollout.before} after={rollout.revision} />
      <Section title="What happened">
        {events.length === 0 ? <Empty>The log has nothing of it.</Empty> : <EventList events={events.toReversed()} label="What happened" />}
      </Section>
    </>
  );
}

function concerns(event: LogEvent, number: number): boolean {
  return event.fields.rollout === number || event.fields.subject === `rollout/${number}`;
}

function Head({ rollout, etag }: { rollout: Rollout; etag: string }) {
  const me = useSource(world.me);
  const now = useNow();
  const told = stateOf(rollout);
  const [asked, setAsked] = useState<Asked | null>(null);
  const since = Date.parse(rollout.since);
  const orders = me ? ordersOf(rollout, me.role) : [];
  return (
    <div class="head">
      <div>
        <h1><a href={addressOf("rollouts")} class="quiet">Rollout</a> {rollout.number} <span class="said"><Mark shape={told.shape} tone={told.tone} />{told.word}</span></h1>
        <p>{rollout.reason}</p>
        <p class="quiet">{rollout.who} · {told.word} <time title={full(since)}>{ago(since, now)}</time>
          {rollout.approved_by && <> · approved by {rollout.approved_by}</>}{rollout.paused_by && <> · paused by {rollout.paused_by}</>}</p>
        {(rollout.waits_for || rollout.why) && <p class="waits">{rollout.waits_for ? `It waits for ${rollout.waits_for}.` : rollout.why}</p>}
        {rollout.marks.map((mark) => <p key={mark} class="waits"><Mark shape="diamond" tone="warn" />a second person must approve: {mark}</p>)}
      </div>
      <div class="orders">
        {orders.map((name) => <button key={name} class={name === "abort" ? "danger" : "primary"} onClick={() => setAsked(ask(name, rollout, etag))}>{name}</button>)}
        {me && orders.length === 0 && !isOver(rollout) && <span class="quiet">Your role ({me.role}) may look, and not order.</span>}
      </div>
      {asked && <Confirm asked={asked} close={() => setAsked(null)} />}
    </div>
  );
}

const STEPS = {
  done: { shape: "full", tone: "good", word: "done" },
  now: { shape: "half", tone: "calm", word: "now" },
  next: { shape: "ring", tone: "none", word: "to come" },
  back: { shape: "up", tone: "none", word: "as before" },
} as const;

function Steps({ rollout }: { rollout: Rollout }) {
  return (
    <Section title="Steps" aside={<>each bakes {span(rollout.policy.bake_s)}; patience {span(rollout.policy.patience_s)}</>}>
      <ol class="steps">
        {rollout.steps.map((step) => {
          const told = STEPS[stepState(rollout, step)];
          const word = told.word === "now" ? rollout.state : told.word;
          return (
            <li key={step.number} class={told.word === "now" ? "now" : ""}>
              <span class="num">{step.number}</span>
              <span class="said"><Mark shape={told.shape} tone={told.tone} />{word}</span>
              <span>{step.pops.map((pop, place) => <span key={pop}>{place > 0 && ", "}<a href={addressOf(`pops/${encodeURIComponent(pop)}`)}>{pop}</a></span>)}</span>
              <span class="quiet">{step.units} {step.units === 1 ? "unit" : "units"}</span>
            </li>
          );
        })}
      </ol>
      <p class="quiet">Prefixes: {rollout.prefixes.join(", ") || "none"}{rollout.mitigations.length > 0 && <>; against a hijack: {rollout.mitigations.join(", ")}</>}</p>
    </Section>
  );
}

const VERDICTS: Record<string, { shape: "full" | "cross" | "dashed"; tone: "good" | "bad" | "none" }> = {
  pass: { shape: "full", tone: "good" }, fail: { shape: "cross", tone: "bad" }, "no data": { shape: "dashed", tone: "none" },
};

function Gates({ rollout, events }: { rollout: Rollout; events: LogEvent[] }) {
  const now = useNow();
  const judged = events.filter((event) => event.kind === "gate_judged");
  return (
    <Section title="Gates" aside={<>what each said last, and why</>}>
      {rollout.policy.gates.length === 0 ? <Empty>None was given: each step waits for its bake alone.</Empty> : (
        <table>
          <thead><tr><th>gate</th><th>says</th><th class="num">step</th><th>evidence</th><th>at</th></tr></thead>
          <tbody>
            {rollout.policy.gates.map((gate) => {
              const last = judged.findLast((event) => event.fields.gate === gate);
              const verdict = VERDICTS[String(last?.fields.verdict)];
              return (
                <tr key={gate}>
                  <td><code>{gate}</code></td>
                  <td>{last && verdict ? <span class="said"><Mark {...verdict} />{String(last.fields.verdict)}</span> : <NoData why="it was not asked yet" />}</td>
                  <td class="num">{last ? String(last.fields.step) : ""}</td>
                  <td class="evidence">{Array.isArray(last?.fields.evidence) ? last.fields.evidence.join("; ") : ""}</td>
                  <td class="at">{last && <time title={full(last.at)}>{short(last.at, now)}</time>}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
    </Section>
  );
}
