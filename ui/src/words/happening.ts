// Events as sentences, each with what it means for whoever is on call.

import type { Fields, LogEvent } from "../api/shapes";
import type { Shape, Tone } from "./standing";

export interface Told {
  text: string;
  shape: Shape;
  tone: Tone;
  /** trouble and recovery are the Internet's or a PoP's; a change is somebody's decision */
  class: "trouble" | "recovery" | "change" | "note";
  evidence: string;
  link: string | null;
}

const text = (value: unknown): string => (value === undefined || value === null ? "" : String(value));
const list = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

type Teller = (fields: Fields, event: LogEvent) => Partial<Told> & { text: string };

const trouble = { class: "trouble", shape: "down", tone: "bad" } as const;
const recovery = { class: "recovery", shape: "up", tone: "good" } as const;
const choice = { class: "change", shape: "diamond", tone: "calm" } as const;

function stance(f: Fields): Partial<Told> & { text: string } {
  const because = f.reason ? `: ${text(f.reason)}` : "";
  const evidence = text(f.evidence);
  if (f.stance === "withdraw" && f.reason === "drained") {
    return { ...choice, shape: "square", text: `${text(f.service)} is withdrawn: drained`, evidence };
  }
  if (f.stance === "withdraw") return { ...trouble, text: `${text(f.service)} is withdrawn${because}`, evidence };
  if (f.stance === "steer") {
    return { ...trouble, shape: "half", tone: "warn", text: `${text(f.service)} is steered away${because}`, evidence };
  }
  return { ...recovery, text: `${text(f.service)} is announced${because}`, evidence };
}

function check(f: Fields): Partial<Told> & { text: string } {
  const what = `check ${text(f.check)} of ${text(f.service)}`;
  if (f.verdict === "unhealthy") {
    return { class: "note", shape: "half", tone: "warn", text: `${what} fails`, evidence: text(f.evidence) };
  }
  return { text: `${what} is ${text(f.verdict)}`, evidence: text(f.evidence) };
}

function rollout(f: Fields): Partial<Told> & { text: string } {
  const paused = f.paused ? ", paused" : "";
  const at = f.steps ? `, step ${text(f.step)} of ${text(f.steps)}` : "";
  const back = f.state === "rolling back" || f.state === "rolled back" || f.state === "aborted";
  return {
    ...choice, shape: "diamond", tone: back ? "warn" : "calm",
    text: `rollout ${text(f.rollout)} is ${text(f.state)}${at}${paused}`, evidence: text(f.reason),
    link: `rollouts/${text(f.rollout)}`,
  };
}

function gate(f: Fields): Partial<Told> & { text: string } {
  const fails = f.verdict === "fail";
  return {
    class: fails ? "trouble" : "note", shape: fails ? "cross" : f.verdict === "pass" ? "full" : "dashed",
    tone: fails ? "bad" : f.verdict === "pass" ? "good" : "warn",
    text: `gate ${text(f.gate)} says ${text(f.verdict)} at step ${text(f.step)} of rollout ${text(f.rollout)}`,
    evidence: list(f.evidence).join("; "), link: `rollouts/${text(f.rollout)}`,
  };
}

