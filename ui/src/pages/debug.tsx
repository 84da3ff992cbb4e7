// What the Internet does with a prefix: findings, origins, paths, ways of packets, and what we did ourselves, on one line of
// time. Whatever moment is chosen, everything shows it.

import { useEffect, useState } from "preact/hooks";
import type { CatchmentsTold, FindingsTold, RoutesTold, Traced, WatchFinding } from "../api/shapes";
import { ASGraph } from "../parts/asgraph";
import { EventList } from "../parts/eventlist";
import { Lanes, type Lane } from "../parts/lanes";
import { Mark } from "../parts/mark";
import { Section } from "../parts/section";
import { SeriesChart } from "../parts/serieschart";
import { Empty, Failed, Loading } from "../parts/states";
import { WayDiff } from "../parts/waydiff";
import { WatchFound } from "../parts/watchfound";
import { address, addressOf, change } from "../state/address";
import { useNow } from "../state/clock";
import { useFetched } from "../state/fetched";
import { useEvents, useRange, type Range } from "../state/seen";
import { useSource } from "../state/source";
import { world } from "../state/world";
import { serviceOf, tell } from "../words/happening";
import { within } from "../words/network";
import { graphOf, guiltyOf, originRuns, pathsAt } from "../words/paths";
import { clock, full } from "../words/time";

const AGAIN_S = 5;
const PLAY_MS = 700;
/** Origins that have a lane: those that should not be there first. */
const ORIGINS_MAX = 6;

export function Debug() {
  const at = useSource(address);
  const again = at.until === null ? Math.floor(useNow() / 1000 / AGAIN_S) : 0;
  const services = useSource(world.services).value;
  const findings = useFetched<FindingsTold>("/findings", again);
  if (services === null || (findings.value === null && findings.problem === null)) return <Loading what="what the watch sees" />;
  const found = findings.value?.items ?? [];
  const prefixes = [...new Set([...found.flatMap((each) => each.prefixes), ...services.filter((each) => !at.service || each.name === at.service).flatMap((each) => each.prefixes)])].filter((each) => each.includes("/"));
  const asked = at.target || at.pick;
  const prefix = prefixes.includes(asked) ? asked : prefixes.find((each) => asked !== "" && within(asked, each)) ?? prefixes[0];
  return (
    <>
      <h1 class="only-spoken">Debug</h1>
      {findings.problem && <Failed problem={findings.problem} what="findings" />}
      {prefix === undefined ? <Empty>No service that you may see has a prefix.</Empty>
        : <Prefix key={prefix} prefix={prefix} prefixes={prefixes} found={found} watched={findings.value?.watched ?? false} again={again} />}
    </>
  );
}

interface Props {
  prefix: string;
  prefixes: string[];
  found: WatchFinding[];
  watched: boolean;
  again: number;
}

const overlaps = (one: string, two: string): boolean => within(one.split("/")[0]!, two) || within(two.split("/")[0]!, one);

