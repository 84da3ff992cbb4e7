// Rows on one line of time: bars for what lasts, marks for what happens; a moment that can be moved, and everything below
// shows it.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { address, change } from "../state/address";
import type { Range } from "../state/seen";
import { useSource } from "../state/source";
import { clock, full } from "../words/time";
import type { Tone } from "../words/standing";
import { share, useBrush, width } from "./brushing";
import { Cursor } from "./cursor";
import { Ticks } from "./ticks";

export interface Bar {
  from: number;
  to: number;
  tone: Tone;
  text: string;
}

export interface Point {
  at: number;
  tone: Tone;
  text: string;
  trouble: boolean;
}

export interface Lane {
  name: string;
  bars: Bar[];
  points: Point[];
  /** Said where there is nothing in it. */
  empty: string;
}

interface Props {
  lanes: Lane[];
  window: Range;
  marked: Range;
  at: number;
  moments: number[];
  children?: ComponentChildren;
}

export function Lanes({ lanes, window, marked, at, moments, children }: Props) {
  const { box, handlers, shown } = useBrush(window, marked);
  const [whole, setWhole] = useState(false);
  const every = lanes.flatMap((lane) => stacked(lane.bars, window).map((bars, place) => ({ lane: place === 0 ? lane : { ...lane, points: [] }, bars, first: place === 0, place })));
  const rows = whole ? every : capped(every);
  const fixed = useSource(address).at !== null;
  const step = (by: 1 | -1): void => {
    const next = by > 0 ? moments.find((each) => each > at) : moments.findLast((each) => each < at);
    if (next !== undefined) change({ at: next });
  };
  const go = (to: number): void => change({ at: to >= window.to - 500 ? null : to });
  return (
    <div class="lanes-box">
      <div class="lanes-rows">
        <div class="lane-names" aria-hidden="true">{rows.map(({ lane, first }, row) => <span key={row}>{first && lane.name}</span>)}<span /></div>
        <div class="lane-line" ref={box} {...handlers} title="Drag to mark a time on every chart">
          <Ticks window={window} />
          {shown && <span class="brush" style={{ left: share(shown.from, window), width: width(shown, window) }} />}
          {rows.map(({ lane, bars }, row) => <Row key={`${lane.name} ${row}`} lane={lane} all={bars} row={row} window={window} />)}
          <span class="moment" style={{ left: share(at, window) }} />
          <Cursor window={window} />
        </div>
      </div>
      {every.length > ROWS_MAX && <button class="plain lanes-more" aria-expanded={whole} onClick={() => setWhole(!whole)}>{whole ? "show fewer rows" : `${every.length - rows.length} more rows`}</button>}
      <div class="moment-bar">
        <button class="step" onClick={() => step(-1)} disabled={!moments.some((each) => each < at)} aria-label="To the change before">‹</button>
        <input type="range" min={Math.floor(window.from)} max={Math.ceil(window.to)} step={1000} value={Math.round(at)} aria-label="The moment that is shown"
          aria-valuetext={full(at)} onInput={(event) => go(Number(event.currentTarget.value))} />
        <button class="step" onClick={() => step(1)} disabled={!moments.some((each) => each > at)} aria-label="To the next change">›</button>
        {children}
        <span class="num">{fixed ? clock(at) : "now"}</span>
        {fixed && <button class="plain" onClick={() => change({ at: null })}>to the end</button>}
      </div>
    </div>
  );
}

/** Rows that are drawn unless more are asked for. */
const ROWS_MAX = 12;

/** Gives so many rows, in their order: the first of every lane, then the second of each, until there is no more room. */
function capped<Stacked extends { place: number }>(rows: Stacked[]): Stacked[] {
  const kept = new Set(rows.toSorted((a, b) => a.place - b.place).slice(0, ROWS_MAX));
  return rows.filter((row) => kept.has(row));
}

/** The least that a bar takes of the window: its words need room, however short it lasted. */
const LABEL_SHARE = 0.16;

/** Gives bars in rows in which none covers another's words: each in the first row with room for it, by when they begin. */
function stacked(bars: Bar[], window: Range): Bar[][] {
  const rows: { bars: Bar[]; end: number }[] = [];
  const seen = bars.filter((bar) => bar.to >= window.from && bar.from <= window.to);
  for (const bar of seen.toSorted((a, b) => a.from - b.from || b.to - a.to || (a.text < b.text ? -1 : 1))) {
    const from = Math.max(bar.from, window.from);
    const end = Math.max(bar.to, from + (bar.text.length > SHORT ? LABEL_SHARE * (window.to - window.from) : 0));
    const row = rows.find((each) => each.end <= from);
    if (row === undefined) rows.push({ bars: [bar], end });
    else {
      row.bars.push(bar);
      row.end = end;
    }
  }
  return rows.length === 0 ? [[]] : rows.map((each) => each.bars);
}

/** Words of so many letters, such as `2 peers`, may be cut where their bar is short: the bar's title has them. */
const SHORT = 8;

function Row({ lane, all: bars, row, window }: { lane: Lane; all: Bar[]; row: number; window: Range }) {
  const points = lane.points.filter((point) => point.at >= window.from && point.at <= window.to);
  return (
    <div class="lane-row" style={{ top: `${row * 24}px` }} role="img" aria-label={`${lane.name}: ${bars.length + points.length === 0 ? lane.empty : [...bars, ...points].slice(0, 12).map((each) => each.text).join("; ")}`}>
      {bars.map((bar, place) => (
        <span key={place} class={`lane-bar ${bar.tone}`} title={bar.text} style={{ left: share(Math.max(bar.from, window.from), window), width: width({ from: Math.max(bar.from, window.from), to: Math.min(bar.to, window.to) }, window) }}><i>{bar.text}</i></span>
      ))}
      {points.map((point, place) => (
        <svg key={place} class={`dot ${point.tone}`} width="10" height="10" viewBox="0 0 12 12" style={{ left: share(point.at, window), top: "7px" }}>
          <title>{`${full(point.at)}: ${point.text}`}</title><path d={point.trouble ? "M1 2h10L6 11z" : "M6 .8 11.2 6 6 11.2.8 6z"} fill="currentColor" />
        </svg>
      ))}
      {bars.length + points.length === 0 && <span class="lane-empty">{lane.empty}</span>}
    </div>
  );
}
