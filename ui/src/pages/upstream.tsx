// One upstream over all PoPs: sessions, what it is told against what it should be told, what the watch sees through it.

import type { RoutesTold, UpstreamPlace, UpstreamRoute, UpstreamTold, UpstreamAttributes } from "../api/shapes";
import { EventList } from "../parts/eventlist";
import { useLongList } from "../parts/longlist";
import { Mark } from "../parts/mark";
import { Section } from "../parts/section";
import { Empty, Failed, Loading, NoData } from "../parts/states";
import { addressOf } from "../state/address";
import { useNow } from "../state/clock";
import { useFetched } from "../state/fetched";
import { useEvents, useKnownEvents } from "../state/seen";
import { useSource } from "../state/source";
import { world } from "../state/world";
import { worstFirst } from "../words/incident";
import { ago, full } from "../words/time";
import { lastChange, seenThrough, wordOf } from "../words/upstream";
import { IncidentTable } from "./incidents";

const AGAIN_S = 10;
/** Prefixes that the watch is asked of: one question each. */
const ASKED_MAX = 6;
/** Prepends that are proposed to try on it: enough to lose almost every tie. */
const TRIED = 3;

export function OneUpstream({ name }: { name: string }) {
  const again = Math.floor(useNow() / 1000 / AGAIN_S);
  const { value, problem } = useFetched<UpstreamTold>(`/upstreams/${encodeURIComponent(name)}`, again);
  if (value === null) return problem ? <Failed problem={problem} what={`the upstream ${name}`} /> : <Loading what={`the upstream ${name}`} />;
  const prefixes = [...new Set(value.places.flatMap((place) => place.routes.filter((each) => each.exported).map((each) => each.prefix)))];
  return (
    <>
      <Head told={value} />
      <Sessions places={value.places} />
      <Routes places={value.places} />
      <Section title="What the watch sees through it" aside={<>peers whose path goes through {value.asns.map((each) => `AS${each}`).join(", ")}</>}>
        {prefixes.length === 0 ? <Empty>Nothing is exported to it.</Empty> : <Seen prefixes={prefixes} asns={value.asns} />}
        <p class="how">How long changes took, and whether paths keep to policy, is in the watch's own log: <code>anycastle events --kind convergence_measured</code>, <code>anycastle slo</code>.</p>
      </Section>
      <Happened told={value} />
    </>
  );
}

function Head({ told }: { told: UpstreamTold }) {
  const sessions = told.places.flatMap((place) => place.sessions);
  const up = sessions.filter((each) => each.state === "established").length;
  const unheard = told.places.filter((place) => !place.heard);
  const tried = told.places.map((place) => `${place.pop}/${place.upstream}:${TRIED}`).join(",");
  return (
    <div class="head">
      <div>
        <h1><a href={addressOf("fleet")} class="quiet">Upstream</a> {told.names.join(", ")} {sessions.length === 0 ? <NoData why={unheard.length > 0 ? "no agent of its PoPs was heard" : "no agent told of a session"} />
          : <span class="said"><Mark shape={up === sessions.length ? "full" : up === 0 ? "cross" : "half"} tone={up === sessions.length ? "good" : up === 0 ? "bad" : "warn"} />{up} of {sessions.length} sessions up</span>}</h1>
        <p>{told.asns.map((each) => `AS${each}`).join(", ")} · {[...new Set(told.places.map((place) => place.kind))].join(", ")} · at {told.places.length} {told.places.length === 1 ? "PoP" : "PoPs"}</p>
        {unheard.length > 0 && <p class="waits">Nothing is known of {unheard.slice(0, 8).map((place) => place.pop).join(", ")}{unheard.length > 8 && ` and ${unheard.length - 8} more`}: their agents were not heard.</p>}
      </div>
      <div class="orders">
        <a class="as-button" href={addressOf("catchments", { tried: tried.length < 1500 ? tried : "" })}>what if it heard {TRIED} prepends</a>
      </div>
    </div>
  );
}

