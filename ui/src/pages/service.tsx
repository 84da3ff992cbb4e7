// One service: its prefixes and floor, where it is announced, what was promised, and what happened.

import { AnnouncedCharts } from "../parts/announcedcharts";
import { EventList } from "../parts/eventlist";
import { Said } from "../parts/mark";
import { useLongList } from "../parts/longlist";
import { Promises, useBudgets } from "../parts/promises";
import { Section } from "../parts/section";
import { SeriesChart } from "../parts/serieschart";
import { Empty, Failed, Loading } from "../parts/states";
import { addressOf } from "../state/address";
import { useEvents, usePoPs } from "../state/seen";
import { useSource } from "../state/source";
import { world } from "../state/world";
import { serviceOf } from "../words/happening";

const MISSING = "run the rules of anycastle slo export prometheus";

export function OneService({ name }: { name: string }) {
  const { value, problem } = useSource(world.services);
  const seen = usePoPs();
  const budgets = useBudgets();
  const events = useEvents((event) => serviceOf(event) === name);
  const rows = seen?.pops.flatMap((each) => {
    const cell = each.cells.get(name);
    return cell ? [{ ...each, cell }] : [];
  }).sort((a, b) => b.cell.weight - a.cell.weight);
  const { drawn, more } = useLongList(rows ?? []);
  if (value === null) return problem ? <Failed problem={problem} what="services" /> : <Loading what="services" />;
  const service = value.find((each) => each.name === name);
  if (service === undefined) return <Empty>No service {name} is there that you may see. <a href={addressOf("fleet")}>All services</a></Empty>;
  return (
    <>
      <div class="head"><div>
        <h1><a href={addressOf("fleet")} class="quiet">Service</a> {name}</h1>
        <p><code>{service.prefixes.join("  ")}</code></p>
        <p class="quiet">floor: {service.floor_pops} PoPs{service.floor_capacity > 0 && `, and ${service.floor_capacity} of capacity`}</p>
      </div></div>
      <Section title="Where" aside={rows && <>{rows.filter((each) => each.cell.tone === "good" || each.cell.tone === "warn").length} of {rows.length} announce it</>}>
        {rows === undefined ? <Loading what="PoPs" /> : rows.length === 0 ? <Empty>No PoP within the filters serves it.</Empty> : (
          <div class="scroll" tabIndex={0} role="group" aria-label="Where"><table>
            <thead><tr><th>PoP</th><th>region</th><th>state</th><th class="num">routes</th><th>why</th></tr></thead>
            <tbody>{drawn.map(({ pop, standing, cell }) => {
              const own = standing?.services.find((each) => each.name === name);
              return (
                <tr key={pop.name}>
                  <td><a href={addressOf(`pops/${encodeURIComponent(pop.name)}`)}>{pop.name}</a> <span class="quiet">{pop.city}</span></td>
                  <td>{pop.region}</td><td><Said judged={cell} /></td>
                  <td class="num">{own && `${own.routes_exported}/${own.routes_wanted}`}</td><td class="evidence">{cell.why}</td>
                </tr>
              );
            })}</tbody>
          </table></div>
        )}
        {more}
      </Section>
      <AnnouncedCharts services={[service]} />
      <Promises services={[service]} told={budgets} regions />
      {service.objectives.length > 0 && (
        <Section title="Budgets over time" aside={<>as the exported rules recorded them</>}>
          <div class="charts">
            <SeriesChart name="budget_left" title="budget left" service={name} missing={MISSING} mark={{ at: 0, text: "The dashed line: the budget is exhausted." }} />
            <SeriesChart name="burn_rate" title="burn over an hour" service={name} missing={MISSING} mark={{ at: 1, text: "The dashed line: a burn of 1 spends the budget in just its window." }} />
          </div>
        </Section>
      )}
      <Section title="What happened" aside={<>in the time above</>}>
        {events === null ? <Loading what="the log" /> : events.length === 0 ? <Empty>Nothing in this time.</Empty> : <EventList events={events.slice(0, 100)} label="What happened" />}
      </Section>
    </>
  );
}