const TELLS: Record<string, Teller> = {
  agent_started: (f) => ({ text: `the agent began${f.recovered ? " and found its earlier state" : ""}`, evidence: text(f.version) }),
  agent_stopped: (f) => ({ ...trouble, class: "note", shape: "ring", tone: "warn", text: `the agent stopped: ${text(f.reason)}` }),
  check_changed: check,
  stance_changed: stance,
  announcements_found: (f) => ({ text: `the router announced ${list(f.announced).length} routes at the start` }),
  announcements_applied: (f) => ({
    text: `the router was told: ${list(f.announced).length} announced, ${list(f.changed).length} changed, ${list(f.withdrawn).length} withdrawn`,
    evidence: [...list(f.announced).map((each) => `+ ${each}`), ...list(f.changed).map((each) => `~ ${each}`),
      ...list(f.withdrawn).map((each) => `- ${each}`)].join("; "),
  }),
  announcements_confirmed: (f) => ({ text: `the router exports the ${text(f.routes)} routes that are wanted` }),
  router_diverged: (f) => ({
    ...trouble, shape: "cross", text: `the router exports something else: ${text(f.problem)}`,
    evidence: [...list(f.missing).map((each) => `missing ${each}`), ...list(f.unexpected).map((each) => `unexpected ${each}`)].join("; "),
  }),
  withdrawal_refused: (f) => ({
    ...trouble, shape: "cross", text: `${text(f.service)} is to be withdrawn and no permit allows it: it goes on being announced`,
    evidence: text(f.reason),
  }),
  permit_changed: (f) => ({ text: `permit of ${text(f.service)}: ${text(f.change)}`, evidence: `epoch ${text(f.epoch)}` }),
  drain_changed: (f) => ({
    ...choice, shape: "square", text: `drain of ${text(f.scope)}: ${text(f.step)}`, evidence: `${text(f.owner)}: ${text(f.reason)}`,
  }),
  assignment_taken: (f) => ({ text: `the agent took assignment ${text(f.digest).slice(0, 8)}`, evidence: list(f.services).join(", ") }),
  assignment_refused: (f) => ({ ...trouble, shape: "cross", text: "the agent refuses what is desired of it", evidence: text(f.reason) }),
  lease_lapsed: (f) => ({ ...trouble, text: `the watchdog acted for ${text(f.service)}: ${text(f.action)}`, evidence: `silent for ${text(f.silent_s)} s` }),
  session_changed: (f) => {
    const down = f.state !== "established";
    return {
      ...(down ? { ...trouble, shape: "half", tone: "warn" } : recovery),
      text: `the session with ${text(f.upstream)} is ${text(f.state)}`, evidence: text(f.reason),
    } as Partial<Told> & { text: string };
  },
  controller_met: (f) => ({ text: `the agent met the controller at ${text(f.address)}`, evidence: `term ${text(f.term)}` }),
  controller_lost: (f) => ({ ...trouble, class: "note", shape: "dashed", tone: "warn", text: "the agent lost the controller, and went on alone", evidence: text(f.reason) }),
  operator_commanded: (f) => ({
    ...choice, text: `${text(f.owner)} ordered ${text(f.command)}${f.granted ? "" : ", which was refused"}`, evidence: text(f.reason),
  }),
  alarm: (f) => ({ ...trouble, tone: "warn", text: `${text(f.code)}: ${text(f.text)}`, evidence: text(f.subject) }),
  finding_opened: (f) => finding(f, `${text(f.finding_kind)}: ${text(f.subject)}`),
  finding_updated: (f) => ({ ...finding(f, `${text(f.finding_kind)} goes on: ${text(f.subject)}`), class: "note" }),
  finding_cleared: (f) => ({ ...recovery, text: `${text(f.finding_kind)} is over: ${text(f.subject)}`, evidence: list(f.reasons).join("; ") }),
  rollout_changed: rollout,
  gate_judged: gate,
  approval_given: (f) => ({ ...choice, text: `${text(f.who)} approved ${text(f.subject)}`, evidence: text(f.reason) }),
  incident_changed: incident,
  notice_sent: (f) => ({ text: `${text(f.notifier)} was told of incident ${text(f.incident)}: ${text(f.notice_kind)}`, link: `incidents/${text(f.incident)}` }),
  notice_dead: (f) => ({
    ...trouble, shape: "cross", text: `${text(f.notifier)} was never told of incident ${text(f.incident)}`, evidence: text(f.why),
    link: `incidents/${text(f.incident)}`,
  }),
  runbook_stepped: (f) => ({
    ...choice, text: `runbook ${text(f.runbook)}${f.step ? `, ${text(f.title)}` : ""}: ${text(f.state)}`,
    evidence: text(f.who),
  }),
  freeze_changed: (f) => ({ ...choice, shape: "bar", text: f.frozen ? `${text(f.who)} froze the controller` : `${text(f.who)} ended the freeze`, evidence: text(f.reason) }),
};

