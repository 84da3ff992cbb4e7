// What is seen of the world through the filters that the address holds.

import { useMemo } from "preact/hooks";
import type { LogEvent, PoP, PoPStanding, Service } from "../api/shapes";
import { judgePoP, type PoPJudged } from "../words/standing";
import { serviceOf } from "../words/happening";
import { WINDOWS, address, type Address } from "./address";
import { serverNow } from "../api/ask";
import { useNow } from "./clock";
import { useSource } from "./source";
import { world } from "./world";

/** Gives the PoPs within the filters, the worst first; null while they are not known. */
export function usePoPs(): Fitting | null {
  return useFitting(useSource(address));
}

/** Gives all PoPs, whatever is filtered: what an order comes to is no matter of filters. */
export function useAllPoPs(): Fitting | null {
  return useFitting(NO_FILTER);
}

type Filters = Pick<Address, "service" | "region" | "pop">;
const NO_FILTER: Filters = { service: "", region: "", pop: "" };

/** PoPs within filters, and what is counted of them once for all that show it. */
export interface Fitting {
  pops: PoPJudged[];
  services: string[];
  /** Service -> PoPs that announce it, of so many. */
  announced: Map<string, { on: number; of: number }>;
}

type Read = readonly [PoP[], Map<string, PoPStanding> | null, Service[]];
/** What was made of the last that was read, for each choice of filters: parts of a page ask for it again and again. */
let made: { read: Read; of: Map<string, Fitting> } | null = null;
/** Filters that are being typed leave this many choices behind at most. */
const CHOICES_MAX = 8;

function useFitting(at: Filters): Fitting | null {
  const pops = useSource(world.pops).value;
  const serving = useSource(world.serving);
  const known = useSource(world.services).value;
  if (pops === null || known === null) return null;
  if (serving.value === null && serving.problem === null) return null;
  const read: Read = [pops, serving.value, known];
  if (made === null || made.of.size >= CHOICES_MAX || read.some((each, place) => each !== made!.read[place])) made = { read, of: new Map() };
  const key = JSON.stringify([at.service, at.region, at.pop]);
  const found = made.of.get(key) ?? fitting(read, at);
  made.of.set(key, found);
  return found;
}

function fitting([pops, serving, known]: Read, at: Filters): Fitting {
  const services = known.map((each) => each.name).filter((name) => !at.service || name === at.service);
  const judged = pops.filter((pop) => fits(pop, at)).map((pop) => judgedOnce(pop, serving?.get(pop.name), services));
  judged.sort((a, b) => b.worst.weight - a.worst.weight || (a.pop.name < b.pop.name ? -1 : 1));
  const announced = new Map(services.map((name) => [name, { on: 0, of: 0 }]));
  for (const each of judged) {
    for (const [name, cell] of each.cells) {
      const count = announced.get(name)!;
      count.of++;
      if (cell.tone === "good" || cell.tone === "warn") count.on++;
    }
  }
  return { pops: judged, services, announced };
}

interface Judgement {
  standing: PoPStanding | undefined;
  /** Services that were judged, as one text -> what it came to. */
  judged: Map<string, PoPJudged>;
}

/** Judgements of PoPs as they were read: of a thousand PoPs with fifty services few change between two looks. */
const judgements = new WeakMap<PoP, Judgement>();

function judgedOnce(pop: PoP, standing: PoPStanding | undefined, services: string[]): PoPJudged {
  const known = judgements.get(pop);
  const key = services.join(" ");
  const held = known !== undefined && known.standing === standing ? known : { standing, judged: new Map<string, PoPJudged>() };
  const judged = held.judged.get(key) ?? judgePoP(pop, standing, services);
  held.judged.set(key, judged);
  judgements.set(pop, held);
  return judged;
}

export function fits(pop: PoP, at: Filters): boolean {
  return (
    (!at.region || pop.region === at.region) &&
    (!at.pop || pop.name.includes(at.pop) || (pop.city ?? "").toLowerCase().includes(at.pop.toLowerCase())) &&
    (!at.service || pop.services.includes(at.service))
  );
}

export interface Range {
  from: number;
  to: number;
}

/** Gives the window of time that is looked at, once. */
export function windowNow(): Range {
  return windowOf(address.value, address.value.until ?? serverNow());
}

function windowOf(at: Address, to: number): Range {
  return { from: at.from ?? to - WINDOWS[at.window] * 1000, to };
}

/** Gives the window of time that is looked at, and the marked part of it. */
export function useRange(): { window: Range; marked: Range } {
  const at = useSource(address);
  const window = windowOf(at, useNow());
  return { window, marked: at.brush ? { from: at.brush[0], to: at.brush[1] } : window };
}

/** Gives all events that the page holds, the oldest first; null while they are not known. */
export function useKnownEvents(): LogEvent[] | null {
  const events = useSource(world.events).value;
  const older = useSource(world.older);
  return useMemo(() => {
    const first = events?.[0]?.sequence ?? Infinity;
    return events && [...older.filter((event) => event.sequence < first), ...events];
  }, [events, older]);
}

/** Gives the events within filters and marked time, the newest first; null while they are not known. */
export function useEvents(kept: (event: LogEvent) => boolean = () => true, range?: Range): LogEvent[] | null {
  const at = useSource(address);
  const { marked } = useRange();
  const { from, to } = range ?? marked;
  const pops = useSource(world.pops).value;
  const events = useKnownEvents();
  if (events === null) return null;
  const named = new Map((pops ?? []).map((pop) => [pop.name, pop]));
  return events
    .filter((event) => event.at >= from && event.at <= to + 5000 && concerns(event, at, named) && kept(event))
    .sort((a, b) => b.at - a.at || b.sequence - a.sequence);
}

function concerns(event: LogEvent, at: Address, pops: Map<string, PoP>): boolean {
  const service = serviceOf(event);
  if (at.service && service && service !== at.service) return false;
  const pop = pops.get(event.pop);
  return pop === undefined || fits({ ...pop, services: at.service ? [at.service] : pop.services }, at);
}