function Sessions({ places }: { places: UpstreamPlace[] }) {
  const events = useKnownEvents() ?? [];
  const now = useNow();
  const rows = places.flatMap((place): { place: UpstreamPlace; session: UpstreamPlace["sessions"][number] | null }[] =>
    (place.sessions.length === 0 ? [{ place, session: null }] : place.sessions.map((session) => ({ place, session }))))
    .toSorted((a, b) => Number(a.session?.state === "established") - Number(b.session?.state === "established"));
  const { drawn, more } = useLongList(rows);
  return (
    <Section title="Sessions" aside={<>those that are not up first</>}>
      <div class="scroll" tabIndex={0} role="group" aria-label="Sessions"><table>
        <thead><tr><th>PoP</th><th>neighbour</th><th>state</th><th>since</th><th>carries</th><th class="num">hold</th><th>BFD</th><th class="num">prefixes told</th><th>detail</th></tr></thead>
        <tbody>{drawn.map(({ place, session }) => {
          const since = session && lastChange(events, place, session.neighbour);
          const told = place.routes.filter((each) => each.exported).length;
          return (
            <tr key={`${place.pop} ${place.upstream} ${session?.neighbour}`}>
              <td><a href={addressOf(`pops/${encodeURIComponent(place.pop)}`)}>{place.pop}</a> <span class="quiet">{place.city}</span></td>
              <td>{session ? <code>{session.neighbour}</code> : <NoData why={place.heard ? "the router told of no session" : "its agent was not heard"} />}</td>
              <td>{session && <span class="said"><Mark shape={session.state === "established" ? "full" : "cross"} tone={session.state === "established" ? "good" : "bad"} />{session.state}</span>}
                {session && session.state !== "established" && <> <a href={addressOf("runbooks/session-down")}>runbook</a></>}</td>
              <td>{since ? <time title={full(since.at)}>{ago(since.at, now)}</time> : session && <NoData why="it is older than the events that this page holds" />}</td>
              <td>{session?.families.join(", ")}</td>
              <td class="num">{place.hold_time_s} s</td><td>{place.bfd ? "yes" : "no"}</td>
              <td class="num" title={place.takes_prefixes === null ? "The PoP's file does not say how many it takes" : "Of the prefixes of a family that it takes before it ends the session"}>{told}{place.takes_prefixes !== null && ` of ${place.takes_prefixes}`}</td>
              <td class="evidence">{session?.detail}</td>
            </tr>
          );
        })}</tbody>
      </table></div>
      {more}
    </Section>
  );
}

function Told({ route }: { route: UpstreamAttributes | null }) {
  if (route === null) return <span class="quiet">not told</span>;
  return <>{route.prepend > 0 && `${route.prepend} prepended `}{route.med !== null && `MED ${route.med} `}{route.communities.map((each) => <code key={each}>{each} </code>)}{route.prepend === 0 && route.med === null && route.communities.length === 0 && "plain"}</>;
}

