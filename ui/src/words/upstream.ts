// What is said of an upstream: how it is told a route, since when a session is as it is, who sees a prefix through it.

import type { LogEvent, RoutesTold, UpstreamPlace, UpstreamRoute } from "../api/shapes";

export function wordOf({ wanted, exported }: UpstreamRoute): "as wanted" | "missing" | "not wanted" | "other attributes" {
  if (exported === null) return "missing";
  if (wanted === null) return "not wanted";
  return JSON.stringify(wanted) === JSON.stringify(exported) ? "as wanted" : "other attributes";
}

/** Gives the last change of a session that the page holds. */
export function lastChange(events: LogEvent[], place: UpstreamPlace, neighbour: string): LogEvent | undefined {
  return events.findLast((event) => event.kind === "session_changed" && event.pop === place.pop
    && event.fields.upstream === place.upstream && event.fields.neighbour === neighbour);
}

/** Counts the watch's peers, those that have a path now, and those whose path goes through one of the ASes. */
export function seenThrough(told: RoutesTold, asns: number[]): { peers: number; seeing: number; through: number } {
  const last = new Map<string, number[] | null>();
  for (const each of told.changes) last.set(each.source, each.path);
  const paths = [...last.values()].filter((path): path is number[] => path !== null);
  return { peers: told.sources.length, seeing: paths.length, through: paths.filter((path) => path.some((asn) => asns.includes(asn))).length };
}
