// What the API answers, as docs/reference/api.md and /openapi.json have it. Times are RFC 3339.

export type Role = "viewer" | "operator" | "approver" | "admin" | "prober" | "watch";

export interface WhoAmI {
  name: string;
  principal: string;
  role: Role;
  /** null stands for all */
  services: string[] | null;
}

export interface Fleet {
  revision: string | null;
  exceptions: number;
  leader: string | null;
  term: number | null;
  services: string[];
  frozen: boolean;
  leads: boolean;
  mitigations: string[];
}

export interface PoP {
  name: string;
  city: string | null;
  region: string | null;
  latitude: number | null;
  longitude: number | null;
  services: string[];
  /** null where another controller leads: it has the sessions */
  connected: boolean | null;
  since: string | null;
  version: string | null;
  assignment: string | null;
  refused: string | null;
  unsettled: string | null;
}

export interface Objective {
  name: string;
  indicator: string;
  target: number;
  threshold_ms: number | null;
  window: string;
  by_region: boolean;
}

export interface Service {
  name: string;
  prefixes: string[];
  pops: string[];
  floor_pops: number;
  floor_capacity: number;
  objectives: Objective[];
}

export interface FailingCheck {
  name: string;
  verdict: "pending" | "unhealthy";
  evidence: string;
}

export interface Drain {
  step: string;
  owner: string;
  reason: string;
  expires: number | null;
}

export interface ServiceStanding {
  name: string;
  stance: "announce" | "steer" | "withdraw";
  reason: string;
  condition: string;
  permit: string;
  suppressed: boolean;
  drain: Drain | null;
  checks: number;
  failing: FailingCheck[];
  routes_wanted: number;
  routes_exported: number;
}

export interface PoPStanding {
  pop: string;
  capacity: number | null;
  problems: string[];
  sessions: number | null;
  sessions_up: number | null;
  services: ServiceStanding[];
}

export interface Session {
  upstream: string;
  neighbour: string;
  state: "established" | "connecting" | "down";
  families: string[];
  detail: string;
}

export interface Route {
  prefix: string;
  upstream: string;
  prepend?: number;
  med?: number;
}

export interface Check {
  name: string;
  verdict: string;
  evidence: string;
  severity: string;
}

/** `anycastle agent status -o json`, as far as pages read it. */
export interface Report {
  version: string;
  region: string;
  problems: string[];
  sessions: Session[];
  wanted: Route[];
  exported: Route[];
  services: (ServiceStanding & { prefixes: string[]; checks: Check[] })[];
}

export interface PoPReport {
  pop: string;
  at: string;
  report: Report;
}

export type RolloutState =
  | "waiting"
  | "applying"
  | "baking"
  | "rolling back"
  | "finished"
  | "rolled back"
  | "aborted";

export interface Step {
  number: number;
  units: number;
  pops: string[];
}

export interface Rollout {
  number: number;
  revision: string;
  before: string[];
  who: string;
  reason: string;
  approved_by: string | null;
  state: RolloutState;
  step: number;
  since: string;
  paused_by: string | null;
  why: string;
  waits_for: string;
  marks: string[];
  steps: Step[];
  prefixes: string[];
  mitigations: string[];
  policy: { bake_s: number; patience_s: number; gates: string[] };
}

export interface Frozen {
  frozen: boolean;
  who: string | null;
  reason: string | null;
  since: string | null;
}

export interface Glass {
  asked: boolean;
  who: string | null;
  reason: string | null;
  approved_by: string | null;
  until: string | null;
}

export interface AgentOrder {
  number: number;
  pop: string;
  kind: "drain" | "undrain";
  services: string[];
  who: string;
  reason: string;
  expires: string | null;
  /** empty where it obeyed; null until it has answered */
  answer: string | null;
}

/** What an event tells. Its kinds and their fields: docs/reference/events.md. */
export type Fields = Record<string, unknown>;

export interface LogEvent {
  sequence: number;
  /** milliseconds since 1970 */
  at: number;
  pop: string;
  kind: string;
  fields: Fields;
}

export interface AuditRow {
  number: number;
  at: string;
  who: string;
  address: string;
  action: string;
  subject: string;
  result: string;
}

/** RFC 9457, with what to do next. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  next: string;
  leader?: string | null;
}

export interface Page<Item> {
  items: Item[];
  next: string | number | null;
}

export interface Incident {
  id: number;
  title: string;
  kind: string;
  status: "open" | "acknowledged" | "cleared";
  urgency: "page" | "ticket";
  severity: "critical" | "major" | "minor";
  opened: string;
  cleared: string | null;
  acknowledged_by: string | null;
  flapping: boolean;
  pops: string[];
  services: string[];
  prefixes: string[];
  regions: string[];
  alerts: number;
}

export interface TimelineLine {
  at: string;
  lane: string;
  text: string;
  /** `controller:N` is event N of the log */
  where: string;
}

export interface Cause {
  number: number;
  name: string;
  state: "likely" | "possible";
  /** how much of what it predicts is seen, 0 to 1 */
  weight: number;
  symptom: string;
  cause: string;
  evidence: string[];
  against: string[];
  missing: string[];
  confirm: string;
  refute: string;
  fix: string;
  runbook: string | null;
}

export interface WholeIncident extends Incident {
  timeline: TimelineLine[];
  timeline_beyond: number;
  causes: Cause[];
  not_given: string[];
  runbook: { name: string; title: string; playbook: string; command: string };
  deliveries: { key: string; state: string; notifier: string; attempts: number; why: string }[];
}

