// What is broken, worst first; what was withdrawn, by whom and why; what changed.

import { useState } from "preact/hooks";
import { AnnouncedCharts } from "../parts/announcedcharts";
import { EventList } from "../parts/eventlist";
import { Mark, Said } from "../parts/mark";
import { Section } from "../parts/section";
import { Empty, Failed, Loading, NoData } from "../parts/states";
import { address, addressOf, go } from "../state/address";
import { usePoPs, useEvents, type Fitting } from "../state/seen";
import { useSource } from "../state/source";
import { world } from "../state/world";
import { IncidentTable } from "./incidents";
import { condensed, isChange, withWho } from "../words/happening";
import { worstFirst } from "../words/incident";
import type { PoPJudged } from "../words/standing";

/** Rows that are drawn at first: of a thousand PoPs, those that serve as they should can wait. */
const ROWS = 40;
const COLUMNS = 12;
const LISTED = 50;

export function OnCall() {
  return (
    <>
      <h1 class="only-spoken">On-call</h1>
      <OpenIncidents />
      <Grid />
      <Charts />
      <div class="pair">
        <Withdrawals />
        <Changes />
      </div>
    </>
  );
}

/** Incidents that are open, where there are any: the shortest way to what they are about. */
function OpenIncidents() {
  const open = worstFirst((useSource(world.incidents).value ?? []).filter((each) => each.status !== "cleared"));
  return open.length === 0 ? null : (
    <Section title="Open incidents" aside={<><b class="bad">{open.length}</b><a href={addressOf("incidents")}>all incidents</a></>}>
      <IncidentTable incidents={open.slice(0, 8)} label="Open incidents" />
    </Section>
  );
}

function Charts() {
  const services = useSource(world.services).value ?? [];
  const at = useSource(address);
  const shown = services.filter((each) => !at.service || each.name === at.service);
  return shown.length === 0 ? null : <AnnouncedCharts services={shown} />;
}

function Grid() {
  const seen = usePoPs();
  const serving = useSource(world.serving);
  const popsProblem = useSource(world.pops).problem;
  const [all, setAll] = useState(false);
  if (popsProblem && seen === null) return <Failed problem={popsProblem} what="PoPs" />;
  if (seen === null) return <Loading what="PoPs and services" />;
  const { pops } = seen;
  const services = columns(seen.pops, seen.services);
  const folded = seen.services.length - services.length;
  const troubled = pops.filter((each) => each.worst.weight > 0);
  const drawn = all ? pops : pops.slice(0, Math.max(ROWS, Math.min(troubled.length, 200)));
  return (
    <Section title="PoPs and services" aside={<Summary seen={seen} troubled={troubled.length} services={services} />}>
      {folded > 0 && <p class="how">The {services.length} services that need most of a look; {folded} more stand on the page Fleet.</p>}
      {serving.problem && <Failed problem={serving.problem} what="how services stand" />}
      {pops.length === 0 ? <Empty>No PoP fits the filters.</Empty> : (
        <div class="scroll" tabIndex={0} role="group" aria-label="PoPs and services">
          <table class="grid">
            <thead><tr><th>PoP</th><th>region</th><th>state</th>
              {services.map((name) => <th key={name}><a href={addressOf(`services/${encodeURIComponent(name)}`)}>{name}</a></th>)}
              <th class="num">sessions</th><th>why</th><th>do</th></tr></thead>
            <tbody>{drawn.map((each) => <Row key={each.pop.name} judged={each} services={services} />)}</tbody>
          </table>
        </div>
      )}
      {drawn.length < pops.length && (
        <button class="plain" onClick={() => setAll(true)}>show {pops.length - drawn.length} more that serve as they should</button>
      )}
    </Section>
  );
}

/** Gives the services that have a column: of more than there is room for, those whose cells matter most. */
function columns(pops: PoPJudged[], services: string[]): string[] {
  if (services.length <= COLUMNS) return services;
  const weight = new Map(services.map((name) => [name, 0]));
  for (const each of pops) for (const [name, cell] of each.cells) weight.set(name, (weight.get(name) ?? 0) + cell.weight);
  return services.toSorted((a, b) => (weight.get(b) ?? 0) - (weight.get(a) ?? 0)).slice(0, COLUMNS).sort();
}

function Summary({ seen: { pops, announced }, troubled, services }: { seen: Fitting; troubled: number; services: string[] }) {
  const known = useSource(world.services).value ?? [];
  return (
    <>
      <b class={troubled ? "bad" : "good"}>{troubled === 0 ? "nothing needs a look" : `${troubled} of ${pops.length} need a look`}</b>
      {services.map((name) => {
        const { on, of } = announced.get(name)!;
        const floor = known.find((each) => each.name === name)?.floor_pops ?? 0;
        return <span key={name} class={on <= floor ? "bad" : ""}>{name} {on}/{of}, floor {floor}</span>;
      })}
    </>
  );
}

function Row({ judged, services }: { judged: PoPJudged; services: string[] }) {
  const { pop, standing, cells, worst } = judged;
  const target = addressOf(`pops/${encodeURIComponent(pop.name)}`);
  return (
    <tr data-row tabIndex={0} class={worst.weight === 0 ? "" : `row-${worst.tone}`}
      onKeyDown={(event) => event.key === "Enter" && event.target === event.currentTarget && go(target)}>
      <td><a href={target}>{pop.name}</a> <span class="quiet">{pop.city}</span></td>
      <td>{pop.region}</td>
      <td><Said judged={worst} /></td>
      {services.map((name) => {
        const cell = cells.get(name);
        return <td key={name}>{cell ? <Said judged={cell} /> : <span class="quiet">not here</span>}</td>;
      })}
      <td class="num">{standing === undefined || standing.sessions === null ? <NoData why="no report of this PoP" /> : `${standing.sessions_up}/${standing.sessions}`}</td>
      <td class="evidence">{worst.why}</td>
      <td>{worst.weight > 0 && <a href={addressOf(`runbooks/${worst.word.replaceAll(/[^a-z]+/g, "-")}`)}>runbook</a>}</td>
    </tr>
  );
}

function Withdrawals() {
  const known = useSource(world.events).value ?? [];
  const events = useEvents((event) =>
    event.kind === "withdrawal_refused" || event.kind === "lease_lapsed" ||
    (event.kind === "stance_changed" && event.fields.stance !== "announce"))?.map((event) => withWho(event, known));
  return (
    <Section title="Withdrawals" aside={<>in the time above; who, why, and what was seen</>}>
      {events == null ? <Loading what="the log" /> : events.length === 0
        ? <Empty><Mark shape="full" tone="good" />Nothing was withdrawn in this time.</Empty>
        : <EventList events={events.slice(0, LISTED)} label="Withdrawals" />}
    </Section>
  );
}

function Changes() {
  const known = useSource(world.events).value ?? [];
  const all = useEvents((event) => isChange(event, known));
  const events = all && condensed(all);
  return (
    <Section title="What changed" aside={<>decisions and recoveries, in the time above</>}>
      {events === null ? <Loading what="the log" /> : events.length === 0
        ? <Empty>Nothing changed in this time.</Empty>
        : <EventList events={events.slice(0, LISTED)} label="What changed" />}
    </Section>
  );
}
