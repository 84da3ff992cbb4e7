// What is desired: services with their floors, PoPs with their agents, and the revisions that were stored.

import type { Page, UpstreamBrief } from "../api/shapes";
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
      <Upstreams />
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

function Upstreams() {
  const again = Math.floor(useNow() / 1000 / UPSTREAMS_AGAIN_S);
  const { value, problem } = useFetched<{ items: UpstreamBrief[] }>("/upstreams", again);
  const rows = value?.items.toSorted((a, b) => amiss(b) - amiss(a) || a.asn - b.asn) ?? [];
  const { drawn, more } = useLongList(rows);
  return (
    <Section title="Upstreams" aside={value && <>{rows.length}</>}>
      {value === null ? (problem ? <Failed problem={problem} what="upstreams" /> : <Loading what="upstreams" />) : rows.length === 0 ? <Empty>No PoP has an upstream.</Empty> : (
        <div class="scroll" tabIndex={0} role="group" aria-label="Upstreams"><table>
          <thead><tr><th>upstream</th><th>AS</th><th>kind</th><th class="num">PoPs</th><th>sessions</th><th>routes</th></tr></thead>
          <tbody>{drawn.map((each) => {
            const target = addressOf(`upstreams/${each.asn}`);
            return (
              <tr key={each.asn} data-row tabIndex={0} onKeyDown={(event) => event.key === "Enter" && event.target === event.currentTarget && go(target)}>
                <td><a href={target}>{each.names.join(", ")}</a></td><td>AS{each.asn}</td><td>{each.kinds.join(", ")}</td><td class="num">{each.pops}</td>
                <td>{each.sessions === 0 ? <NoData why="no agent told of a session with it" /> : <span class="said"><Mark shape={each.sessions_up === each.sessions ? "full" : "half"} tone={each.sessions_up === each.sessions ? "good" : "warn"} />{each.sessions_up} of {each.sessions} up</span>}</td>
                <td>{each.routes_missing > 0 ? <span class="said"><Mark shape="cross" tone="bad" />{each.routes_missing} otherwise than wanted</span> : each.heard > 0 && <span class="said"><Mark shape="full" tone="good" />as wanted</span>}</td>
              </tr>
            );
          })}</tbody>
        </table></div>
      )}
      {more}
    </Section>
  );
}

const UPSTREAMS_AGAIN_S = 10;
const amiss = (each: UpstreamBrief): number => each.routes_missing + each.sessions - each.sessions_up;

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
