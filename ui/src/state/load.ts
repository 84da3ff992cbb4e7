// Reads the parts of the world, and reads anew what an event says has changed.

import { read, readAll, Refused } from "../api/ask";
import { eventOf, Stream, type StoredEvent } from "../api/stream";
import type {
  AgentOrder, Fleet, Frozen, Glass, LogEvent, Page, PoP, PoPStanding, Problem, Rollout, Incident, Service, WhoAmI,
} from "../api/shapes";
import type { Source } from "./source";
import { standingOf, type BriefServing } from "./brief";
import { EVENTS_AT_ONCE, EVENTS_MAX, world, type Part } from "./world";

type Name = "incidents" | "fleet" | "pops" | "services" | "rollouts" | "orders" | "freeze" | "glass";

const READS: Record<Name, () => Promise<void>> = {
  fleet: () => into(world.fleet, async () => (await read<Fleet>("/fleet")).value),
  pops: () => into(world.pops, async () => unchangedKept(await readAll<PoP>("/pops", 1000))),
  services: () => into(world.services, () => readAll<Service>("/services", 1000)),
  rollouts: () => into(world.rollouts, async () => (await read<Page<Rollout>>("/rollouts?limit=100")).value.items),
  incidents: () => into(world.incidents, async () => (await read<Page<Incident>>("/incidents?limit=200")).value.items),
  orders: () => into(world.orders, async () => (await read<Page<AgentOrder>>("/orders?limit=100")).value.items),
  freeze: () => into(world.freeze, async () => (await read<Frozen>("/freeze")).value),
  glass: () => into(world.glass, async () => (await read<Glass>("/break-glass")).value),
};

/** Kinds of events -> what they change beside their own PoP's standing. */
const CHANGES: Record<string, Name[]> = {
  rollout_changed: ["rollouts", "fleet", "services", "pops"],
  gate_judged: ["rollouts"],
  approval_given: ["rollouts", "glass"],
  freeze_changed: ["freeze", "fleet"],
  assignment_taken: ["pops", "rollouts"],
  assignment_refused: ["pops"],
  operator_commanded: ["orders"],
  controller_met: ["pops"],
  incident_changed: ["incidents"],
};

/** What no event tells of, such as an agent that is gone, is asked for again this often. */
const AGAIN_MS = 5000;
/** Everything is looked at anew this often, should an event have said too little. */
const ALL_AGAIN_MS = 60_000;
/** Events that come together are answered together. */
const TOGETHER_MS = 250;
const POPS_AT_ONCE = 100;
/** The first of them is answered this soon. */
const FIRST_MS = 20;

let stream: Stream | null = null;
const wanted = new Set<Name>();
const wantedPops = new Set<string>();
let waiting = false;
let answeredAt = -TOGETHER_MS;

/** Finds out who looks, reads everything, and follows the log. */
export async function begin(): Promise<void> {
  try {
    world.me.set((await read<WhoAmI>("/whoami")).value);
  } catch (error) {
    if (isProblem(error, 401)) return end();
    world.connection.set("lost");
    setTimeout(() => void begin(), AGAIN_MS);
    return;
  }
  await readEverything();
}

/** Shows the login: nobody is known any more. */
export function end(): void {
  stream?.stop();
  stream = null;
  world.me.set(null);
}

async function readEverything(): Promise<void> {
  await into(world.events, readEvents);
  const last = world.events.value.value?.at(-1)?.sequence ?? 0;
  stream?.stop();
  stream = new Stream(last, { heard, events: take, lost, restored: () => void readEverything(), refused: end });
  await Promise.all([...Object.values(READS).map((each) => each()), readServing()]);
}

async function readEvents(): Promise<LogEvent[]> {
  const page = await read<Page<StoredEvent>>(`/events?newest=true&limit=${EVENTS_AT_ONCE}`);
  return page.value.items.map(eventOf);
}

/** Reads the events of an earlier time than those that are held, the first that fit in. */
export async function readOlder(from: number, to: number): Promise<void> {
  const held = world.events.value.value;
  const first = held?.[0];
  if (first === undefined || held!.length < EVENTS_AT_ONCE || first.at <= from) return;
  const since = encodeURIComponent(new Date(from).toISOString());
  const found: LogEvent[] = [];
  let cursor = 0;
  try {
    while (found.length < EVENTS_MAX) {
      const page = (await read<Page<StoredEvent>>(`/events?since=${since}&limit=${EVENTS_AT_ONCE}&cursor=${cursor}`)).value;
      const events = page.items.map(eventOf);
      found.push(...events.filter((event) => event.sequence < first.sequence));
      const last = events.at(-1);
      if (events.length < EVENTS_AT_ONCE || last === undefined || last.sequence >= first.sequence || last.at > to) break;
      cursor = last.sequence;
    }
  } catch (error) {
    if (!(error instanceof Refused)) throw error; // the notice goes on saying from when on events are shown
    return;
  }
  world.older.set(found);
}