function Routes({ places }: { places: UpstreamPlace[] }) {
  const rows = places.flatMap((place) => place.routes.map((route): { place: UpstreamPlace; route: UpstreamRoute } => ({ place, route })))
    .toSorted((a, b) => Number(wordOf(a.route) === "as wanted") - Number(wordOf(b.route) === "as wanted"));
  const { drawn, more } = useLongList(rows);
  const amiss = rows.filter(({ route }) => wordOf(route) !== "as wanted").length;
  const heard = places.some((place) => place.heard);
  return (
    <Section title="What it is told" aside={heard ? <b class={amiss ? "bad" : "good"}>{amiss ? `${amiss} of ${rows.length} otherwise than wanted` : "all as wanted"}</b> : <NoData why="no agent of its PoPs was heard" />}>
      {rows.length === 0 ? <Empty>{heard ? "It is told nothing, and is to be told nothing." : "Nothing is known: no agent of its PoPs was heard."}</Empty> : (
        <div class="scroll" tabIndex={0} role="group" aria-label="What it is told"><table>
          <thead><tr><th>PoP</th><th>service</th><th>prefix</th><th>state</th><th>exported</th><th>wanted</th></tr></thead>
          <tbody>{drawn.map(({ place, route }) => {
            const word = wordOf(route);
            return (
              <tr key={`${place.pop} ${place.upstream} ${route.prefix}`}>
                <td><a href={addressOf(`pops/${encodeURIComponent(place.pop)}`)}>{place.pop}</a></td>
                <td>{route.service && <a href={addressOf(`services/${encodeURIComponent(route.service)}`)}>{route.service}</a>}</td>
                <td><a href={addressOf("debug", { target: route.prefix })}><code>{route.prefix}</code></a></td>
                <td><span class="said"><Mark shape={word === "as wanted" ? "full" : "cross"} tone={word === "as wanted" ? "good" : "bad"} />{word}</span></td>
                <td><Told route={route.exported} /></td><td><Told route={route.wanted} /></td>
              </tr>
            );
          })}</tbody>
        </table></div>
      )}
      {more}
    </Section>
  );
}

function Seen({ prefixes, asns }: { prefixes: string[]; asns: number[] }) {
  return (
    <>
      <table>
        <thead><tr><th>prefix</th><th class="num">peers that see it</th><th class="num">through it</th><th>share</th></tr></thead>
        <tbody>{prefixes.slice(0, ASKED_MAX).map((prefix) => <SeenRow key={prefix} prefix={prefix} asns={asns} />)}</tbody>
      </table>
      {prefixes.length > ASKED_MAX && <p class="how">{ASKED_MAX} of {prefixes.length} prefixes; the page Debug shows any.</p>}
    </>
  );
}

function SeenRow({ prefix, asns }: { prefix: string; asns: number[] }) {
  const again = Math.floor(useNow() / 1000 / AGAIN_S);
  const { value, problem } = useFetched<RoutesTold>(`/routes/${prefix}`, again);
  const seen = value && seenThrough(value, asns);
  return (
    <tr>
      <td><a href={addressOf("debug", { target: prefix })}><code>{prefix}</code></a></td>
      {seen ? <><td class="num">{seen.seeing} of {seen.peers}</td><td class="num">{seen.through}</td><td>{seen.seeing === 0 ? <span class="said"><Mark shape="cross" tone="bad" />no peer sees it</span> : `${((100 * seen.through) / seen.seeing).toFixed(0)} %`}</td></>
        : <td colSpan={3}>{problem ? <NoData why={problem.detail} /> : "reading"}</td>}
    </tr>
  );
}

const words = (title: string): Set<string> => new Set(title.split(/[^\w-]+/));

function Happened({ told }: { told: UpstreamTold }) {
  const names = new Set(told.names);
  const pops = new Set(told.places.map((place) => place.pop));
  const named = [...told.names, ...told.asns.map((asn) => `AS${asn}`)];
  const events = useEvents((event) => pops.has(event.pop) && names.has(String(event.fields.upstream ?? "")));
  const incidents = worstFirst((useSource(world.incidents).value ?? []).filter((each) => named.some((name) => words(each.title).has(name))));
  return (
    <div class="pair">
      <Section title="Incidents" aside={<>those that name it</>}>
        {incidents.length === 0 ? <Empty>No incident names it.</Empty> : <IncidentTable incidents={incidents.slice(0, 20)} label="Incidents of it" />}
      </Section>
      <Section title="What happened" aside={<>in the time above</>}>
        {events === null ? <Loading what="the log" /> : events.length === 0 ? <Empty>Nothing in this time.</Empty> : <EventList events={events.slice(0, 100)} label="What happened" />}
      </Section>
    </div>
  );
}
