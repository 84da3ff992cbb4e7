// Which time is looked at: so long back from now, or from one moment to another. It stands in the address.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { WINDOWS, address, change, type Address, type WindowName } from "../state/address";
import { readOlder } from "../state/load";
import { useRange, type Range } from "../state/seen";
import { Source, useSource } from "../state/source";
import { world } from "../state/world";
import { full, short, span, typed, zone } from "../words/time";
import { parseWhen } from "../words/when";

export const timeIsOpen = new Source(false);

const SAID: Record<WindowName, string> = {
  "5m": "last 5 minutes", "15m": "last 15 minutes", "1h": "last hour", "6h": "last 6 hours", "24h": "last day", "7d": "last 7 days", "30d": "last 30 days",
};

/** Shows the time that is looked at; a press opens the choice. */
export function TimePicker() {
  const at = useSource(address);
  const { window, marked } = useRange();
  useReach(window);
  return (
    <span class="time" role="group" aria-label="Time">
      <button class="step" onClick={() => change(shifted(window, -1))} aria-label="Earlier" title="Earlier ([)">‹</button>
      <button class="chosen" onClick={() => timeIsOpen.set(true)} aria-haspopup="dialog" title="Choose the time (w)">{said(at, window)}</button>
      <button class="step" onClick={() => change(shifted(window, 1))} disabled={at.until === null} aria-label="Later" title="Later (])">›</button>
      {at.brush && <button class="plain" onClick={() => change({ from: marked.from, until: marked.to, brush: null })} title="Look at the marked time alone (z)">zoom to {span((marked.to - marked.from) / 1000)}</button>}
    </span>
  );
}

/** The choice itself, while it is open. */
export function TimeChoice() {
  const open = useSource(timeIsOpen);
  const { window } = useRange();
  return open ? <Choice close={() => timeIsOpen.set(false)} window={window} /> : null;
}

function said(at: Address, window: Range): string {
  if (at.from === null) return at.until === null ? SAID[at.window] : `${SAID[at.window].replace("last ", "")} to ${short(window.to, Date.now())}`;
  return `${short(window.from, Date.now())} to ${at.until === null ? "now" : short(window.to, window.from)}`;
}

/** Gives the time before or behind a window, half of it further; one that would reach beyond now goes on with it. */
export function shifted(window: Range, by: -1 | 1): Partial<Address> {
  const half = ((window.to - window.from) / 2) * by;
  const until = window.to + half;
  if (by > 0 && until >= Date.now()) return { until: null, brush: null, ...(address.value.from === null ? {} : { from: null }) };
  return { from: Math.floor(window.from + half), until: Math.floor(until), brush: null };
}

/** Reads the log's part of a time before the events that are held. */
function useReach(window: Range): void {
  const held = useSource(world.events).value?.[0]?.sequence ?? 0;
  const isFixed = useSource(address).until !== null;
  const from = isFixed ? window.from : Math.floor(window.from / 60_000) * 60_000;
  useEffect(() => {
    if (held > 0) void readOlder(from, window.to);
  }, [from, held === 0]);
}

function Choice({ close, window }: { close: () => void; window: Range }) {
  const box = useRef<HTMLDialogElement>(null);
  const at = useSource(address);
  const [from, setFrom] = useState(typed(window.from));
  const [to, setTo] = useState(at.until === null ? "now" : typed(window.to));
  const [wrong, setWrong] = useState("");
  useLayoutEffect(() => box.current?.showModal(), []);
  const choose = (changes: Partial<Address>): void => {
    change({ brush: null, ...changes });
    close();
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    const now = Date.now();
    const [begins, ends] = [parseWhen(from, now), parseWhen(to, now)];
    if (begins === null || ends === null) return setWrong(`${begins === null ? from : to} is no time: write 14:03, 2026-11-27 14:03, -90m or now`);
    if (begins >= ends) return setWrong("it ends before it begins");
    choose({ from: begins, until: to.trim() === "now" || to.trim() === "" ? null : ends });
  };
  return (
    <dialog ref={box} class="times" aria-labelledby="time-title" onClose={close}>
      <h2 id="time-title">Time</h2>
      <div class="times-body">
        <ul class="windows">{(Object.keys(WINDOWS) as WindowName[]).map((name) => (
          <li key={name}><button class="plain" aria-pressed={at.from === null && at.until === null && at.window === name}
            onClick={() => choose({ window: name, from: null, until: null })}>{SAID[name]}</button></li>
        ))}</ul>
        <form onSubmit={submit}>
          <label class="field">From<input value={from} onInput={(event) => setFrom(event.currentTarget.value)} /></label>
          <label class="field">To<input value={to} onInput={(event) => setTo(event.currentTarget.value)} /></label>
          <p class="quiet">In {zone()}. Also <code>14:03</code>, <code>-90m</code>, <code>now</code>.</p>
          {wrong && <p class="refused" role="alert">{wrong}</p>}
          <footer><button type="button" class="plain" onClick={close}>Close</button><button class="primary">Look at it</button></footer>
        </form>
      </div>
      <p class="how">Shown now: {full(window.from)} to {full(window.to)}. A drag on the ribbon or on a chart marks a part.</p>
    </dialog>
  );
}
