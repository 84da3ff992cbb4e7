// The twin to try things on: PoPs are switched, prepends stepped, and shares and loads shown as they would be.

import { useState } from "preact/hooks";
import type { PoPShifted, RouteTried, Shift, Spread } from "../api/shapes";
import { address, addressOf, change } from "../state/address";
import { useShift } from "../state/shift";
import { useSource } from "../state/source";
import { world } from "../state/world";
import { amount, differences, formatTried, howTo, isLoad, linkOf, parseTried, PREPENDS_MAX, prepended, switched, type Tried } from "../words/tried";
import { useLongList } from "./longlist";
import { Mark } from "./mark";
import { Section } from "./section";
import { Empty, Failed, Loading, NoData } from "./states";

const TITLE = "What if";
const NO_GRAPH = "/api/v1/problems/no-graph";

export function Playground({ service: asked }: { service: string | null }) {
  const at = useSource(address);
  const services = useSource(world.services).value ?? [];
  const service = asked || services[0]?.name || "";
  const { shift, busy, problem } = useShift(service, at.tried);
  if (at.tried === null) {
    return (
      <Section title={TITLE}>
        <p class="how">Switch PoPs and step prepends, and see who would land where, and what each PoP would carry. Nothing is announced otherwise by trying.</p>
        <p><button class="primary" disabled={service === ""} onClick={() => change({ tried: "" })}>try it on {service || "a service"}</button></p>
      </Section>
    );
  }
  const tried = parseTried(at.tried);
  const set = (next: Tried): void => change({ tried: formatTried(next) });
  return (
    <Section title={TITLE} aside={
      <><span>{service} {shift?.prefix}</span>
        {problem?.type !== NO_GRAPH && <LoadField tried={tried} set={set} />}
        {shift && <Outcome shift={shift} busy={busy} failed={problem !== null} />}
        {at.tried !== "" && <button class="plain" onClick={() => change({ tried: "" })}>as it is now</button>}
        <button class="plain" onClick={() => change({ tried: null })}>close</button></>}>
      {problem && (problem.type === NO_GRAPH ? <NoGraph /> : <Failed problem={problem} what="what would move" />)}
      {shift === null && busy && <Loading what="the graph, and who lands where" />}
      {shift && problem?.type !== NO_GRAPH && (
        <>
          <Places shift={shift} tried={tried} set={set} busy={busy} />
          <div class="pair"><Doubt shift={shift} /><Real shift={shift} tried={tried} /></div>
        </>
      )}
    </Section>
  );
}

function NoGraph() {
  return (
    <>
      <Empty>This controller has no graph of ASes to foretell by.</Empty>
      <p class="how">Start it with one: <code>anycastle up FLEET --graph 20250901.as-rel2.txt.bz2</code>, or <code>anycastle controller run --graph</code>. Without a controller, <code>anycastle twin predict --fleet FLEET</code> answers the same.</p>
    </>
  );
}

