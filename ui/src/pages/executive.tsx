// What was promised and what was kept, on one page. Each number says how it was measured; what nobody measures is said
// to be so.

import { useMemo } from "preact/hooks";
import { Section } from "../parts/section";
import { Failed, Loading, NoData } from "../parts/states";
import { Mark } from "../parts/mark";
import { Got, Promises, useBudgets } from "../parts/promises";
import { eventOf, type StoredEvent } from "../api/stream";
import type { FindingsTold, LogEvent, Page, Rollout, Service } from "../api/shapes";
import { WINDOWS, address } from "../state/address";
import { useNow } from "../state/clock";
import { useFetched } from "../state/fetched";
import { usePoPs, type Fitting, type Range } from "../state/seen";
import { useSource } from "../state/source";
import { world } from "../state/world";
import { announced, percent, sum, type Share } from "../words/announced";
import { serviceOf } from "../words/happening";
import type { PoPJudged } from "../words/standing";
import { full, span } from "../words/time";
import { openFindings } from "./incidents";

/** Of this many events at most an answer consists: beyond it, the range begins with the first that came. */
const EVENTS_AT_ONCE = 1000;

export function Executive() {
  const at = useSource(address);
  const now = Math.floor(useNow() / 60_000) * 60_000;
  const services = useSource(world.services);
  const asked = { from: at.from ?? now - WINDOWS[at.window] * 1000, to: now };
  const since = encodeURIComponent(new Date(asked.from).toISOString());
  const log = useFetched<Page<StoredEvent>>(`/events?kind=stance_changed&newest=true&limit=${EVENTS_AT_ONCE}&since=${since}`);
  const budgets = useBudgets();
  const seen = usePoPs();
  const events = useWithNewer((log.value?.items ?? []).map(eventOf));
  if (services.value === null) return services.problem ? <Failed problem={services.problem} what="services" /> : <Loading what="services" />;
  if (log.problem) return <Failed problem={log.problem} what="the log" />;
  const range = log.value?.items.length === EVENTS_AT_ONCE ? { from: events[0]!.at, to: now } : asked;
  const shown = services.value.filter((each) => !at.service || each.name === at.service);
  return (
    <>
      <header class="head">
        <div><h1>How we kept our promises</h1>
          <p class="quiet">{full(range.from)} to {full(range.to)}, {span((range.to - range.from) / 1000)}. Choose the time above.</p></div>
        <div class="orders"><button class="primary" onClick={() => print()}>print</button></div>
      </header>
      <Promises services={shown} told={budgets} />
      <Got told={budgets} />
      {seen === null || log.value === null ? <Loading what="what PoPs announced" /> : <Announced services={shown} seen={seen} events={events} range={range} />}
      <div class="pair"><Trouble range={range} /><ChangesMade range={range} /></div>
    </>
  );
}

/** Adds what the stream brought since the events were read. */
function useWithNewer(events: LogEvent[]): LogEvent[] {
  const last = events.at(-1)?.sequence ?? 0;
  const newer = (useSource(world.events).value ?? []).filter((event) => event.sequence > last && event.kind === "stance_changed");
  return [...events, ...newer];
}

function Announced({ services, seen: { pops, announced: count }, events, range }: { services: Service[]; seen: Fitting; events: LogEvent[]; range: Range }) {
  const regions = [...new Set(pops.map(regionOf))].sort();
  const last = events.at(-1)?.sequence;
  const shares = useMemo(() => sharesOf(pops, events, range), [pops, last, range.from, range.to]);
  const shareOf = (service: string, region: string | null): Share =>
    sum([...(shares.get(service) ?? [])].flatMap(([own, share]) => (region === null || own === region ? [share] : [])));
  return (
    <Section title="Announced" aside={<>share of PoP-time, by region</>}>
      <table>
        <thead><tr><th>service</th><th class="num">everywhere</th>{regions.map((region) => <th key={region} class="num">{region}</th>)}<th class="num">now</th><th class="num">floor</th></tr></thead>
        <tbody>{services.map((service) => {
          const { on, of } = count.get(service.name) ?? { on: 0, of: 0 };
          return (
            <tr key={service.name} data-service={service.name}>
              <td>{service.name}</td>
              <td class="num"><b>{percent(shareOf(service.name, null)) ?? <NoData why="the log has nothing of it" />}</b></td>
              {regions.map((region) => <td key={region} class="num">{percent(shareOf(service.name, region)) ?? <NoData why="the log has nothing of it" />}</td>)}
              <td class="num"><span class="said"><Mark shape={on > service.floor_pops ? "full" : "down"} tone={on > service.floor_pops ? "good" : "bad"} />{on} of {of}</span></td>
              <td class="num">{service.floor_pops}</td>
            </tr>
          );
        })}</tbody>
      </table>
      <p class="how">Counted from the log: of the time that PoPs of the region told of, how much they announced the service. It is what PoPs did, not what clients saw.</p>
    </Section>
  );
}

