// Series of a Prometheus over time, under the same marks, the same mark of time, and the same pointer as every other chart.

import { useEffect, useState } from "preact/hooks";
import { read, serverNow } from "../api/ask";
import type { ChartTold, Problem } from "../api/shapes";
import { problemOf } from "../state/load";
import { useRange, type Range } from "../state/seen";
import { useSource } from "../state/source";
import { useNow } from "../state/clock";
import { amount, lineOf, nearest, nameOf, type Line } from "../words/budget";
import { clock, full } from "../words/time";
import { share, useBrush, hovered, width } from "./brushing";
import { Cursor } from "./cursor";
import { NoData } from "./states";
import { Ticks } from "./ticks";

const WIDE = 1000;
const HIGH = 100;
/** Lines that are drawn at most: more cannot be told apart. Those with the greatest values at last come first. */
const LINES_MAX = 8;
const AGAIN_S = 15;

interface Told {
  value: ChartTold | null;
  problem: Problem | null;
}

/** Gives a chart's series over the window: asked anew at an even pace, and drawn from what was told last until then. */
function useChart(name: string, service: string | undefined, window: Range): Told {
  const [told, setTold] = useState<Told>({ value: null, problem: null });
  const step = AGAIN_S * 1000;
  const [from, to] = [Math.floor(window.from / step) * step, Math.ceil(Math.min(window.to, serverNow()) / step) * step];
  useEffect(() => {
    const abort = new AbortController();
    const query = new URLSearchParams({ to: new Date(to).toISOString(), length_s: String(Math.max(AGAIN_S, (to - from) / 1000)), ...(service === undefined ? {} : { service }) });
    read<ChartTold>(`/charts/${name}?${query}`, abort.signal).then(
      ({ value }) => setTold({ value, problem: null }),
      (error: unknown) => { if (!abort.signal.aborted) setTold((old) => ({ value: old.value, problem: problemOf(error) })); },
    );
    return () => abort.abort();
  }, [name, service, from, to]);
  return told;
}

interface Props {
  name: string;
  title: string;
  service?: string;
  /** What gives these series, said where there are none. */
  missing: string;
  /** A value that is drawn across: the mark that matters. */
  mark?: { at: number; text: string };
}

export function SeriesChart({ name, title, service, missing, mark }: Props) {
  useNow();
  const { window, marked } = useRange();
  const { box, handlers, shown } = useBrush(window, marked);
  const at = useSource(hovered);
  const { value, problem } = useChart(name, service, window);
  const all: Line[] = (value?.items ?? []).map((each) => lineOf(nameOf(each.labels), each.points)).filter((line) => line.points.some(([, one]) => one !== null));
  const lines = all.toSorted((a, b) => (nearest(b, window.to) ?? -Infinity) - (nearest(a, window.to) ?? -Infinity)).slice(0, LINES_MAX);
  const values = lines.flatMap((line) => line.points.flatMap(([, one]) => (one === null ? [] : [one])));
  const [low, high] = bounds([...values, ...(mark ? [mark.at] : [])], value?.unit ?? "");
  const y = (one: number): number => HIGH - ((one - low) / (high - low)) * HIGH;
  const x = (moment: number): number => ((moment - window.from) / (window.to - window.from)) * WIDE;
  const unit = value?.unit ?? "";
  return (
    <figure class="chart series" data-chart={name}>
      <figcaption><span title={value?.how}>{title}</span>
        <span class="value quiet">{values.length > 0 && <>{amount(low, unit)} to {amount(high, unit)}</>}{at !== null && ` at ${clock(at)}`}</span>
      </figcaption>
      <div class="plot" ref={box} {...handlers} role="img" title="Drag to mark a time on every chart; click to let go"
        aria-label={`${title}, ${full(window.from)} to ${full(window.to)}: ${lines.map((line) => `${line.name} ${said(line, window.to, unit)}`).join("; ") || "no data"}`}>
        <Ticks window={window} max={5} />
        {shown && <span class="brush" style={{ left: share(shown.from, window), width: width(shown, window) }} />}
        <svg viewBox={`0 0 ${WIDE} ${HIGH}`} preserveAspectRatio="none" aria-hidden="true">
          {mark && <path class="floor" d={`M0 ${y(mark.at)}H${WIDE}`} vector-effect="non-scaling-stroke" />}
          {lines.map((line, place) => <path key={line.name} class={`line line-c${place}`} d={drawn(line, x, y)} vector-effect="non-scaling-stroke" />)}
        </svg>
        {values.length === 0 && <span class="lane-empty plot-empty">{problem ? problem.detail || problem.title : value === null ? "being read" : `no data: ${value.asked ? missing : "this controller asks no Prometheus (--indicators)"}`}</span>}
        <Cursor window={window} />
      </div>
      {lines.length > 0 && <ul class="legend">{lines.map((line, place) => (
        <li key={line.name}><svg width="16" height="8" aria-hidden="true"><path class={`line line-c${place}`} d="M0 4H16" /></svg>{line.name} <b>{said(line, at ?? window.to, unit) ?? <NoData why="no value at this time" />}</b></li>
      ))}{all.length > lines.length && <li class="quiet">and {all.length - lines.length} more</li>}</ul>}
      {problem && values.length > 0 && <p class="how"><b class="bad">stale:</b> {problem.detail || problem.title}</p>}
      {mark && lines.length > 0 && <p class="how">{mark.text}</p>}
    </figure>
  );
}

function said(line: Line, at: number, unit: string): string | null {
  const value = nearest(line, at);
  return value === null ? null : amount(value, unit);
}

/** Shares begin at zero and, where they come near it, end at one; a budget that is overspent goes below. */
function bounds(values: number[], unit: string): [number, number] {
  if (values.length === 0) return [0, 1];
  const [least, most] = values.reduce(([low, high], one) => [Math.min(low, one), Math.max(high, one)], [0, -Infinity]);
  const top = unit === "ratio" && most > 0.5 ? Math.max(1, most) : most;
  return [least, top > least ? top : least + 1];
}

/** A gap stays a gap: over a moment without value no line is drawn. */
function drawn(line: Line, x: (at: number) => number, y: (value: number) => number): string {
  let before: number | null = null;
  return line.points.map(([at, value]) => {
    const joins = value !== null && before !== null && at - before <= 1.5 * line.step;
    before = value === null ? null : at;
    return value === null ? "" : `${joins ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}${joins ? "" : "h.1"}`;
  }).join("");
}