/** One PoP answered, from a first time to a last. */
export interface Turn {
  pop: string;
  first: string;
  last: string;
  rtt_ms: number | null;
}

export interface Vantage {
  vantage_point: string;
  target: string;
  service: string | null;
  asn: number | null;
  country: string;
  latitude: number | null;
  longitude: number | null;
  /** where the twin says that its AS lands */
  predicted: string | null;
  lost: number;
  /** the oldest first */
  turns: Turn[];
}

export interface CatchmentsTold {
  items: Vantage[];
  predictions: { service: string; at: string; who: string; source: string; networks: number }[];
}

/** The routers that answered were the same, from a first time to a last. A hop that kept silent is empty. */
export interface Way {
  hops: string[];
  rtts_ms: (number | null)[];
  reached: boolean;
  first: string;
  last: string;
}

export interface Traced {
  vantage_point: string;
  target: string;
  service: string | null;
  asn: number | null;
  ways: Way[];
}

export interface WatchFinding {
  finding: string;
  /** Which watch on another machine told it; empty for one on the controller's own. */
  watch: string;
  kind: string;
  subject: string;
  opened: string;
  cleared: string | null;
  severity: string;
  prefixes: string[];
  reasons: string[];
  score: number;
  peers: number;
  asns: number;
  collectors: number;
  validity: string;
  evidence: string[];
  routes: { at: string; prefix: string; peer: string; path: number[] }[];
}

export interface FindingsTold {
  watched: boolean;
  watches: { name: string; heard: string; silent: boolean; sequence: number; beyond: number }[];
  items: WatchFinding[];
}

/** A peer's route became another; without a path it is gone. */
export interface RouteChange {
  at: string;
  source: string;
  path: number[] | null;
}

export interface RoutesTold {
  prefix: string;
  from: string | null;
  to: string | null;
  sources: { id: string; asn: number; collector: string }[];
  origins: { asn: number; first: string }[];
  changes: RouteChange[];
}

/** A figure over the ways in which ties may fall. */
export interface Spread {
  mean: number;
  p5: number;
  p50: number;
  p95: number;
}

export interface PoPShifted {
  name: string;
  city: string;
  now: Spread;
  announces: boolean;
  after: Spread;
  change: Spread;
  capacity: number | null;
  load_now: Spread | null;
  load: Spread | null;
  headroom: number | null;
  overload_chance: number;
}

export interface RouteTold {
  prepend: number;
  communities: string[];
}

export interface RouteTried {
  pop: string;
  upstream: string;
  asn: number;
  now: RouteTold | null;
  after: RouteTold | null;
}

/** What a change would move: `anycastle twin predict -o json`, as far as pages read it. Shares are 0 to 1. */
export interface Shift {
  service: string;
  prefix: string;
  graph: { name: string; date: string };
  members: number;
  pops: PoPShifted[];
  no_route: { now: Spread; after: Spread };
  moved: Spread;
  moved_though_kept: Spread;
  ases_moved: Spread;
  ases_moved_though_kept: Spread;
  doubt: number;
  provenance: Record<string, number>;
  offered_load: number | null;
  remarks: { kind: string; subject: string; text: string }[];
  routes: RouteTried[];
  unheard: string[];
}

export interface UpstreamBrief {
  asn: number;
  names: string[];
  kinds: string[];
  pops: number;
  heard: number;
  sessions: number;
  sessions_up: number;
  routes_missing: number;
}

export interface UpstreamAttributes {
  prepend: number;
  med: number | null;
  communities: string[];
}

export interface UpstreamRoute {
  prefix: string;
  service: string | null;
  wanted: UpstreamAttributes | null;
  exported: UpstreamAttributes | null;
}

export interface UpstreamPlace {
  pop: string;
  city: string;
  upstream: string;
  asn: number;
  kind: string;
  heard: boolean;
  hold_time_s: number;
  bfd: boolean;
  max_prefixes: number | null;
  takes_prefixes: number | null;
  sessions: { neighbour: string; state: string; families: string[]; detail: string }[];
  routes: UpstreamRoute[];
}

export interface UpstreamTold {
  asns: number[];
  names: string[];
  places: UpstreamPlace[];
}

/** A budget of an objective as a whole, or in one region. */
export interface Budget {
  service: string;
  objective: string;
  region: string | null;
  indicator: string;
  definition: string;
  source: string;
  excludes: string[];
  target: number;
  window: string;
  state: "ok" | "burning" | "exhausted" | "no data";
  left: number | null;
  burn: Record<string, number>;
  words: string;
  alerts: string[];
}

/** An indicator over the last hour, of all services. */
export interface Reading {
  indicator: string;
  name: string;
  scope: string;
  of: string;
  unit: string;
  value: number | null;
  low: number | null;
  high: number | null;
  count: number;
  counts: string;
  definition: string;
  source: string;
  excludes: string[];
}

export interface BudgetsTold {
  asked: boolean;
  every_s: number | null;
  at: string | null;
  trouble: string | null;
  budgets: Budget[];
  readings: Reading[];
  traffic: { unit: string; offered: number; scrubbed: number }[];
}

export interface ChartTold {
  name: string;
  unit: string;
  how: string;
  asked: boolean;
  items: { labels: Record<string, string>; points: [string, number | null][] }[];
}
