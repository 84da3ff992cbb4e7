// What a service's standing at a PoP comes to: one word, one shape, and how much it matters. The worst comes first.

import type { PoP, PoPStanding, ServiceStanding } from "../api/shapes";

export type Shape = "full" | "half" | "ring" | "down" | "square" | "cross" | "dashed" | "diamond" | "bar" | "up";
export type Tone = "good" | "warn" | "bad" | "calm" | "none";

export interface Judged {
  /** 0 is well; more is worse. */
  weight: number;
  word: string;
  shape: Shape;
  tone: Tone;
  why: string;
  /** The page of the documentation that says what to do. */
  runbook: string;
}

const HEALTH = "how-to/health-checks";
const DRAIN = "how-to/drain";
const BIRD = "how-to/bird";
const PERMITS = "design/permits";
const LINK = "how-to/controller";

function judged(weight: number, word: string, shape: Shape, tone: Tone, why: string, runbook: string): Judged {
  return { weight, word, shape, tone, why, runbook };
}

/** Judges a service at a PoP; `standing` is undefined where nothing is known. */
export function judge(pop: PoP, standing: ServiceStanding | undefined): Judged {
  if (pop.connected === false) {
    return judged(70, "no contact", "dashed", "bad", "its agent has no session; it goes on by itself", LINK);
  }
  if (standing === undefined) return judged(40, "no data", "dashed", "none", "nothing was said of it yet", LINK);
  const failing = standing.failing.filter((check) => check.verdict === "unhealthy");
  const evidence = failing.map((check) => `${check.name}: ${check.evidence}`).join("; ");
  if (standing.drain !== null && standing.drain.step !== "normal") {
    const { owner, reason } = standing.drain;
    return judged(30, "drained", "square", "calm", `${owner}: ${reason}`, DRAIN);
  }
  if (standing.stance === "withdraw") {
    return standing.routes_exported > 0
      ? judged(90, "not withdrawn yet", "cross", "bad", standing.reason, PERMITS)
      : judged(80, "withdrawn", "down", "bad", evidence || standing.reason, HEALTH);
  }
  if (standing.condition === "down") {
    return judged(100, "down, announced", "cross", "bad", `${standing.reason}${evidence && `; ${evidence}`}`, PERMITS);
  }
  if (standing.routes_exported < standing.routes_wanted) {
    const routes = `${standing.routes_exported} of ${standing.routes_wanted} routes are at the router`;
    return judged(60, "routes missing", "half", "warn", routes, BIRD);
  }
  if (standing.stance === "steer") return judged(50, "steered away", "half", "warn", evidence || standing.reason, HEALTH);
  if (failing.length > 0) return judged(45, "degraded", "half", "warn", evidence, HEALTH);
  if (standing.condition === "pending") return judged(20, "checking", "ring", "calm", "checks have not answered yet", HEALTH);
  return judged(0, "announced", "full", "good", "", HEALTH);
}

export interface PoPJudged {
  pop: PoP;
  standing: PoPStanding | undefined;
  cells: Map<string, Judged>;
  worst: Judged;
}

/** Judges a PoP by its worst service; sessions that are down and an agent's own problems count too. */
export function judgePoP(pop: PoP, standing: PoPStanding | undefined, services: string[]): PoPJudged {
  const of = new Map(standing?.services.map((each) => [each.name, each]));
  const cells = new Map(
    services.filter((name) => pop.services.includes(name)).map((name) => [name, judge(pop, of.get(name))]),
  );
  const all = [...cells.values(), ...own(pop, standing)];
  const worst = all.reduce((a, b) => (b.weight > a.weight ? b : a), judged(0, "serves", "full", "good", "", HEALTH));
  return { pop, standing, cells, worst };
}

function own(pop: PoP, standing: PoPStanding | undefined): Judged[] {
  const found: Judged[] = [];
  if (pop.refused) found.push(judged(65, "refuses", "cross", "bad", `it refuses what is desired: ${pop.refused}`, LINK));
  if (pop.unsettled) found.push(judged(35, "settling", "ring", "warn", pop.unsettled, BIRD));
  if (pop.connected === false) found.push(judge(pop, undefined));
  const up = standing?.sessions_up ?? 0;
  const sessions = standing?.sessions ?? 0;
  if (up < sessions) found.push(judged(42, "session down", "half", "warn", `${up} of ${sessions} BGP sessions are up`, BIRD));
  return found;
}
