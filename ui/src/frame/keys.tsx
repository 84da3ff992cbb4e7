// All of it by keyboard.

import { useLayoutEffect, useRef } from "preact/hooks";
import { address, addressOf, change, go } from "../state/address";
import { Source, useSource } from "../state/source";
import { windowNow } from "../state/seen";
import { world } from "../state/world";
import { paletteIsOpen } from "./palette";
import { turnTheme } from "./theme";
import { shifted, timeIsOpen } from "./timepicker";

const PLACES: Record<string, string> = {
  o: "oncall", r: "rollouts", f: "fleet", i: "incidents", e: "executive", a: "audit", m: "catchments", d: "debug",
};

const KEYS: [string, string][] = [
  ["g o", "On-call"], ["g r", "Rollouts"], ["g f", "Fleet"], ["g i", "Incidents"], ["g e", "Executive"], ["g a", "Audit"], ["g m", "Catchments"], ["g d", "Debug"],
  ["j / k", "next, previous row"], ["Enter", "open the row"], ["/", "find a PoP"], ["x", "clear filters and marks"],
  ["Ctrl K", "go anywhere, order anything"], ["w", "choose the time"], ["[ / ]", "earlier, later"], ["z", "zoom to the mark"], ["n", "back to now"],
  ["t", "UTC or local time"], ["d", "dark or light"], ["?", "these keys"], ["Esc", "close"],
];

export const helpIsOpen = new Source(false);
let after = "";

function isTyping(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement;
  return /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName) || document.querySelector("dialog[open]") !== null;
}

function moveRow(by: number): void {
  const rows = [...document.querySelectorAll<HTMLElement>("[data-row]")];
  const here = rows.findIndex((row) => row === document.activeElement);
  const next = rows[here < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, here + by))];
  next?.focus();
}

function zoom(): void {
  const marked = address.value.brush;
  if (marked) change({ from: marked[0], until: marked[1], brush: null });
}

const ACTIONS: Record<string, () => unknown> = {
  j: () => moveRow(1),
  k: () => moveRow(-1),
  "/": () => document.querySelector<HTMLInputElement>("#find")?.focus(),
  x: () => change({ service: "", region: "", pop: "", brush: null, from: null, until: null, kind: "" }),
  w: () => timeIsOpen.set(true),
  n: () => change({ brush: null, from: null, until: null }),
  z: zoom,
  "[": () => change(shifted(windowNow(), -1)),
  "]": () => address.value.until !== null && change(shifted(windowNow(), 1)),
  t: () => change({ local: !address.value.local }),
  d: turnTheme,
  "?": () => helpIsOpen.set(true),
};

function pressed(event: KeyboardEvent): void {
  if (event.key === "k" && (event.ctrlKey || event.metaKey) && world.me.value && document.querySelector("dialog[open]") === null) {
    event.preventDefault();
    return paletteIsOpen.set(true);
  }
  if (event.key === "Escape" && (event.target as HTMLElement).id === "find") (event.target as HTMLElement).blur();
  if (isTyping(event) || event.metaKey || event.ctrlKey || event.altKey) return;
  const place = after === "g" ? PLACES[event.key] : undefined;
  after = event.key;
  if (place !== undefined) return go(addressOf(place));
  const action = ACTIONS[event.key];
  if (action === undefined) return;
  event.preventDefault();
  action();
}

export function followKeys(): void {
  addEventListener("keydown", pressed);
}

export function Help() {
  const open = useSource(helpIsOpen);
  const box = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    if (open) box.current?.showModal();
  }, [open]);
  if (!open) return null;
  return (
    <dialog ref={box} aria-labelledby="keys-title" onClose={() => helpIsOpen.set(false)}>
      <h2 id="keys-title">Keys</h2>
      <dl class="keys">{KEYS.map(([key, what]) => <div key={key}><dt><kbd>{key}</kbd></dt><dd>{what}</dd></div>)}</dl>
      <footer><button class="plain" onClick={() => helpIsOpen.set(false)}>Close</button></footer>
    </dialog>
  );
}