function Prefix({ prefix, prefixes, found, watched, again }: Props) {
  const where = useSource(address);
  const { window, marked } = useRange();
  const services = useSource(world.services).value ?? [];
  const service = services.find((each) => each.prefixes.some((own) => overlaps(own, prefix)))?.name;
  const routes = useFetched<RoutesTold>(`/routes/${prefix}`, again);
  const traced = useFetched<{ items: Traced[] }>("/traceroutes", again).value?.items.filter((each) => within(each.target, prefix)) ?? [];
  const seen = useFetched<CatchmentsTold>("/catchments", again).value?.items.filter((each) => within(each.target, prefix)) ?? [];
  const events = useEvents((event) => tell(event).class !== "note" && (!serviceOf(event) || serviceOf(event) === service), window) ?? [];
  const own = found.filter((each) => each.prefixes.some((one) => overlaps(one, prefix)));
  const changes = routes.value?.changes ?? [];
  const at = Math.min(Math.max(where.at ?? marked.to, window.from), window.to);
  const foreign = new Set(own.filter((each) => /^AS\d+$/.test(each.subject) && each.kind !== "route_leak").map((each) => Number(each.subject.slice(2))));
  const moves = seen.flatMap((each) => each.turns.slice(1).map((turn, place) => ({ at: Date.parse(turn.first), text: `${each.vantage_point} moved from ${each.turns[place]!.pop} to ${turn.pop}` })));
  const ways = traced.flatMap((each) => each.ways.slice(1).map((way) => ({ at: Date.parse(way.first), text: `${each.vantage_point} goes another way to ${each.target}` })));
  const moments = [...new Set([...changes.map((each) => Date.parse(each.at)), ...moves.map((each) => each.at), ...ways.map((each) => each.at), ...own.flatMap((each) => [Date.parse(each.opened), ...(each.cleared ? [Date.parse(each.cleared)] : [])])])]
    .filter((each) => each > window.from && each < window.to).sort((a, b) => a - b);
  const lanes: Lane[] = [
    { name: "findings", points: [], empty: watched ? "nothing was found" : "no watch is read here",
      bars: own.map((each) => ({ from: Date.parse(each.opened), to: each.cleared ? Date.parse(each.cleared) : window.to, tone: each.severity === "critical" ? "bad" : "warn", text: `${each.kind.replaceAll("_", " ")}: ${each.subject}` })) },
    ...originLanes(changes, foreign, window),
    { name: "moves", bars: [], points: moves.map((each) => ({ ...each, tone: "warn", trouble: false })), empty: "nobody moved" },
    { name: "ways", bars: [], points: ways.map((each) => ({ ...each, tone: "warn", trouble: false })), empty: traced.length ? "no way changed" : "no traceroute was delivered" },
    { name: "ours", bars: [], points: events.map((event) => ({ at: event.at, tone: tell(event).tone, text: `${event.pop}: ${tell(event).text}`, trouble: tell(event).class === "trouble" })), empty: "we did nothing" },
  ];
  return (
    <>
      <Section title="One line of time" aside={<><label>prefix <select value={prefix} onChange={(event) => change({ target: event.currentTarget.value, pick: "" })}>{prefixes.map((each) => <option key={each}>{each}</option>)}</select></label>
        {service && <a href={addressOf(`services/${encodeURIComponent(service)}`)}>{service}</a>}<Said found={own} /></>}>
        <Lanes lanes={lanes} window={window} marked={marked} at={at} moments={moments}><Play moments={moments} at={at} /></Lanes>
      </Section>
      <Paths told={routes.value} problem={routes.problem} foreign={foreign} at={at} from={marked.from} />
      <WayDiff traced={traced} at={at} />
      {own.length > 0 && <Section title="Findings and their evidence">{own.map((each) => <WatchFound key={each.finding} found={each} />)}</Section>}
      <Section title="Load and clients" aside={<>from the Prometheus, on the same time</>}>
        <div class="charts">
          <SeriesChart name="cpu" title="processors busy, by PoP" missing="scrape node_exporter with a label pop" />
          <SeriesChart name="drops" title="packets dropped, by PoP" missing="scrape node_exporter with a label pop" />
          <SeriesChart name="disrupted_sessions" title="sessions disrupted (M6)" missing="scrape anycastle telemetry run, with sessions" />
          <SeriesChart name="cache_hits" title="cache hits (M7)" missing="scrape anycastle telemetry run, with access logs" />
        </div>
      </Section>
      <Section title="What we did, and what broke here" aside={<>in the time above</>}>
        {events.length === 0 ? <Empty>Nothing in this time.</Empty> : <EventList events={events.filter((event) => event.at >= marked.from && event.at <= marked.to).slice(0, 60)} label="What we did" />}
      </Section>
    </>
  );
}

function originLanes(changes: RoutesTold["changes"], foreign: Set<number>, window: Range): Lane[] {
  const runs = originRuns(changes, window.to);
  if (runs.length === 0) return [{ name: "origins", bars: [], points: [], empty: "no watch of this controller tells routes" }];
  const shown = runs.length > ORIGINS_MAX ? runs.toSorted((a, b) => Number(foreign.has(b.origin)) - Number(foreign.has(a.origin))).slice(0, ORIGINS_MAX) : runs;
  const lanes: Lane[] = shown.map(({ origin, steps }) => ({
    name: `AS${origin}`, points: [], empty: "no peer has a path to it",
    bars: steps.flatMap(([at, peers], place) => (peers === 0 ? [] : [{ from: at, to: steps[place + 1]?.[0] ?? window.to, tone: foreign.has(origin) ? "bad" as const : "calm" as const, text: `${peers} ${peers === 1 ? "peer" : "peers"}` }])),
  }));
  const more = runs.length - shown.length;
  return more === 0 ? lanes : [...lanes, { name: `${more} more`, bars: [], points: [], empty: `${more} origins more: the paths below have them` }];
}

