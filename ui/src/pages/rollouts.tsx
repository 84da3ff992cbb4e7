// All rollouts, the newest first.

import { Mark } from "../parts/mark";
import { Section } from "../parts/section";
import { Empty, Failed, Loading } from "../parts/states";
import type { Rollout } from "../api/shapes";
import { addressOf, go } from "../state/address";
import { useNow } from "../state/clock";
import { useSource } from "../state/source";
import { world } from "../state/world";
import { isOver, stateOf } from "../words/rollout";
import { ago, full } from "../words/time";

export function Rollouts() {
  const { value, problem } = useSource(world.rollouts);
  if (value === null) return problem ? <Failed problem={problem} what="rollouts" /> : <Loading what="rollouts" />;
  const going = value.filter((each) => !isOver(each));
  const over = value.filter(isOver);
  return (
    <>
      <h1 class="only-spoken">Rollouts</h1>
      <Section title="Under way" aside={<>{going.length || "none"}</>}>
        {going.length === 0 ? <Empty>No rollout is under way. <code>anycastle plan</code>, then <code>anycastle apply</code>, begins one.</Empty> : <Table rollouts={going} label="Rollouts under way" />}
      </Section>
      <Section title="Over" aside={<>the last {over.length}</>}>
        {over.length === 0 ? <Empty>None has ended yet.</Empty> : <Table rollouts={over} label="Rollouts that are over" />}
      </Section>
    </>
  );
}

function Table({ rollouts, label }: { rollouts: Rollout[]; label: string }) {
  const now = useNow();
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={label}>
      <table>
        <thead><tr><th class="num">no.</th><th>state</th><th>steps</th><th>reason</th><th>who</th><th>since</th><th>waits for, or why</th></tr></thead>
        <tbody>{rollouts.map((each) => <Row key={each.number} rollout={each} now={now} />)}</tbody>
      </table>
    </div>
  );
}

function Row({ rollout, now }: { rollout: Rollout; now: number }) {
  const told = stateOf(rollout);
  const target = addressOf(`rollouts/${rollout.number}`);
  const since = Date.parse(rollout.since);
  return (
    <tr data-row tabIndex={0} onKeyDown={(event) => event.key === "Enter" && event.target === event.currentTarget && go(target)}>
      <td class="num"><a href={target}>{rollout.number}</a></td>
      <td><span class="said"><Mark shape={told.shape} tone={told.tone} />{told.word}</span></td>
      <td><Progress rollout={rollout} /></td>
      <td>{rollout.reason}</td>
      <td>{rollout.who}</td>
      <td><time title={full(since)}>{ago(since, now)}</time></td>
      <td class="evidence">{rollout.waits_for || rollout.why}</td>
    </tr>
  );
}

export function Progress({ rollout }: { rollout: Rollout }) {
  const done = rollout.state === "finished" ? rollout.steps.length : rollout.step;
  return (
    <span class="progress">
      {rollout.steps.map((step) => <i key={step.number} class={step.number <= done ? "done" : ""} />)}
      <span class="num">{done}/{rollout.steps.length}</span>
    </span>
  );
}
