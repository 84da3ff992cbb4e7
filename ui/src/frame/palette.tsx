// Everything by its name: pages, PoPs, services, prefixes, incidents, rollouts, runbooks; and what can be ordered of them.
// An order is never given from here: it opens what will happen.

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { read } from "../api/ask";
import type { Rollout, UpstreamBrief } from "../api/shapes";
import { Confirm, type Asked } from "../parts/confirm";
import { drain, undrain } from "../parts/draining";
import { ask } from "../parts/rolloutorder";
import { RUNBOOKS } from "../pages/runbook";
import { addressOf, go, type Address } from "../state/address";
import { useFetched } from "../state/fetched";
import { useAllPoPs } from "../state/seen";
import { Source, useSource } from "../state/source";
import { world } from "../state/world";
import { incidentState, timeOf, worstFirst } from "../words/incident";
import { ordersOf, stateOf } from "../words/rollout";
import { PAGES } from "./pages";

export const paletteIsOpen = new Source(false);

interface Entry {
  kind: string;
  name: string;
  more: string;
  /** Goes there, or gives what is to be confirmed. */
  act: () => Asked | Promise<Asked> | null;
}

/** Entries that are shown at once. */
const SHOWN = 12;

export function Palette() {
  const open = useSource(paletteIsOpen);
  const [asked, setAsked] = useState<Asked | null>(null);
  return (
    <>
      {open && <Box close={() => paletteIsOpen.set(false)} confirm={setAsked} />}
      {asked && <Confirm asked={asked} close={() => setAsked(null)} />}
    </>
  );
}

function Box({ close, confirm }: { close: () => void; confirm: (asked: Asked) => void }) {
  const box = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState("");
  const [place, setPlace] = useState(0);
  const found = matching(useEntries(), text).slice(0, SHOWN);
  useLayoutEffect(() => box.current?.showModal(), []);
  const choose = (entry: Entry | undefined): void => {
    if (entry === undefined) return;
    close();
    const asked = entry.act();
    if (asked !== null) void Promise.resolve(asked).then(confirm, () => go(addressOf("rollouts")));
  };
  const key = (event: KeyboardEvent): void => {
    const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (by !== 0) {
      event.preventDefault();
      setPlace((place + by + found.length) % Math.max(1, found.length));
    }
    if (event.key === "Enter") {
      event.preventDefault();
      choose(found[place]);
    }
  };
  return (
    <dialog ref={box} class="palette" aria-label="Go to, or order" onClose={close}
      onClick={(event) => event.target === box.current && close()}>
      <input role="combobox" aria-label="Name of a page, PoP, service, incident or order" aria-expanded="true" aria-controls="palette-list"
        aria-activedescendant={found.length ? `palette-${place}` : undefined} autoFocus spellcheck={false} autoComplete="off"
        placeholder="a PoP, a service, a prefix, drain …" value={text} onKeyDown={key}
        onInput={(event) => { setText(event.currentTarget.value); setPlace(0); }} />
      <ul id="palette-list" role="listbox" aria-label="Found">{found.map((entry, at) => (
        <li key={`${entry.kind} ${entry.name}`} id={`palette-${at}`} role="option" aria-selected={at === place}
          onPointerMove={() => setPlace(at)} onClick={() => choose(entry)}>
          <span class="quiet">{entry.kind}</span><b>{entry.name}</b><span class="more">{entry.more}</span>
        </li>
      ))}</ul>
      {found.length === 0 && <p class="state">Nothing has such a name.</p>}
      <footer class="quiet"><kbd>↑</kbd> <kbd>↓</kbd> choose · <kbd>Enter</kbd> go, or see what an order will do · <kbd>Esc</kbd> leave</footer>
    </dialog>
  );
}

const leads = (path: string, changes: Partial<Address> = {}) => (): null => {
  go(addressOf(path, changes));
  return null;
};

function useEntries(): Entry[] {
  const me = useSource(world.me);
  const pops = useAllPoPs()?.pops ?? [];
  const services = useSource(world.services).value ?? [];
  const rollouts = useSource(world.rollouts).value ?? [];
  const incidents = worstFirst(useSource(world.incidents).value ?? []);
  const upstreams = useFetched<{ items: UpstreamBrief[] }>(me?.services === null ? "/upstreams" : null).value?.items ?? [];
  const operates = me?.role === "operator" || me?.role === "admin";
  const way = encodeURIComponent;
  return [
    ...PAGES.map(([path, title]): Entry => ({ kind: "page", name: title, more: "", act: leads(path) })),
    ...incidents.slice(0, 50).map((each): Entry => ({
      kind: "incident", name: `${each.id} ${each.title}`, more: `${each.severity} · ${incidentState(each).word}`, act: leads(`incidents/${each.id}`, timeOf(each)) })),
    ...pops.map(({ pop, worst }): Entry => ({ kind: "PoP", name: pop.name, more: `${pop.city ?? ""} · ${worst.word}`, act: leads(`pops/${way(pop.name)}`) })),
    ...services.map((each): Entry => ({ kind: "service", name: each.name, more: each.prefixes.join(" "), act: leads(`services/${way(each.name)}`) })),
    ...upstreams.map((each): Entry => ({ kind: "upstream", name: each.names.join(", "), more: `AS${each.asn} · ${each.sessions_up} of ${each.sessions} sessions up`, act: leads(`upstreams/${each.asn}`) })),
    ...rollouts.slice(0, 20).map((each): Entry => ({ kind: "rollout", name: `${each.number} ${each.reason}`, more: stateOf(each).word, act: leads(`rollouts/${each.number}`) })),
    ...rollouts.flatMap((each) => (me ? ordersOf(each, me.role) : []).map((name): Entry => ({
      kind: "order", name: `${name} rollout ${each.number}`, more: each.reason,
      act: async () => {
        const { value, etag } = await read<Rollout>(`/rollouts/${each.number}`);
        return ask(name, value, etag);
      } }))),
    ...(operates ? pops.flatMap((each): Entry[] => drains(each.pop.name, each.standing?.services ?? [], pops)) : []),
    ...Object.entries(RUNBOOKS).map(([name, { title }]): Entry => ({ kind: "runbook", name: title, more: "", act: leads(`runbooks/${name}`) })),
  ];
}

function drains(pop: string, standing: Parameters<typeof drain>[1], all: Parameters<typeof drain>[2]): Entry[] {
  const drained = standing.filter((each) => each.drain !== null && each.drain.step !== "normal");
  const others = standing.filter((each) => !drained.includes(each));
  const found: Entry[] = [];
  if (others.length) found.push({ kind: "order", name: `drain ${pop}`, more: others.map((each) => each.name).join(", "), act: () => drain(pop, others, all) });
  if (drained.length) found.push({ kind: "order", name: `undrain ${pop}`, more: drained.map((each) => each.name).join(", "), act: () => undrain(pop, drained) });
  return found;
}

/** Gives the entries that have every word of a text, those whose name begins with it first. */
function matching(entries: Entry[], text: string): Entry[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return entries;
  const fit = entries.filter((entry) => {
    const all = `${entry.kind} ${entry.name} ${entry.more}`.toLowerCase();
    return words.every((word) => all.includes(word));
  });
  const rank = (entry: Entry): number => {
    const name = entry.name.toLowerCase();
    return name.startsWith(words.join(" ")) ? 0 : words.every((word) => name.includes(word)) ? 1 : 2;
  };
  return fit.toSorted((a, b) => rank(a) - rank(b));
}
