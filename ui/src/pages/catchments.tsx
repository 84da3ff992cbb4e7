// Who reaches which PoP: measured and foretold, now and before, on a map and as a table.

import { useMemo } from "preact/hooks";
import type { CatchmentsTold, Vantage } from "../api/shapes";
import { Mark } from "../parts/mark";
import { useLongList } from "../parts/longlist";
import { Playground } from "../parts/playground";
import { Section } from "../parts/section";
import { Empty, Failed, Loading, NoData } from "../parts/states";
import { Swatch, symbolsOf, type Symbol } from "../parts/symbol";
import { Ticks } from "../parts/ticks";
import { share as placeOf } from "../parts/brushing";
import { WorldMap } from "../parts/worldmap";
import { address, addressOf, change } from "../state/address";
import { useNow } from "../state/clock";
import { useFetched } from "../state/fetched";
import { fits, useRange, type Range } from "../state/seen";
import { useSource } from "../state/source";
import { world } from "../state/world";
import { landed, movesOf, sharesOf, type Landed, type PoPShare } from "../words/catchment";
import { clock, full, short } from "../words/time";

/** Probers deliver each second or so; the page looks this often. */
const AGAIN_S = 10;
const LISTED = 200;

const VIEWS = { measured: "measured", predicted: "foretold", differs: "where they differ" } as const;
type View = keyof typeof VIEWS;

export function Catchments() {
  const at = useSource(address);
  const again = Math.floor(useNow() / 1000 / AGAIN_S);
  const { value, problem } = useFetched<CatchmentsTold>("/catchments", again);
  const known = useSource(world.pops).value;
  if (value === null) return problem ? <Failed problem={problem} what="catchments" /> : <Loading what="catchments" />;
  const shown = value.items.filter((each) => !at.service || each.service === at.service);
  const targets = [...new Map(shown.map((each) => [each.target, each.service]))];
  const target = targets.some(([name]) => name === at.target) ? at.target : targets[0]?.[0] ?? "";
  const vantages = shown.filter((each) => each.target === target);
  return (
    <>
      <h1 class="only-spoken">Catchments</h1>
      {vantages.length === 0 ? <Nothing /> : <Shown vantages={vantages} targets={targets} target={target} told={value} pops={known ?? []} />}
      <Playground service={vantages[0]?.service ?? at.service} />
    </>
  );
}

function Nothing() {
  return (
    <Section title="Catchments">
      <Empty>No prober has told this controller who answers it{address.value.service && ` for ${address.value.service}`}.</Empty>
      <p class="how">Have probers deliver here: <code>anycastle prober run prober.yaml --deliver-to {location.origin}/api/v1/probes/results --token-file FILE</code>, with DNS or HTTP probes whose answers name the PoP.
        What the twin foretells comes by <code>anycastle twin predict --export FILE</code> and <code>POST /api/v1/predictions</code>.</p>
    </Section>
  );
}

interface ShownProps {
  vantages: Vantage[];
  targets: [string, string | null][];
  target: string;
  told: CatchmentsTold;
  pops: Parameters<typeof WorldMap>[0]["pops"];
}

