// All that the pages know, each part with when it was read, or why it could not be.

import type {
  AgentOrder, Fleet, Frozen, Glass, Incident, LogEvent, PoP, PoPStanding, Problem, Rollout, Service, WhoAmI,
} from "../api/shapes";
import { Source } from "./source";

/** A part: what was read last, and what is wrong with reading it now. */
export interface Part<Value> {
  value: Value | null;
  problem: Problem | null;
}

export function part<Value>(): Source<Part<Value>> {
  return new Source<Part<Value>>({ value: null, problem: null });
}

export type Connection = "connecting" | "live" | "lost";

/** Events that are read at the beginning, and those that are held at most: older ones are forgotten. */
export const EVENTS_AT_ONCE = 1000;
export const EVENTS_MAX = 5000;

export const world = {
  /** undefined: not asked yet; null: nobody is logged in */
  me: new Source<WhoAmI | null | undefined>(undefined),
  fleet: part<Fleet>(),
  pops: part<PoP[]>(),
  services: part<Service[]>(),
  serving: part<Map<string, PoPStanding>>(),
  rollouts: part<Rollout[]>(),
  /** The newest first. */
  incidents: part<Incident[]>(),
  orders: part<AgentOrder[]>(),
  freeze: part<Frozen>(),
  glass: part<Glass>(),
  /** The newest last. */
  events: part<LogEvent[]>(),
  /** Events of an earlier time that was looked at, the newest last. */
  older: new Source<LogEvent[]>([]),
  connection: new Source<Connection>("connecting"),
  /** When the controller was heard last, by the browser's steady clock. */
  heardAt: new Source<number>(0),
};