const regionOf = (each: PoPJudged): string => each.pop.region ?? "no region";

/** Gives service -> region -> its share, in one walk over all PoPs and their services. */
function sharesOf(pops: PoPJudged[], events: LogEvent[], range: Range): Map<string, Map<string, Share>> {
  const own = Map.groupBy(events, (event) => `${event.pop} ${serviceOf(event)}`);
  const found = new Map<string, Map<string, Share>>();
  for (const each of pops) {
    const stances = new Map(each.standing?.services.map((one) => [one.name, one.stance]));
    for (const name of each.cells.keys()) {
      const stance = each.pop.connected === false ? null : stances.get(name) ?? null;
      const share = announced(own.get(`${each.pop.name} ${name}`) ?? [], range, stance);
      const regions = found.get(name) ?? new Map<string, Share>();
      found.set(name, regions);
      const known = regions.get(regionOf(each));
      regions.set(regionOf(each), known ? sum([known, share]) : share);
    }
  }
  return found;
}

function Trouble({ range }: { range: Range }) {
  const events = (useSource(world.events).value ?? []).filter((event) => event.at >= range.from && event.at <= range.to + 60_000);
  const incidents = useSource(world.incidents).value;
  const told = useFetched<FindingsTold>("/findings", range.to);
  const watch = told.value;
  const withdrawn = events.filter((event) => event.kind === "stance_changed" && event.fields.stance === "withdraw").length;
  const refused = events.filter((event) => event.kind === "withdrawal_refused").length;
  const over = incidents?.filter((each) => each.cleared !== null && Date.parse(each.cleared) >= range.from).length;
  const found = openFindings(events).length + (watch?.items.filter((each) => each.cleared === null).length ?? 0);
  return (
    <Section title="Trouble">
      <dl class="facts">
        <div><dt>incidents open</dt><dd>{incidents?.filter((each) => each.cleared === null).length ?? <NoData why="this controller told of no incidents" />}</dd></div>
        <div><dt>over</dt><dd>{over ?? <NoData why="this controller told of no incidents" />}</dd></div>
        <div><dt>open findings</dt><dd>{watch?.watched || found > 0 ? found : <NoData why={watch ? "this controller reads no watch" : told.problem?.title ?? "being read"} />}</dd></div>
        <div><dt>withdrawals</dt><dd>{withdrawn}</dd></div>
        <div><dt>held by a floor</dt><dd>{refused}</dd></div>
      </dl>
      <p class="how">Incidents as this controller opened them, findings as its watch has them now; the rest is counted in the log's last {events.length} events of this time.</p>
    </Section>
  );
}

function ChangesMade({ range }: { range: Range }) {
  const rollouts = (useSource(world.rollouts).value ?? []).filter((each) => Date.parse(each.since) >= range.from);
  const count = (...states: Rollout["state"][]): number => rollouts.filter((each) => states.includes(each.state)).length;
  return (
    <Section title="Changes">
      <dl class="facts">
        <div><dt>rollouts</dt><dd>{rollouts.length}</dd></div>
        <div><dt>finished</dt><dd>{count("finished")}</dd></div>
        <div><dt>gone back</dt><dd>{count("rolled back", "aborted", "rolling back")}</dd></div>
        <div><dt>under way</dt><dd>{count("waiting", "applying", "baking")}</dd></div>
      </dl>
      <p class="how">Rollouts of this controller whose last state is of this time.</p>
    </Section>
  );
}