function LoadField({ tried, set }: { tried: Tried; set: (tried: Tried) => void }) {
  const [text, setText] = useState(tried.load);
  const good = text === "" || isLoad(text);
  return (
    <label class="tried">all users offer
      <input value={text} placeholder="38G" spellcheck={false} aria-invalid={!good} title="With a unit, as capacities have: 38G, 400M"
        onInput={(event) => {
          const next = event.currentTarget.value.trim();
          setText(next);
          if (next === "" || isLoad(next)) set({ ...tried, load: next });
        }} />
      {!good && <span class="warn">write 38G</span>}
    </label>
  );
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

function Outcome({ shift, busy, failed }: { shift: Shift; busy: boolean; failed: boolean }) {
  const moved = shift.moved.mean;
  return (
    <span role="status" aria-live="polite">
      {busy ? <><span class="spin" aria-hidden="true" />computing</> : !failed && (moved === 0 ? <b class="good">nobody would move</b> : <b class="warn">{percent(moved)} of users would move</b>)}
    </span>
  );
}

interface PlacesProps {
  shift: Shift;
  tried: Tried;
  set: (tried: Tried) => void;
  busy: boolean;
}

function Places({ shift, tried, set, busy }: PlacesProps) {
  const { drawn, more } = useLongList(shift.pops.toSorted((a, b) => b.now.mean - a.now.mean || (a.name < b.name ? -1 : 1)));
  const loaded = shift.offered_load !== null;
  const most = Math.max(...shift.pops.flatMap((pop) => [pop.load?.p95 ?? 0, pop.load_now?.mean ?? 0, pop.capacity ?? 0]), 1);
  return (
    <><div class="scroll" tabIndex={0} role="group" aria-label="What would be" aria-busy={busy}><table class="tried-table">
      <thead><tr><th>PoP announces</th><th>prepends</th><th class="gauges">share of users</th><th class="num">now</th><th class="num">after</th><th class="num">change</th>
        {loaded && <><th class="gauges">load, and capacity</th><th class="num">load</th><th class="num">of</th><th>overload</th></>}</tr></thead>
      <tbody>{drawn.map((pop) => <Place key={pop.name} pop={pop} routes={shift.routes.filter((each) => each.pop === pop.name)} tried={tried} set={set} loaded={loaded} most={most} />)}
        {Math.max(shift.no_route.now.mean, shift.no_route.after.mean) > 0 && <NoRoute shift={shift} loaded={loaded} />}</tbody>
    </table></div>{more}
      <p class="how"><span class="key now" aria-hidden="true" />now <span class="key" aria-hidden="true" />after, with a line for nine of ten ways in which ties may fall{loaded ? <> <span class="key limit" aria-hidden="true" /> capacity.</> : ". With what all users offer together, loads stand beside capacities."}</p>
    </>
  );
}

function Place({ pop, routes, tried, set, loaded, most }: { pop: PoPShifted; routes: RouteTried[]; tried: Tried; set: (tried: Tried) => void; loaded: boolean; most: number }) {
  const now = routes.some((each) => each.now !== null);
  const on = tried.off.includes(pop.name) ? false : now || tried.on.includes(pop.name);
  const change = 100 * pop.change.mean;
  return (
    <tr class={on ? "" : "is-off"}>
      <td><button class="switch" role="switch" aria-checked={on} aria-label={`${pop.name} announces`} onClick={() => set(switched(tried, pop.name, now))}><i aria-hidden="true" />{pop.name}</button></td>
      <td><span class="prepends">{routes.map((route) => <Prepends key={route.upstream} route={route} tried={tried} on={on} set={set} />)}</span></td>
      <td class="gauges"><Gauge now={pop.now.mean} after={pop.after} most={1} /></td>
      <td class="num">{percent(pop.now.mean)}</td><td class="num" title={`${percent(pop.after.p5)} to ${percent(pop.after.p95)} in nine of ten ways`}><b>{percent(pop.after.mean)}</b></td>
      <td class="num">{Math.abs(change) < 0.05 ? "" : `${change > 0 ? "+" : "−"}${Math.abs(change).toFixed(1)}`}</td>
      {loaded && <>
        <td class="gauges">{pop.load && <Gauge now={pop.load_now?.mean ?? 0} after={pop.load} most={most} limit={pop.capacity} />}</td>
        <td class="num">{pop.load ? amount(pop.load.mean) : ""}</td><td class="num">{pop.capacity === null ? <NoData why="the PoP's file states no capacity" /> : amount(pop.capacity)}</td>
        <td>{pop.overload_chance > 0 ? <span class="said"><Mark shape="cross" tone="bad" />{(100 * pop.overload_chance).toFixed(0)} % likely</span> : pop.capacity !== null && <span class="said"><Mark shape="full" tone="good" />none</span>}</td></>}
    </tr>
  );
}

function Prepends({ route, tried, on, set }: { route: RouteTried; tried: Tried; on: boolean; set: (tried: Tried) => void }) {
  const given = tried.prepends[linkOf(route)];
  const count = given ?? route.now?.prepend ?? route.after?.prepend ?? 0;
  const off = !on || (route.now === null && route.after === null);
  return (
    <label class={given === undefined ? "" : "is-tried"} title={`AS${route.asn}${off && on ? ": not announced to" : ""}`}>{route.upstream}
      <input type="number" min={0} max={PREPENDS_MAX} value={count} disabled={off} aria-label={`prepends of ${route.pop} to ${route.upstream}`}
        onInput={(event) => {
          const next = Math.round(Number(event.currentTarget.value));
          if (event.currentTarget.value !== "" && next >= 0 && next <= PREPENDS_MAX) set(prepended(tried, route, next));
        }} />
    </label>
  );
}

/** Two bars on one scale, and a mark for the limit; the cells beside it say the same in figures. */
function Gauge({ now, after, most, limit = null }: { now: number; after: Spread; most: number; limit?: number | null }) {
  const at = (value: number): string => `${(100 * Math.min(1, value / most)).toFixed(2)}%`;
  return (
    <span class="gauge" aria-hidden="true">
      <span class="gauge-now" style={{ width: at(now) }} />
      <span class={`gauge-after ${limit !== null && after.mean > limit ? "bad" : ""}`} style={{ width: at(after.mean) }} />
      {after.p95 > after.p5 && <span class="gauge-range" style={{ left: at(after.p5), width: at(after.p95 - after.p5) }} />}
      {limit !== null && <span class="gauge-limit" style={{ left: at(limit) }} />}
    </span>
  );
}

function NoRoute({ shift, loaded }: { shift: Shift; loaded: boolean }) {
  const { now, after } = shift.no_route;
  return (
    <tr><td>no route</td><td class="quiet">hear nobody</td><td class="gauges"><Gauge now={now.mean} after={after} most={1} /></td>
      <td class="num">{percent(now.mean)}</td><td class="num"><b>{percent(after.mean)}</b></td><td class="num" />{loaded && <td colSpan={4} />}</tr>
  );
}

const count = (value: number): string => Math.round(value).toLocaleString("en");

function Doubt({ shift }: { shift: Shift }) {
  const known = Object.entries(shift.provenance).filter(([, share]) => share > 0).map(([name, share]) => `${name} ${percent(share)}`).join(", ");
  const left = [...new Set(shift.remarks.filter((each) => each.kind !== "silent-pop").map((each) => `${each.subject}: ${each.text}`))];
  return (
    <div>
      <h3>How sure that is</h3>
      <ul class="doubt">
        <li>{percent(shift.moved.mean)} of users would move ({percent(shift.moved.p5)} to {percent(shift.moved.p95)} in nine of ten ways in which ties may fall): {count(shift.ases_moved.mean)} ASes.</li>
        <li>{count(shift.ases_moved_though_kept.mean)} ASes ({percent(shift.moved_though_kept.mean)} of users) would move though both their PoPs announce as before.</li>
        <li>{percent(shift.doubt)} of users are in doubt: they may land elsewhere than their AS does most likely. Known how: {known}.</li>
        <li>By {shift.graph.name}{shift.graph.date ? ` of ${shift.graph.date}` : ", which has no date"}, and what routers export now.</li>
        {shift.unheard.length > 0 && <li>Not heard, and taken as the files say: {shift.unheard.slice(0, 12).join(", ")}{shift.unheard.length > 12 && ` and ${shift.unheard.length - 12} more`}.</li>}
        {left.slice(0, 6).map((each) => <li key={each} class="quiet">{each}</li>)}
        {left.length > 6 && <li class="quiet">{left.length - 6} remarks more: <code>POST /api/v1/twin/shift</code> has all.</li>}
      </ul>
    </div>
  );
}

function Real({ shift, tried }: { shift: Shift; tried: Tried }) {
  const changes = differences(shift);
  if (changes.length === 0) return <div><h3>What would be otherwise</h3><Empty>Nothing: this is how it is announced now.</Empty></div>;
  const { orders, file, rollOut } = howTo(shift, tried);
  return (
    <div class="real">
      <h3>What would be otherwise</h3>
      <ul class="doubt">{changes.slice(0, 20).map((each) => <li key={each}>{each}</li>)}{changes.length > 20 && <li>{changes.length - 20} more</li>}</ul>
      <details>
        <summary>how to make it real</summary>
        {orders.length > 0 && <><p>Order it:</p><pre tabIndex={0} aria-label="Orders">{orders.join("\n")}</pre></>}
        {file.length > 0 && <>
          <p>Write it into <code>services/{shift.service}.yaml</code>:</p><pre tabIndex={0} aria-label="In the file">{file.join("\n")}</pre>
          <p>Look at the plan, and roll it out behind gates:</p><pre tabIndex={0} aria-label="Commands">{rollOut.join("\n")}</pre></>}
        <p><a href={addressOf("rollouts")}>Rollouts</a> shows its steps.</p>
      </details>
    </div>
  );
}
