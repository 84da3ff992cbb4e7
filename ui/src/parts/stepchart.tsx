// A count over time as steps, under the same marks, the same mark of time, and the same pointer as every other chart.

import { useEvents, useRange } from "../state/seen";
import { useSource } from "../state/source";
import { stepAt, type Step } from "../words/announcing";
import { tell } from "../words/happening";
import { clock, full } from "../words/time";
import { share, useBrush, hovered, width } from "./brushing";
import { Cursor } from "./cursor";
import { Dot, merged } from "./marks";
import { NoData } from "./states";
import { Ticks } from "./ticks";

const WIDE = 1000;
const HIGH = 100;
/** The plot's line within its box, as the style sheet has it. */
const TOP_PX = 16;
const LINE_PX = 75;
/** Where triangles and diamonds stand, above the line. */
const ROWS: Record<string, number> = { trouble: 7, change: 7 };

interface Props {
  title: string;
  steps: Step[];
  /** The most that it can be. */
  of: number;
  /** Below or at this it is bad. */
  floor: number;
  service: string;
}

export function StepChart({ title, steps, of, floor, service }: Props) {
  const { window, marked } = useRange();
  const { box, handlers, shown } = useBrush(window, marked);
  const at = useSource(hovered);
  const events = useEvents((event) => tell(event).class in ROWS && (!event.fields.service || event.fields.service === service), window) ?? [];
  const told = stepAt(steps, at ?? window.to);
  const y = (value: number): number => HIGH - (value / Math.max(1, of)) * HIGH;
  const lowest = steps.reduce((low, step) => Math.min(low, step.on ?? low), of);
  return (
    <figure class="chart">
      <figcaption><span>{title}</span>
        <span class="value">{told?.on == null ? <NoData why="the log has nothing of that time" /> : <b class={told.on <= floor ? "bad" : ""}>{told.on}</b>}
          <span class="quiet"> of {of}{told && told.on !== null && told.unknown > 0 && `, ${told.unknown} not known`}{at !== null && ` at ${clock(at)}`}</span></span>
      </figcaption>
      <div class="plot" ref={box} {...handlers} role="img" title="Drag to mark a time on every chart; click to let go"
        aria-label={`${title}: between ${lowest} and ${of} of ${of} PoPs, from ${full(window.from)} to ${full(window.to)}; the floor is ${floor}`}>
        <Ticks window={window} max={5} />
        {shown && <span class="brush" style={{ left: share(shown.from, window), width: width(shown, window) }} />}
        <svg viewBox={`0 0 ${WIDE} ${HIGH}`} preserveAspectRatio="none" aria-hidden="true">
          <path class="area" d={area(steps, window, y)} />
          <path class="line" d={line(steps, window, y)} vector-effect="non-scaling-stroke" />
          <path class="floor" d={`M0 ${y(floor)}H${WIDE}`} vector-effect="non-scaling-stroke" />
        </svg>
        <span class="floor-label" style={{ top: `${TOP_PX + y(floor) * (LINE_PX / HIGH)}px` }}>floor {floor}</span>
        {merged(events, window, ROWS).map((each) => <Dot key={each.key} dot={each} />)}
        <Cursor window={window} />
      </div>
    </figure>
  );
}

interface Run {
  from: number;
  to: number;
  on: number;
}

/** Gives the runs of which something is known; between them there is a gap, and no zero. */
function runs(steps: Step[], window: { from: number; to: number }): Run[] {
  const x = (at: number): number => ((at - window.from) / (window.to - window.from)) * WIDE;
  return steps.flatMap((step, place) => (step.on === null ? [] : [{ from: x(step.at), to: x(steps[place + 1]?.at ?? window.to), on: step.on }]));
}

function line(steps: Step[], window: { from: number; to: number }, y: (value: number) => number): string {
  let end = -1;
  return runs(steps, window).map((run) => {
    const joins = run.from === end;
    end = run.to;
    return `${joins ? "V" : `M${run.from.toFixed(1)} `}${y(run.on).toFixed(1)}H${run.to.toFixed(1)}`;
  }).join("");
}

function area(steps: Step[], window: { from: number; to: number }, y: (value: number) => number): string {
  return runs(steps, window).map((run) => `M${run.from.toFixed(1)} ${HIGH}V${y(run.on).toFixed(1)}H${run.to.toFixed(1)}V${HIGH}Z`).join("");
}