function heard(): void {
  world.heardAt.set(performance.now());
  if (world.connection.value === "lost") for (const name of Object.keys(READS) as Name[]) want(name);
  world.connection.set("live");
}

function lost(): void {
  world.connection.set("lost");
}

function take(found: LogEvent[]): void {
  const known = world.events.value.value ?? [];
  const last = known.at(-1)?.sequence ?? 0;
  const fresh = found.filter((event) => event.sequence > last);
  world.events.set({ value: [...known, ...fresh].slice(-EVENTS_MAX), problem: null });
  for (const event of fresh) {
    for (const name of CHANGES[event.kind] ?? []) want(name);
    wantedPops.add(event.pop);
  }
  soon();
}

function want(name: Name): void {
  wanted.add(name);
  soon();
}

function soon(): void {
  if (waiting) return;
  waiting = true;
  const since = performance.now() - answeredAt;
  setTimeout(() => {
    waiting = false;
    answeredAt = performance.now();
    const names = [...wanted];
    const pops = [...wantedPops];
    wanted.clear();
    wantedPops.clear();
    for (const name of names) void READS[name]();
    if (pops.length > 0) void readServing(pops.length > POPS_AT_ONCE ? undefined : pops);
  }, Math.max(FIRST_MS, TOGETHER_MS - since));
}

/** Reads anew what an order of ours changed, without waiting for its event. */
export async function readAfterOrder(): Promise<void> {
  await Promise.all([READS.rollouts(), READS.incidents(), READS.orders(), READS.freeze(), READS.fleet()]);
}

/** Gives PoPs of which those that say the same as before are the same objects: what was made of them still holds. */
function unchangedKept(pops: PoP[]): PoP[] {
  const known = new Map((world.pops.value.value ?? []).map((pop) => [pop.name, pop]));
  const kept = pops.map((pop) => {
    const before = known.get(pop.name);
    return before !== undefined && JSON.stringify(before) === JSON.stringify(pop) ? before : pop;
  });
  return kept.length === known.size && kept.every((pop) => known.get(pop.name) === pop) ? world.pops.value.value! : kept;
}

/** Reads how services stand, at some PoPs or at all. */
async function readServing(pops?: string[]): Promise<void> {
  await into(world.serving, async () => {
    const query = (pops ?? []).map((pop) => `&pop=${encodeURIComponent(pop)}`).join("");
    const known = world.serving.value.value ?? new Map<string, PoPStanding>();
    const asked = new Set(pops ?? []);
    const found = new Map(pops === undefined ? [] : [...known].filter(([name]) => !asked.has(name)));
    let cursor: string | null = null;
    do {
      const more: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const page: BriefServing = (await read<BriefServing>(`/serving?brief=true&limit=1000${query}${more}`)).value;
      for (const each of page.items) found.set(each.pop, standingOf(page.names, each, known.get(each.pop)));
      cursor = page.next;
    } while (cursor !== null);
    return found;
  });
}

async function into<Value>(source: Source<Part<Value>>, get: () => Promise<Value>): Promise<void> {
  try {
    const value = await get();
    if (value !== source.value.value || source.value.problem !== null) source.set({ value, problem: null });
  } catch (error) {
    if (isProblem(error, 401)) return end();
    if (!(error instanceof Refused)) throw error;
    source.set({ value: source.value.value, problem: error.problem });
  }
}

export function isProblem(error: unknown, status: number): boolean {
  return error instanceof Refused && error.problem.status === status;
}

/** Gives what went wrong, as a problem. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Refused) return error.problem;
  return { type: "page", title: "The page has an error", status: 0, detail: String(error), next: "Load it anew." };
}

/** Reads PoPs anew, and how services stand where an agent came or went: no event tells of an agent that is gone. */
async function readSessions(): Promise<void> {
  const before = new Map((world.pops.value.value ?? []).map((pop) => [pop.name, pop.since]));
  await READS.pops();
  const changed = (world.pops.value.value ?? []).filter((pop) => before.get(pop.name) !== pop.since);
  if (changed.length > 0) await readServing(changed.length > POPS_AT_ONCE ? undefined : changed.map((pop) => pop.name));
}

setInterval(() => {
  if (world.connection.value !== "live") return;
  void readSessions();
  void READS.fleet();
  void READS.freeze();
  void READS.glass();
}, AGAIN_MS);
setInterval(() => {
  if (world.connection.value === "live") void readServing();
}, ALL_AGAIN_MS);