function Shown({ vantages, targets, target, told, pops }: ShownProps) {
  const where = useSource(address);
  const { marked } = useRange();
  const at = Math.min(Math.max(where.at ?? marked.to, marked.from), marked.to);
  const all = useMemo(() => vantages.map((each) => landed(each, marked.from, at)), [vantages, Math.floor(marked.from / 1000), Math.floor(at / 1000)]);
  const view: View = where.kind in VIEWS ? (where.kind as View) : "measured";
  const service = vantages[0]?.service ?? null;
  const serving = pops.filter((pop) => (service === null || pop.services.includes(service)) && fits(pop, { ...where, service: "" }));
  const shares = sharesOf(all, serving.map((pop) => pop.name));
  const symbol = symbolsOf(shares.filter((each) => each.now + each.before + each.predicted > 0).map((each) => each.pop));
  const moved = all.filter((each) => each.moved);
  const differs = all.filter((each) => each.asForetold === false);
  const foretold = told.predictions.find((each) => each.service === service);
  const popOf = (each: Landed): string | null => (view === "predicted" ? each.vantage.predicted : each.now?.pop ?? null);
  const marks = (each: Landed): boolean => (view === "measured" ? each.moved : view === "differs" && each.asForetold === false);
  return (
    <>
      <Section title="Catchments" aside={
        <><label>target <select value={target} onChange={(event) => change({ target: event.currentTarget.value })}>{targets.map(([name, of]) => <option key={name} value={name}>{name}{of && ` (${of})`}</option>)}</select></label>
          <span role="group" aria-label="What is shown" class="lanes">{(Object.keys(VIEWS) as View[]).map((each) => (
            <button key={each} class="lane choice" aria-pressed={view === each} disabled={each !== "measured" && !foretold} onClick={() => change({ kind: each === "measured" ? "" : each })}>{VIEWS[each]}</button>))}</span>
          <b class={moved.length ? "bad" : "good"}>{moved.length === 0 ? "nobody moved" : `${moved.length} of ${all.length} moved`}</b>
          {foretold && <span>{differs.length} of {all.filter((each) => each.asForetold !== null).length} elsewhere than foretold</span>}</>}>
        <div class="map-and-shares">
          <div>
            <WorldMap landed={all} popOf={popOf} marks={marks} pops={serving} symbol={symbol} picked={where.pick}
              pick={(pick) => change({ pick: where.pick === pick ? "" : pick })}
              label={`${all.length} vantage points on a map, ${moved.length} of them moved; the tables on this page say the same`} />
            <Slider range={marked} at={at} moves={movesOf(vantages, marked.from, marked.to)} />
          </div>
          <Shares shares={shares} symbol={symbol} all={all.length} foretold={foretold !== undefined} />
        </div>
        <p class="how">A vantage point counts once, whatever it is worth. Before: {full(marked.from)}, or what was measured first after it; after: {full(at)}. {foretold
          ? <>Foretold by {foretold.source}, kept by {foretold.who} on {full(Date.parse(foretold.at))}.</>
          : <>Nothing is foretold of {service ?? "this target"}: <code>anycastle twin predict --export</code>.</>}</p>
      </Section>
      <Table all={all} symbol={symbol} foretold={foretold !== undefined} />
    </>
  );
}

function Slider({ range, at, moves }: { range: Range; at: number; moves: number[] }) {
  const step = (by: 1 | -1): void => {
    const next = by > 0 ? moves.find((each) => each > at) ?? range.to : moves.findLast((each) => each < at) ?? range.from;
    change({ at: Math.round(next) });
  };
  return (
    <div class="slider">
      <button class="step" onClick={() => step(-1)} aria-label="To the move before">‹</button>
      <div class="slider-line">
        <Ticks window={range} max={6} />
        {moves.map((each, place) => <span key={place} class="slider-move" style={{ left: placeOf(each, range) }} />)}
        <input type="range" aria-label="After: the moment that is shown" aria-valuetext={full(at)} min={Math.floor(range.from)} max={Math.ceil(range.to)} step={1000} value={Math.round(at)}
          onInput={(event) => change({ at: Number(event.currentTarget.value) >= range.to - 1000 ? null : Number(event.currentTarget.value) })} />
      </div>
      <button class="step" onClick={() => step(1)} aria-label="To the next move">›</button>
      <span class="num">{clock(at)}</span>
    </div>
  );
}

const percent = (part: number, all: number): string => `${((100 * part) / Math.max(1, all)).toFixed(0)} %`;

