// Budgets and measured values, as they are said.

import type { Budget, Reading } from "../api/shapes";
import type { Tone } from "./standing";

export interface Line {
  name: string;
  points: [number, number | null][];
  /** Milliseconds from one point to the next. */
  step: number;
}

export function lineOf(name: string, told: [string, number | null][]): Line {
  const points = told.map(([at, value]): [number, number | null] => [Date.parse(at), value]);
  const steps = points.slice(1).map(([at], place) => at - points[place]![0]);
  return { name, points, step: steps.length === 0 ? Infinity : Math.min(...steps) };
}

/** Gives the value at a moment: of the last point before it, unless that is more than two steps away. */
export function nearest(line: Line, at: number): number | null {
  const point = line.points.findLast(([moment]) => moment <= at);
  const reach = Math.max(2 * line.step, 30_000);
  return point === undefined || at - point[0] > reach ? null : point[1];
}

/** What tells one series of a chart from another. */
export function nameOf(labels: Record<string, string>): string {
  const { objective, region, scope, pop, of } = labels;
  const where = region ?? pop ?? (scope === "global" ? "everywhere" : scope);
  return [objective, of === "p95" || of === "requests" ? undefined : of, where].filter(Boolean).join(", ") || "all";
}

/** `98.21 %`, `31.4 ms`, `12 packets/s`; of burn `0.4 ×`. */
export function amount(value: number, unit: string): string {
  if (unit === "ratio") return ratio(value);
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${unit === "times" ? "×" : unit}`;
}

/** As many digits as tell it from 0 and from all. */
export function ratio(value: number): string {
  const away = Math.min(Math.abs(value), Math.abs(1 - value));
  const digits = away === 0 ? 0 : away < 0.0001 ? 4 : away < 0.01 ? 3 : away < 0.1 ? 2 : 1;
  return `${(100 * value).toFixed(digits)} %`;
}

/** `between 97.1 % and 99 %`, at 95 %; empty where no interval is known. */
export function interval(reading: Reading): string {
  return reading.low === null || reading.high === null ? "" : `between ${amount(reading.low, reading.unit)} and ${amount(reading.high, reading.unit)} (95 %)`;
}

export const TONES: Record<Budget["state"], { tone: Tone; shape: "full" | "down" | "diamond" | "cross" | "ring" }> = {
  "ok": { tone: "good", shape: "full" },
  "burning": { tone: "bad", shape: "down" },
  "exhausted": { tone: "bad", shape: "cross" },
  "no data": { tone: "none", shape: "ring" },
};
