// Paths of a prefix at a moment, as a graph in layers: the origin on the right, whoever told us on the left. The same paths
// always give the same picture.

import type { RouteChange } from "../api/shapes";

/** Peer -> its path at a moment; null where it has none. */
export type Paths = Map<string, number[] | null>;

/** Gives the path of each peer at a moment, prepends left out. */
export function pathsAt(changes: RouteChange[], at: number): Paths {
  const found: Paths = new Map();
  for (const change of changes) {
    if (Date.parse(change.at) <= at) found.set(change.source, change.path && change.path.filter((asn, place, all) => asn !== all[place - 1]));
  }
  return found;
}

export interface Node {
  asn: number;
  /** 0 is the rightmost: an origin. */
  layer: number;
  row: number;
  role: "origin" | "foreign" | "believer" | "carrier";
}

export interface Edge {
  from: number;
  to: number;
  paths: number;
  foreign: boolean;
}

export interface Graph {
  nodes: Node[];
  edges: Edge[];
  layers: number;
  rows: number;
}

/** Gives the graph of paths; `foreign` has the origins that should not be. */
export function graphOf(paths: Paths, foreign: Set<number>): Graph {
  const all = [...paths.values()].filter((path): path is number[] => path !== null && path.length > 0);
  const layer = new Map<number, number>();
  const edges = new Map<string, Edge>();
  const bad = new Set<number>();
  const believers = new Set<number>();
  for (const path of all) {
    const isForeign = foreign.has(path.at(-1)!);
    path.toReversed().forEach((asn, place, back) => {
      layer.set(asn, Math.max(layer.get(asn) ?? 0, place));
      if (isForeign) (place === 0 ? bad : place === 1 ? believers : bad).add(asn);
      const next = back[place - 1];
      if (next === undefined) return;
      const key = `${asn} ${next}`;
      const known = edges.get(key);
      edges.set(key, { from: asn, to: next, paths: (known?.paths ?? 0) + 1, foreign: isForeign || (known?.foreign ?? false) });
    });
  }
  const origins = new Set(all.map((path) => path.at(-1)!));
  const columns = Map.groupBy([...layer].sort(([a], [b]) => a - b), ([, place]) => place);
  const nodes = [...columns].flatMap(([place, members]) => members.map(([asn], row): Node => ({
    asn, layer: place, row,
    role: foreign.has(asn) && origins.has(asn) ? "foreign" : origins.has(asn) ? "origin" : believers.has(asn) ? "believer" : "carrier",
  })));
  return {
    nodes, edges: [...edges.values()].sort((a, b) => a.from - b.from || a.to - b.to),
    layers: Math.max(1, ...[...columns.keys()].map((place) => place + 1)), rows: Math.max(1, ...[...columns.values()].map((each) => each.length)),
  };
}

export interface Guilty {
  origin: number;
  /** The network that took it from there; null where the peer heard it from the origin itself. */
  believer: number | null;
  at: number;
  peers: number;
}

/** Gives by whom a foreign origin was let in first, and how many peers have its path by then. */
export function guiltyOf(changes: RouteChange[], foreign: Set<number>, at: number): Guilty | null {
  const first = changes.find((change) => change.path !== null && foreign.has(change.path.at(-1)!));
  if (first?.path == null) return null;
  const path = first.path.filter((asn, place, all) => asn !== all[place - 1]);
  const origin = path.at(-1)!;
  const peers = [...pathsAt(changes, at).values()].filter((each) => each?.at(-1) === origin).length;
  return { origin, believer: path.at(-2) ?? null, at: Date.parse(first.at), peers };
}

export interface OriginRun {
  origin: number;
  /** Moments and how many peers have a path to it from then on. */
  steps: [at: number, peers: number][];
}

/** Gives for each origin how many peers had a path to it, over time. */
export function originRuns(changes: RouteChange[], to: number): OriginRun[] {
  const now = new Map<string, number | null>();
  const runs = new Map<number, OriginRun>();
  for (const change of changes) {
    const at = Date.parse(change.at);
    if (at > to) break;
    const before = now.get(change.source) ?? null;
    const after = change.path?.at(-1) ?? null;
    if (before === after) continue;
    now.set(change.source, after);
    for (const origin of [before, after]) {
      if (origin === null) continue;
      const run = runs.get(origin) ?? { origin, steps: [] };
      runs.set(origin, run);
      const peers = [...now.values()].filter((each) => each === origin).length;
      if (run.steps.at(-1)?.[0] === at) run.steps.pop();
      run.steps.push([at, peers]);
    }
  }
  return [...runs.values()];
}
