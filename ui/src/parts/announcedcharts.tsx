// For each service at how many PoPs it is announced, over time.

import type { Service } from "../api/shapes";
import { useKnownEvents, usePoPs, useRange } from "../state/seen";
import { announcing, type Known } from "../words/announcing";
import { Section } from "./section";
import { Loading } from "./states";
import { StepChart } from "./stepchart";
import { useMemo } from "preact/hooks";

/** Charts that are drawn at most: those of the services that need most of a look. */
const CHARTS = 6;

export function AnnouncedCharts({ services }: { services: Service[] }) {
  const seen = usePoPs();
  const events = useKnownEvents();
  if (seen === null || events === null) return <Loading what="the log" />;
  const weight = (name: string): number => seen.pops.reduce((sum, each) => sum + (each.cells.get(name)?.weight ?? 0), 0);
  const drawn = services.length <= CHARTS ? services : services.toSorted((a, b) => weight(b.name) - weight(a.name)).slice(0, CHARTS);
  return (
    <Section title="Announced over time" aside={<>PoPs that announce it{drawn.length < services.length && `, of the ${CHARTS} services that need most of a look`}; from the log</>}>
      <div class="charts">{drawn.map((service) => <OfService key={service.name} service={service} />)}</div>
    </Section>
  );
}

function OfService({ service }: { service: Service }) {
  const seen = usePoPs();
  const events = useKnownEvents();
  const { window } = useRange();
  const from = Math.floor(window.from / 1000);
  const to = Math.floor(window.to / 1000);
  const pops = seen?.pops.filter((each) => each.pop.services.includes(service.name)) ?? [];
  const now = new Map(pops.map(({ pop, standing }): [string, Known] => [pop.name, pop.connected === false
    ? { stance: null, goneAt: pop.since === null ? 0 : Date.parse(pop.since) }
    : { stance: standing?.services.find((own) => own.name === service.name)?.stance ?? null, goneAt: null }]));
  const key = JSON.stringify([...now]);
  const steps = useMemo(() => announcing(service.name, events ?? [], window, now), [service.name, events, from, to, key]);
  return <StepChart title={service.name} steps={steps} of={now.size} floor={service.floor_pops} service={service.name} />;
}