function Shares({ shares, symbol, all, foretold }: { shares: PoPShare[]; symbol: (pop: string) => Symbol; all: number; foretold: boolean }) {
  const { drawn, more } = useLongList(shares);
  return (
    <><div class="scroll" tabIndex={0} role="group" aria-label="Shares of PoPs"><table>
      <thead><tr><th>PoP</th><th class="num">before</th><th class="num">after</th><th class="num">gained, lost</th>{foretold && <th class="num">foretold</th>}<th class="num">rtt p50</th></tr></thead>
      <tbody>{drawn.map((each) => (
        <tr key={each.pop}>
          <td class="said"><Swatch symbol={symbol(each.pop)} /><a href={addressOf(`pops/${encodeURIComponent(each.pop)}`)}>{each.pop}</a></td>
          <td class="num">{percent(each.before, all)}</td><td class="num"><b>{percent(each.now, all)}</b></td>
          <td class="num">{each.gained + each.lost > 0 && <>+{each.gained} −{each.lost}</>}</td>
          {foretold && <td class="num">{percent(each.predicted, all)}</td>}
          <td class="num">{each.rtt_ms === null ? <NoData why="nobody reaches it, or no time was told" /> : `${each.rtt_ms.toFixed(1)} ms`}</td>
        </tr>
      ))}</tbody>
    </table></div>{more}</>
  );
}

function Table({ all, symbol, foretold }: { all: Landed[]; symbol: (pop: string) => Symbol; foretold: boolean }) {
  const now = useNow();
  const where = useSource(address);
  const rank = (each: Landed): number => (each.vantage.vantage_point === where.pick ? 4 : 0) + (each.moved ? 2 : 0) + (each.asForetold === false ? 1 : 0);
  const rows = all.toSorted((a, b) => rank(b) - rank(a) || a.vantage.vantage_point.localeCompare(b.vantage.vantage_point));
  const cell = (pop: string | null | undefined) => (pop == null ? <NoData why="nothing was measured by then" /> : <span class="said"><Swatch symbol={symbol(pop)} />{pop}</span>);
  return (
    <Section title="Vantage points" aside={<>those that moved first</>}>
      <div class="scroll" tabIndex={0} role="group" aria-label="Vantage points"><table>
        <thead><tr><th>vantage point</th><th class="num">AS</th><th>country</th><th>before</th><th>after</th><th>since</th><th class="num">rtt</th>{foretold && <th>foretold</th>}<th>what</th></tr></thead>
        <tbody>{rows.slice(0, LISTED).map((each) => (
          <tr key={each.vantage.vantage_point} class={each.vantage.vantage_point === where.pick ? "picked" : ""}>
            <td><a href={addressOf("debug", { target: each.vantage.target, pick: each.vantage.vantage_point })}>{each.vantage.vantage_point}</a></td>
            <td class="num">{each.vantage.asn ?? <NoData why="the prober's file names no AS" />}</td><td>{each.vantage.country}</td>
            <td>{cell(each.before?.pop)}</td><td>{cell(each.now?.pop)}</td>
            <td>{each.now && <time title={full(Date.parse(each.now.first))}>{short(Date.parse(each.now.first), now)}</time>}</td>
            <td class="num">{each.now?.rtt_ms == null ? <NoData why="no time was told" /> : `${each.now.rtt_ms.toFixed(1)} ms`}</td>
            {foretold && <td>{each.vantage.predicted === null ? <NoData why="its AS is not in the graph" /> : cell(each.vantage.predicted)}</td>}
            <td>{each.moved && <span class="said"><Mark shape="diamond" tone="warn" />moved</span>} {each.asForetold === false && <span class="said"><Mark shape="ring" tone="calm" />elsewhere than foretold</span>}
              {each.vantage.lost > 0 && <span class="said"><Mark shape="dashed" tone="bad" />{each.vantage.lost} without an answer</span>}</td>
          </tr>
        ))}</tbody>
      </table></div>
      {rows.length > LISTED && <p class="how">{LISTED} of {rows.length}; <code>GET /api/v1/catchments</code> has all.</p>}
    </Section>
  );
}
