// The world, with vantage points at their places in the symbols of the PoPs that they reach. Whoever moved has a ring and
// a line from where it was; the table beside it says the same.

import { geoEqualEarth, geoGraticule10, geoPath, type GeoPermissibleObjects } from "d3-geo";
import { useEffect, useMemo, useState } from "preact/hooks";
import { feature } from "topojson-client";
import type { Topology } from "topojson-specification";
import type { PoP } from "../api/shapes";
import type { Landed } from "../words/catchment";
import type { Symbol } from "./symbol";

const WIDE = 980;
const HIGH = 476;
/** Vantage points that are drawn; of more, every so manyth. */
const DRAWN = 4000;
/** PoPs that have their names beside them: of more, names would cover each other. */
const NAMED = 60;

let coast: Promise<GeoPermissibleObjects | null> | null = null;

/** Loads the coast lines, once. Without them the map is one of points, and nothing is wrong with it. */
function coastLines(): Promise<GeoPermissibleObjects | null> {
  coast ??= fetch("/static/land.json").then(async (answer) => {
    const world = (await answer.json()) as Topology;
    return feature(world, world.objects.land!) as GeoPermissibleObjects;
  }).catch(() => null);
  return coast;
}

interface Props {
  landed: Landed[];
  /** The PoP that a vantage point is shown at; null for none. */
  popOf: (each: Landed) => string | null;
  /** Vantage points that are marked: those that moved, or that are not where they were foretold. */
  marks: (each: Landed) => boolean;
  pops: PoP[];
  symbol: (pop: string) => Symbol;
  picked: string;
  pick: (vantage: string) => void;
  label: string;
}

export function WorldMap({ landed, popOf, marks, pops, symbol, picked, pick, label }: Props) {
  const [land, setLand] = useState<GeoPermissibleObjects | null>(null);
  useEffect(() => void coastLines().then(setLand), []);
  const projection = useMemo(() => geoEqualEarth().fitExtent([[6, 6], [WIDE - 6, HIGH - 6]], { type: "Sphere" }), []);
  const path = useMemo(() => geoPath(projection), [projection]);
  const ground = useMemo(() => path(geoGraticule10()) ?? "", [path]);
  const shores = useMemo(() => (land ? path(land) ?? "" : ""), [path, land]);
  const place = (latitude: number | null, longitude: number | null): [number, number] | null =>
    latitude === null || longitude === null ? null : projection([longitude, latitude]);
  const step = Math.max(1, Math.ceil(landed.length / DRAWN));
  const drawn = landed.filter((each, at) => at % step === 0 || marks(each));
  return (
    <svg class="map" viewBox={`0 0 ${WIDE} ${HIGH}`} role="img" aria-label={label}>
      <path class="graticule" d={ground} /><path class="land" d={shores} />
      {drawn.filter(marks).map((each) => <Moved key={each.vantage.vantage_point} each={each} pops={pops} place={place} />)}
      {drawn.map((each) => {
        const at = place(each.vantage.latitude, each.vantage.longitude);
        const pop = popOf(each);
        if (at === null) return null;
        const own = pop === null ? null : symbol(pop);
        return (
          <g key={each.vantage.vantage_point} transform={`translate(${at[0].toFixed(1)} ${at[1].toFixed(1)})`} class={`point ${marks(each) ? "moved" : ""}`}
            onClick={() => pick(each.vantage.vantage_point)}>
            <title>{each.vantage.vantage_point}: {pop ?? "no data"}{each.moved && `, before: ${each.before?.pop}`}</title>
            {(marks(each) || picked === each.vantage.vantage_point) && <circle class="ring" r="8.5" />}
            {own ? <path class={`dot-${own.colour}`} d={own.path} /> : <circle class="unknown" r="3.5" />}
          </g>
        );
      })}
      {pops.map((pop) => {
        const at = place(pop.latitude, pop.longitude);
        return at && (
          <g key={pop.name} transform={`translate(${at[0].toFixed(1)} ${at[1].toFixed(1)})`} class="pop-place">
            <circle r="3" />{pops.length <= NAMED && <text x="6" y="-5">{pop.name}</text>}<title>{pop.name}</title>
          </g>
        );
      })}
    </svg>
  );
}

/** A line from whoever moved to the PoP that it reached before. */
function Moved({ each, pops, place }: { each: Landed; pops: PoP[]; place: (latitude: number | null, longitude: number | null) => [number, number] | null }) {
  const to = place(each.vantage.latitude, each.vantage.longitude);
  const now = pops.find((pop) => pop.name === each.now?.pop);
  const from = now && place(now.latitude, now.longitude);
  return to && from ? <path class="moved-line" d={`M${to[0].toFixed(1)} ${to[1].toFixed(1)}L${from[0].toFixed(1)} ${from[1].toFixed(1)}`} /> : null;
}
