// All of it by keyboard.

import { useEffect, useRef } from "preact/hooks";
import { address, addressOf, change, go } from "../state/address";
import { Source, useSource } from "../state/source";
import { turnTheme } from "./theme";

const PLACES: Record<string, string> = {
  o: "oncall", r: "rollouts", f: "fleet", i: "incidents", e: "executive", a: "audit",
};

const KEYS: [string, string][] = [
  ["g o", "On-call"], ["g r", "Rollouts"], ["g f", "Fleet"], ["g i", "Incidents"], ["g e", "Executive"], ["g a", "Audit"],
  ["j / k", "next, previous row"], ["Enter", "open the row"], ["/", "find a PoP"], ["x", "clear filters and marks"],
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

const ACTIONS: Record<string, () => void> = {
  j: () => moveRow(1),
  k: () => moveRow(-1),
  "/": () => document.querySelector<HTMLInputElement>("#find")?.focus(),
  x: () => change({ service: "", region: "", pop: "", brush: null, until: null, kind: "" }),
  t: () => change({ local: !address.value.local }),
  d: turnTheme,
  "?": () => helpIsOpen.set(true),
};

function pressed(event: KeyboardEvent): void {
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
  useEffect(() => {
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