function incident(f: Fields): Partial<Told> & { text: string } {
  const said = `incident ${text(f.incident)} ${text(f.change)}: ${text(f.title)}`;
  const more = { text: said, evidence: text(f.text), link: `incidents/${text(f.incident)}` };
  if (f.change === "note") return { ...more, text: `${text(f.who)} on incident ${text(f.incident)}: ${text(f.text)}` };
  if (f.change === "cleared") return { ...recovery, ...more };
  if (f.change === "acknowledged") return { ...choice, ...more, text: `${text(f.who)} looks at incident ${text(f.incident)}: ${text(f.title)}` };
  return { ...trouble, shape: "cross", tone: f.urgency === "page" ? "bad" : "warn", ...more };
}

function finding(f: Fields, said: string): Partial<Told> & { text: string } {
  return {
    ...trouble, shape: "cross", text: said, link: "incidents",
    evidence: [...list(f.prefixes), `seen by ${text(f.peers)} peers`, ...list(f.reasons)].join("; "),
  };
}

/** Tells an event. */
export function tell(event: LogEvent): Told {
  const teller = TELLS[event.kind];
  const said = teller?.(event.fields, event) ?? { text: event.kind.replaceAll("_", " ") };
  return { shape: "ring", tone: "none", class: "note", evidence: "", link: null, ...said };
}

/** Gives the service that an event is about, if it says one. */
export function serviceOf(event: LogEvent): string {
  return text(event.fields.service);
}

/** Leaves of each rollout, drain and order only where it came to: `events` has the newest first. */
export function condensed(events: LogEvent[]): LogEvent[] {
  const seen = new Set<string>();
  return events.filter((event) => {
    const key = keyOf(event);
    if (key === null) return true;
    const known = seen.has(key);
    seen.add(key);
    return !known;
  });
}

function keyOf(event: LogEvent): string | null {
  const f = event.fields;
  if (event.kind === "rollout_changed") return `rollout ${text(f.rollout)}`;
  if (event.kind === "drain_changed") return `drain ${event.pop} ${text(f.owner)} ${text(f.reason)}`;
  if (event.kind === "operator_commanded") return `order ${text(f.owner)} ${text(f.reason)} ${text(f.command).split(" ")[0]}`;
  if (event.kind === "stance_changed") return `stance ${event.pop} ${text(f.service)}`;
  return null;
}

/** Tells whether an event is a decision, or ends a trouble: what is well from its beginning ends none. */
export function isChange(event: LogEvent, known: LogEvent[]): boolean {
  const told = tell(event).class;
  if (event.kind === "stance_changed" && event.fields.stance !== "announce") return false; // it is a withdrawal
  if (event.kind !== "stance_changed" && event.kind !== "session_changed") return told === "change" || told === "recovery";
  const subject = (other: LogEvent): string => `${other.kind} ${other.pop} ${text(other.fields.service)} ${text(other.fields.upstream)}`;
  return told === "recovery" && known.some((other) =>
    other.sequence < event.sequence && subject(other) === subject(event) && tell(other).class !== "recovery");
}

/** Adds to a withdrawal by a drain whose drain it was. */
export function withWho(event: LogEvent, known: LogEvent[]): LogEvent {
  if (event.kind !== "stance_changed" || event.fields.evidence) return event;
  const drain = known.findLast((other) =>
    other.kind === "drain_changed" && other.pop === event.pop && other.at <= event.at + 1000 && other.fields.scope === event.fields.service);
  if (event.fields.reason !== "drained" || drain === undefined) return event;
  return { ...event, fields: { ...event.fields, evidence: `${text(drain.fields.owner)}: ${text(drain.fields.reason)}` } };
}