function Said({ found }: { found: WatchFinding[] }) {
  const open = found.filter((each) => each.cleared === null);
  return <b class={open.length ? "bad" : ""}>{open.length ? `${open.length} open: ${open[0]!.kind.replaceAll("_", " ")} by ${open[0]!.subject}` : found.length ? `${found.length} over` : ""}</b>;
}

function Play({ moments, at }: { moments: number[]; at: number }) {
  const [on, setOn] = useState(false);
  const next = moments.find((each) => each > at);
  useEffect(() => {
    if (!on) return undefined;
    const timer = setTimeout(() => (next === undefined ? setOn(false) : change({ at: next })), PLAY_MS);
    return () => clearTimeout(timer);
  }, [on, next]);
  return <button class="plain" disabled={moments.length === 0} aria-pressed={on} onClick={() => { if (!on && next === undefined) change({ at: moments[0]! }); setOn(!on); }}>{on ? "pause" : "play"}</button>;
}

interface PathsProps {
  told: RoutesTold | null;
  problem: Parameters<typeof Failed>[0]["problem"] | null;
  foreign: Set<number>;
  at: number;
  from: number;
}

function Paths({ told, problem, foreign, at, from }: PathsProps) {
  if (problem !== null) {
    return (
      <Section title="Paths">
        {problem.status === 404 ? <><Empty>{problem.detail}.</Empty><p class="how">A controller reads the watch on its own machine: <code>anycastle up --findings events.db --watch RUN_DIR</code>.</p></> : <Failed problem={problem} what="routes" />}
      </Section>
    );
  }
  if (told === null) return <Section title="Paths"><Loading what="routes" /></Section>;
  const [before, now] = [pathsAt(told.changes, from), pathsAt(told.changes, at)];
  const guilty = guiltyOf(told.changes.filter((each) => Date.parse(each.at) <= at), foreign, at);
  return (
    <Section title="Paths" aside={<>as {told.sources.length} peers of the watch had them at {clock(at)}</>}>
      {guilty && <p class="guilty"><Mark shape="cross" tone="bad" /><b>AS{guilty.origin} originates it, and should not.</b> {guilty.believer === null ? "A peer heard it from that network itself"
        : <>The hop that let it in: <strong class="hop-name">AS{guilty.believer}</strong></>}, first seen at {full(guilty.at)}; {guilty.peers} of {told.sources.length} peers believe it at {clock(at)}.</p>}
      <ASGraph graph={graphOf(now, foreign)} label="AS paths at the moment that is shown; the table below says the same" />
      <div class="scroll" tabIndex={0} role="group" aria-label="Paths by peer"><table>
        <thead><tr><th>peer</th><th class="num">AS</th><th>path before</th><th>path at {clock(at)}</th><th>what</th></tr></thead>
        <tbody>{told.sources.map((source) => {
          const [old, fresh] = [before.get(source.id) ?? null, now.get(source.id) ?? null];
          const changed = JSON.stringify(old) !== JSON.stringify(fresh);
          const isForeign = fresh !== null && foreign.has(fresh.at(-1)!);
          return (
            <tr key={source.id} class={isForeign ? "row-bad" : ""}>
              <td>{source.id}</td><td class="num">{source.asn}</td><td><Path path={old} other={fresh} /></td><td><Path path={fresh} other={old} /></td>
              <td>{isForeign ? <span class="said"><Mark shape="cross" tone="bad" />to a foreign origin</span> : changed ? <span class="said"><Mark shape="diamond" tone="warn" />{fresh === null ? "gone" : old === null ? "new" : "another path"}</span> : <span class="quiet">as before</span>}</td>
            </tr>
          );
        })}</tbody>
      </table></div>
    </Section>
  );
}

/** A path whose hops that the other one has not are marked. */
function Path({ path, other }: { path: number[] | null; other: number[] | null }) {
  if (path === null) return <span class="nodata">no route</span>;
  return <code>{path.map((asn, place) => <span key={place} class={other !== null && !other.includes(asn) ? "differs" : ""}>{asn} </span>)}</code>;
}
