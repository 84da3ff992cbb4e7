// Who reached which PoP at a moment, and what that makes of shares.

import type { Turn, Vantage } from "../api/shapes";

export interface Landed {
  vantage: Vantage;
  /** null where nothing had been measured yet */
  before: Turn | null;
  now: Turn | null;
  moved: boolean;
  /** null where it is not foretold, or not measured */
  asForetold: boolean | null;
}

/** Gives the turn that holds at a moment: silence changes nobody's catchment. */
export function turnAt(vantage: Vantage, at: number): Turn | null {
  return vantage.turns.findLast((turn) => Date.parse(turn.first) <= at) ?? null;
}

/** Compares two moments; where nothing was measured by the first, what was measured first after it counts. */
export function landed(vantage: Vantage, before: number, at: number): Landed {
  const now = turnAt(vantage, at);
  const old = turnAt(vantage, before) ?? (now === null ? null : vantage.turns[0] ?? null);
  return {
    vantage, before: old, now, moved: old !== null && now !== null && old.pop !== now.pop,
    asForetold: vantage.predicted === null || now === null ? null : vantage.predicted === now.pop,
  };
}

export interface PoPShare {
  pop: string;
  before: number;
  now: number;
  predicted: number;
  gained: number;
  lost: number;
  rtt_ms: number | null;
}

/** Gives the vantage points of each PoP, the largest first; the names of `pops` are there even with none. */
export function sharesOf(all: Landed[], pops: string[]): PoPShare[] {
  const found = new Map(pops.map((pop) => [pop, emptyShare(pop)]));
  const rtts = new Map<string, number[]>();
  const of = (pop: string): PoPShare => {
    const known = found.get(pop) ?? emptyShare(pop);
    found.set(pop, known);
    return known;
  };
  for (const { vantage, before, now, moved } of all) {
    if (before) of(before.pop).before++;
    if (before && moved) of(before.pop).lost++;
    if (vantage.predicted !== null) of(vantage.predicted).predicted++;
    if (now === null) continue;
    const share = of(now.pop);
    share.now++;
    if (moved) share.gained++;
    if (now.rtt_ms !== null) (rtts.get(now.pop) ?? rtts.set(now.pop, []).get(now.pop)!).push(now.rtt_ms);
  }
  for (const [pop, values] of rtts) of(pop).rtt_ms = middle(values);
  return [...found.values()].sort((a, b) => b.now - a.now || (a.pop < b.pop ? -1 : 1));
}

const emptyShare = (pop: string): PoPShare => ({ pop, before: 0, now: 0, predicted: 0, gained: 0, lost: 0, rtt_ms: null });

function middle(values: number[]): number | null {
  return values.length === 0 ? null : values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)]!;
}

/** Gives the moments at which somebody moved, within a time. */
export function movesOf(vantages: Vantage[], from: number, to: number): number[] {
  return vantages.flatMap((each) => each.turns.slice(1).map((turn) => Date.parse(turn.first))).filter((at) => at > from && at <= to).sort((a, b) => a - b);
}
