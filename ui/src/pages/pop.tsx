// One PoP: its services and checks, BGP sessions, what its router exports, and what happened; drain it, or end a drain.

import { useMemo, useState } from "preact/hooks";
import type { PoPReport, Report } from "../api/shapes";
import { Confirm, type Asked } from "../parts/confirm";
import { drain, undrain } from "../parts/draining";
import { EventList } from "../parts/eventlist";
import { Mark, Said } from "../parts/mark";
import { Section } from "../parts/section";
import { Empty, Failed, Loading } from "../parts/states";
import { addressOf } from "../state/address";
import { useNow } from "../state/clock";
import { useFetched } from "../state/fetched";
import { useAllPoPs, useEvents, usePoPs } from "../state/seen";
import { useSource } from "../state/source";
import { world } from "../state/world";
import type { PoPJudged } from "../words/standing";
import { full, span } from "../words/time";
import { Contact } from "./fleet";

export function OnePoP({ name }: { name: string }) {
  const seen = usePoPs();
  const all = useAllPoPs()?.pops ?? [];
  const serving = useSource(world.serving).value;
  const events = useEvents((event) => event.pop === name);
  const standing = serving?.get(name);
  const last = events?.[0]?.sequence;
  const again = useMemo(() => ({}), [standing, last]);
  const { value, problem } = useFetched<PoPReport>(`/pops/${encodeURIComponent(name)}/report`, again);
  if (seen === null) return <Loading what={name} />;
  const judged = seen.pops.find((each) => each.pop.name === name);
  if (judged === undefined) return <Empty>No PoP {name} is there, or the filters hide it. <a href={addressOf("fleet", { pop: "", region: "", service: "" })}>All PoPs</a></Empty>;
  return (
    <>
      <Head judged={judged} all={all} />
      {problem && <Failed problem={problem} what={`the report of ${name}`} />}
      {!problem && value === null && <Loading what={`the report of ${name}`} />}
      {value && <Services report={value.report} judged={judged} />}
      {value && <div class="pair"><Sessions report={value.report} /><Routes report={value.report} /></div>}
      <Section title="What happened" aside={<>in the time above</>}>
        {events === null ? <Loading what="the log" /> : events.length === 0 ? <Empty>Nothing in this time.</Empty> : <EventList events={events.slice(0, 100)} label="What happened" />}
      </Section>
    </>
  );
}

function Head({ judged, all }: { judged: PoPJudged; all: PoPJudged[] }) {
  const { pop, standing, worst } = judged;
  const me = useSource(world.me);
  const now = useNow();
  const [asked, setAsked] = useState<Asked | null>(null);
  const operates = me?.role === "operator" || me?.role === "admin";
  const drained = standing?.services.filter((each) => each.drain !== null && each.drain.step !== "normal") ?? [];
  const others = standing?.services.filter((each) => !drained.includes(each)) ?? [];
  return (
    <div class="head">
      <div>
        <h1><a href={addressOf("fleet")} class="quiet">PoP</a> {pop.name} <Said judged={worst} /></h1>
        <p>{[pop.city, pop.region].filter(Boolean).join(" · ")}</p>
        <p class="quiet"><Contact connected={pop.connected} /> {pop.since && <>for <time title={`since ${full(Date.parse(pop.since))}`}>{span((now - Date.parse(pop.since)) / 1000)}</time></>}{pop.version && <> · version {pop.version}</>}</p>
        {worst.why && <p class="waits">{worst.why}</p>}
      </div>
      <div class="orders">
        {operates && others.length > 0 && <button class="danger" onClick={() => setAsked(drain(pop.name, others, all))}>drain</button>}
        {operates && drained.length > 0 && <button class="primary" onClick={() => setAsked(undrain(pop.name, drained))}>undrain</button>}
        {me && !operates && <span class="quiet">Your role ({me.role}) may look, and not drain.</span>}
      </div>
      {asked && <Confirm asked={asked} close={() => setAsked(null)} />}
    </div>
  );
}

function Services({ report, judged }: { report: Report; judged: PoPJudged }) {
  return (
    <Section title="Services and checks">
      <div class="scroll" tabIndex={0} role="group" aria-label="Services and checks"><table>
        <thead><tr><th>service</th><th>state</th><th>because</th><th>permit</th><th>check</th><th>says</th><th>evidence</th></tr></thead>
        <tbody>{report.services.flatMap((service) => {
          const cell = judged.cells.get(service.name);
          const rows = service.checks.length > 0 ? service.checks : [null];
          return rows.map((check, place) => (
            <tr key={`${service.name} ${check?.name}`}>
              {place === 0 && <>
                <td rowSpan={rows.length}><a href={addressOf(`services/${encodeURIComponent(service.name)}`)}>{service.name}</a></td>
                <td rowSpan={rows.length}>{cell ? <Said judged={cell} /> : service.stance}</td>
                <td rowSpan={rows.length}>{service.reason}</td><td rowSpan={rows.length}>{service.permit}</td></>}
              <td>{check?.name ?? <span class="quiet">none</span>}</td>
              <td>{check && <span class="said"><Mark shape={check.verdict === "healthy" ? "full" : check.verdict === "pending" ? "ring" : "cross"}
                tone={check.verdict === "healthy" ? "good" : check.verdict === "pending" ? "none" : "bad"} />{check.verdict}</span>}</td>
              <td class="evidence">{check?.evidence}</td>
            </tr>
          ));
        })}</tbody>
      </table></div>
    </Section>
  );
}

function Sessions({ report }: { report: Report }) {
  return (
    <Section title="BGP sessions">
      {report.sessions.length === 0 ? <Empty>The router told of no session.</Empty> : (
        <table>
          <thead><tr><th>upstream</th><th>neighbour</th><th>state</th><th>detail</th></tr></thead>
          <tbody>{report.sessions.map((each) => (
            <tr key={`${each.upstream} ${each.neighbour}`}>
              <td>{each.upstream}</td><td><code>{each.neighbour}</code></td>
              <td><span class="said"><Mark shape={each.state === "established" ? "full" : "cross"} tone={each.state === "established" ? "good" : "bad"} />{each.state}</span></td>
              <td class="evidence">{each.detail}</td>
            </tr>
          ))}</tbody>
        </table>
      )}
    </Section>
  );
}

function Routes({ report }: { report: Report }) {
  const key = (route: { prefix: string; upstream: string }): string => `${route.prefix} ${route.upstream}`;
  const exported = new Map(report.exported.map((route) => [key(route), route]));
  const wanted = new Set(report.wanted.map(key));
  const all = [...report.wanted, ...report.exported.filter((route) => !wanted.has(key(route)))];
  return (
    <Section title="Routes" aside={<>wanted, and what the router itself says it exports</>}>
      {all.length === 0 ? <Empty>It announces nothing, and is to announce nothing.</Empty> : (
        <table>
          <thead><tr><th>prefix</th><th>upstream</th><th class="num">prepend</th><th>router</th></tr></thead>
          <tbody>{all.map((route) => {
            const is = exported.get(key(route));
            const told = is ? (wanted.has(key(route)) ? "exported" : "not wanted") : "missing";
            return (
              <tr key={key(route)}>
                <td><code>{route.prefix}</code></td><td>{route.upstream}</td><td class="num">{(is ?? route).prepend ?? 0}</td>
                <td><span class="said"><Mark shape={told === "exported" ? "full" : "cross"} tone={told === "exported" ? "good" : "bad"} />{told}</span></td>
              </tr>
            );
          })}</tbody>
        </table>
      )}
    </Section>
  );
}
