// What changed and what broke, on one line of time above every page. Marking a part of it filters every list of events.

import { useRef, useState } from "preact/hooks";
import type { LogEvent } from "../api/shapes";
import { change } from "../state/address";
import { useEvents, useRange, type Range } from "../state/seen";
import { tell } from "../words/happening";
import { day, full, minutes } from "../words/time";

const TICKS_MAX = 8;
const MINUTE_MS = 60_000;
const DAY_MS = 1440 * MINUTE_MS;
const STEPS_MS = [2, 10, 60, 240, 1440].map((each) => each * MINUTE_MS);
const ROWS: Record<string, { y: number; label: string }> = {
  trouble: { y: 8, label: "trouble" }, change: { y: 22, label: "changes" },
};
const HEIGHT = 44;

export function Ribbon() {
  const { window, marked } = useRange();
  const events = useEvents((event) => tell(event).class in ROWS, window) ?? [];
  const box = useRef<HTMLDivElement>(null);
  const [drag, setDrag] = useState<[number, number] | null>(null);

  const at = (x: number): number => {
    const { left, width } = box.current!.getBoundingClientRect();
    return window.from + ((x - left) / width) * (window.to - window.from);
  };
  const begin = (event: PointerEvent): void => {
    box.current!.setPointerCapture(event.pointerId);
    setDrag([at(event.clientX), at(event.clientX)]);
  };
  const move = (event: PointerEvent): void => {
    if (drag) setDrag([drag[0], at(event.clientX)]);
  };
  const end = (): void => {
    if (drag && Math.abs(drag[1] - drag[0]) > (window.to - window.from) / 200) {
      change({ brush: [Math.min(...drag), Math.max(...drag)], until: window.to });
    } else {
      change({ brush: null, until: null });
    }
    setDrag(null);
  };
  const shown: Range | null = drag ? { from: Math.min(...drag), to: Math.max(...drag) } : marked === window ? null : marked;
  return (
    <div class="ribbon">
      <div class="ribbon-labels" aria-hidden="true"><span>trouble</span><span>changes</span></div>
      <div class="ribbon-line" ref={box} onPointerDown={begin} onPointerMove={move} onPointerUp={end}
        role="img" aria-label={summary(events, window)} title="Drag to mark a time; click to let go">
        <Ticks window={window} />
        {shown && <span class="brush" style={{ left: share(shown.from, window), width: width(shown, window) }} />}
        {merged(events, window).map((each) => <Dot key={each.key} dot={each} />)}
      </div>
    </div>
  );
}

interface DotShape {
  key: string;
  left: string;
  y: number;
  tone: string;
  kind: string;
  title: string;
}

/** Gives one mark for what happens within the same two hundredth of the window. */
function merged(events: LogEvent[], window: Range): DotShape[] {
  const found = new Map<string, { first: LogEvent; count: number }>();
  for (const event of events) {
    const slot = Math.round(((event.at - window.from) / (window.to - window.from)) * 200);
    const key = `${tell(event).class} ${slot}`;
    const known = found.get(key);
    found.set(key, { first: known?.first ?? event, count: (known?.count ?? 0) + 1 });
  }
  return [...found].map(([key, { first, count }]) => {
    const told = tell(first);
    const more = count > 1 ? ` and ${count - 1} more` : "";
    return {
      key, left: share(first.at, window), y: ROWS[told.class]?.y ?? 0, tone: told.tone, kind: told.class,
      title: `${full(first.at)} ${first.pop}: ${told.text}${more}`,
    };
  });
}

function Dot({ dot }: { dot: DotShape }) {
  return (
    <svg class={`dot ${dot.tone}`} style={{ left: dot.left, top: `${dot.y - 5}px` }} width="10" height="10" viewBox="0 0 12 12">
      <title>{dot.title}</title>
      <path d={dot.kind === "trouble" ? "M1 2h10L6 11z" : "M6 .8 11.2 6 6 11.2.8 6z"} fill="currentColor" />
    </svg>
  );
}

/** Ticks stand at round times, some six of them. */
function Ticks({ window }: { window: Range }) {
  const step = STEPS_MS.find((each) => (window.to - window.from) / each <= TICKS_MAX) ?? DAY_MS;
  const format = step >= DAY_MS ? day : minutes;
  const first = Math.ceil(window.from / step) * step;
  const count = Math.max(0, Math.floor((window.to - first) / step) + 1);
  return (
    <>
      {Array.from({ length: count }, (_, place) => first + place * step).map((at) => (
        <span key={at} class="tick" style={{ left: share(at, window), height: `${HEIGHT}px` }}>{at < window.to - (window.to - window.from) / 30 && format(at)}</span>
      ))}
    </>
  );
}

function summary(events: LogEvent[], window: Range): string {
  const count = (name: string): number => events.filter((event) => tell(event).class === name).length;
  return `${count("trouble")} troubles and ${count("change")} changes from ${full(window.from)} to ${full(window.to)}`;
}

const percent = (part: number): string => `${Math.min(100, Math.max(0, part * 100)).toFixed(2)}%`;
const share = (at: number, window: Range): string => percent((at - window.from) / (window.to - window.from));
const width = (range: Range, window: Range): string => percent((range.to - range.from) / (window.to - window.from));
