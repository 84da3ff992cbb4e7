// What is desired: services with their floors, PoPs with their agents, and the revisions that were stored.

import type { Page } from "../api/shapes";
import { Mark, Said } from "../parts/mark";
import { useLongList } from "../parts/longlist";
import { Section } from "../parts/section";
import { Empty, Failed, Loading, NoData } from "../parts/states";
import { addressOf, go } from "../state/address";
import { useNow } from "../state/clock";
import { useFetched } from "../state/fetched";
import { usePoPs } from "../state/seen";
import { useSource } from "../state/source";
import { world } from "../state/world";
import { ago, full } from "../words/time";

interface Revision {
  revision: string;
  who: string;
  at: string;
  files: number;
  octets: number;
}

export function Fleet() {
  return (
    <>
      <h1 class="only-spoken">Fleet</h1>
      <Desired />
      <Services />
      <PoPs />
      <Revisions />
    </>
  );
}

function Desired() {
  const fleet = useSource(world.fleet);
  if (fleet.value === null) return fleet.problem ? <Failed problem={fleet.problem} what="the fleet" /> : <Loading what="the fleet" />;
  const { revision, exceptions, leader, term } = fleet.value;
  return (
    <dl class="facts">
      <div><dt>desired revision</dt><dd>{revision ? <code>{revision.slice(0, 16)}</code> : <NoData why="nothing is desired yet" />}</dd></div>
      <div><dt>at another revision</dt><dd>{exceptions === 0 ? "nothing" : `${exceptions} units: a rollout is on its way`}</dd></div>
      <div><dt>leader</dt><dd>{leader ?? <NoData why="no controller ever led" />}</dd></div>
      <div><dt>term</dt><dd>{term ?? <NoData why="no controller ever led" />}</dd></div>
    </dl>
  );
}

function Services() {
  const { value, problem } = useSource(world.services);
  const seen = usePoPs();
  if (value === null) return problem ? <Failed problem={problem} what="services" /> : <Loading what="services" />;
  return (
    <Section title="Services" aside={<>{value.length}</>}>
      {value.length === 0 ? <Empty>The fleet has no service that you may see.</Empty> : (
        <div class="scroll" tabIndex={0} role="group" aria-label="Services"><table>
          <thead><tr><th>service</th><th>prefixes</th><th class="num">announced at</th><th class="num">floor</th><th>objectives</th></tr></thead>
          <tbody>{value.map((service) => {
            const count = seen?.announced.get(service.name);
            const target = addressOf(`services/${encodeURIComponent(service.name)}`);
            return (
              <tr key={service.name} data-row tabIndex={0} onKeyDown={(event) => event.key === "Enter" && event.target === event.currentTarget && go(target)}>
                <td><a href={target}>{service.name}</a></td>
                <td><code>{service.prefixes.join(" ")}</code></td>
                <td class="num">{count ? `${count.on} of ${count.of}` : <NoData why="the filters hide it, or agents are not known here" />}</td>
                <td class="num">{service.floor_pops}{service.floor_capacity > 0 && ` and ${service.floor_capacity} of capacity`}</td>
                <td>{service.objectives.map((each) => `${each.name} ${(each.target * 100).toFixed(3).replace(/\.?0+$/, "")} %`).join(", ") || <span class="quiet">none</span>}</td>
              </tr>
            );
          })}</tbody>
        </table></div>
      )}
    </Section>
  );
}

function PoPs() {
  const seen = usePoPs();
  const now = useNow();
  const { drawn, more } = useLongList(seen?.pops ?? []);
  if (seen === null) return <Loading what="PoPs" />;
  const { pops } = seen;
  return (
    <Section title="PoPs" aside={<>{pops.length}</>}>
      {pops.length === 0 ? <Empty>No PoP fits the filters.</Empty> : (
        <div class="scroll" tabIndex={0} role="group" aria-label="PoPs"><table>
          <thead><tr><th>PoP</th><th>city</th><th>region</th><th>state</th><th>agent</th><th>since</th><th>version</th><th>assignment</th></tr></thead>
          <tbody>{drawn.map(({ pop, worst }) => {
            const target = addressOf(`pops/${encodeURIComponent(pop.name)}`);
            const since = pop.since === null ? null : Date.parse(pop.since);
            return (
              <tr key={pop.name} data-row tabIndex={0} onKeyDown={(event) => event.key === "Enter" && event.target === event.currentTarget && go(target)}>
                <td><a href={target}>{pop.name}</a></td><td>{pop.city}</td><td>{pop.region}</td>
                <td><Said judged={worst} /></td>
                <td><Contact connected={pop.connected} /></td>
                <td>{since === null ? "" : <time title={full(since)}>{ago(since, now)}</time>}</td>
                <td>{pop.version}</td><td><code>{pop.assignment?.slice(0, 8)}</code></td>
              </tr>
            );
          })}</tbody>
        </table></div>
      )}
      {more}
    </Section>
  );
}

export function Contact({ connected }: { connected: boolean | null }) {
  if (connected === null) return <NoData why="another controller has the sessions" />;
  return connected
    ? <span class="said"><Mark shape="full" tone="good" />in contact</span>
    : <span class="said"><Mark shape="dashed" tone="bad" />no contact</span>;
}

function Revisions() {
  const desired = useSource(world.fleet).value?.revision;
  const { value, problem } = useFetched<Page<Revision>>("/fleet/revisions?limit=10", desired);
  const now = useNow();
  return (
    <Section title="Revisions" aside={<>the last ten that were stored</>}>
      {value === null ? (problem ? <Failed problem={problem} what="revisions" /> : <Loading what="revisions" />) : (
        <div class="scroll" tabIndex={0} role="group" aria-label="Revisions"><table>
          <thead><tr><th>revision</th><th>who</th><th>stored</th><th class="num">files</th><th class="num">KiB</th><th>state</th></tr></thead>
          <tbody>{value.items.map((each) => (
            <tr key={each.revision}>
              <td><code>{each.revision.slice(0, 16)}</code></td><td>{each.who}</td>
              <td><time title={full(Date.parse(each.at))}>{ago(Date.parse(each.at), now)}</time></td>
              <td class="num">{each.files}</td><td class="num">{(each.octets / 1024).toFixed(1)}</td>
              <td>{each.revision === desired ? <span class="said"><Mark shape="full" tone="good" />desired</span> : ""}</td>
            </tr>
          ))}</tbody>
        </table></div>
      )}
    </Section>
  );
}
