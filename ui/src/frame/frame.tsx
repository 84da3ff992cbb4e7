// The frame around every page: where one is, who one is, how fresh it is, what is filtered, what happened.

import type { ComponentChildren } from "preact";
import { logOut } from "../api/ask";
import { address, addressOf, change, here } from "../state/address";
import { useDataAge, useNow, useStale } from "../state/clock";
import { end } from "../state/load";
import { useSource } from "../state/source";
import { useKnownEvents, useRange } from "../state/seen";
import { EVENTS_AT_ONCE, EVENTS_MAX, world } from "../state/world";
import { Mark } from "../parts/mark";
import { ago, clock, full, span, zone } from "../words/time";
import { Help, helpIsOpen } from "./keys";
import { PAGES } from "./pages";
import { Palette, paletteIsOpen } from "./palette";
import { Ribbon } from "./ribbon";
import { theme, turnTheme } from "./theme";
import { TimeChoice, TimePicker } from "./timepicker";

const WITHIN: Record<string, string> = { pops: "fleet", services: "fleet", upstreams: "fleet", runbooks: "oncall" };

export function Frame({ children }: { children: ComponentChildren }) {
  const stale = useStale();
  return (
    <>
      <a class="skip" href="#main">To the page</a>
      <header class="frame">
        <nav aria-label="Pages">
          <span class="brand">Anycastle</span>
          <Tabs />
          <Connection stale={stale} />
          <Who />
        </nav>
        <Filters />
        <Ribbon />
      </header>
      <Notices stale={stale} />
      <main id="main" tabIndex={-1} class={stale ? "stale" : ""} aria-busy={stale}>{children}</main>
      <Help />
      <Palette />
      <TimeChoice />
    </>
  );
}

function Tabs() {
  const [first = "oncall"] = useSource(address).path;
  const within = WITHIN[first] ?? first;
  return (
    <ul class="tabs">
      {PAGES.map(([path, title]) => (
        <li key={path}><a href={addressOf(path)} aria-current={within === path ? "page" : undefined}>{title}</a></li>
      ))}
    </ul>
  );
}

/** Says whether the controller is heard, and how old what is shown is. */
function Connection({ stale }: { stale: boolean }) {
  const age = useDataAge();
  const until = useSource(address).until;
  const now = useNow();
  if (until !== null) {
    return <button class="connection frozen" onClick={() => change({ from: null, until: null, brush: null })} title="Let time go on (n)">
      <Mark shape="bar" tone="calm" />events up to {clock(now)}</button>;
  }
  if (age === null) return <span class="connection" role="status"><Mark shape="ring" tone="none" />connecting</span>;
  return (
    <span class={`connection ${stale ? "is-stale" : ""}`} role="status" aria-live={stale ? "assertive" : "off"}>
      <Mark shape={stale ? "dashed" : "full"} tone={stale ? "bad" : "good"} />
      <b>{stale ? "stale" : "live"}</b><span class="age">{span(age)}</span>
    </span>
  );
}

function Who() {
  const me = useSource(world.me);
  const at = useSource(address);
  const dark = useSource(theme) === "dark";
  if (!me) return null;
  return (
    <span class="who">
      <button class="plain" onClick={() => paletteIsOpen.set(true)} title="Go anywhere, order anything (Ctrl-K)">go to <kbd>Ctrl K</kbd></button>
      <button class="plain" onClick={() => change({ local: !at.local })} title="UTC or local time (t)">{at.local ? "local" : "UTC"}</button>
      <button class="plain" onClick={turnTheme} title="Dark or light (d)">{dark ? "dark" : "light"}</button>
      <button class="plain" onClick={() => helpIsOpen.set(true)} title="Keys (?)">keys</button>
      <button class="plain" onClick={() => void logOut().then(end, end)} title={`Log ${me.principal} out`}>
        {me.principal} <span class="quiet">{me.role}</span>
      </button>
    </span>
  );
}

function Filters() {
  const at = useSource(address);
  const services = useSource(world.services).value ?? [];
  const pops = useSource(world.pops).value ?? [];
  const regions = [...new Set(pops.flatMap((pop) => (pop.region ? [pop.region] : [])))].sort();
  const isFiltered = at.service || at.region || at.pop || at.brush || at.until !== null;
  return (
    <div class="filters" role="search" aria-label="Filters">
      <Choice label="Service" value={at.service} all="all services" options={services.map((each) => each.name)}
        choose={(service) => change({ service })} />
      <Choice label="Region" value={at.region} all="all regions" options={regions} choose={(region) => change({ region })} />
      <label><span>PoP</span>
        <input id="find" type="search" value={at.pop} placeholder="name or city" spellcheck={false}
          onInput={(event) => change({ pop: event.currentTarget.value })} />
      </label>
      <TimePicker />
      {isFiltered && <button class="plain" onClick={() => change({ service: "", region: "", pop: "", brush: null, from: null, until: null })}>clear (x)</button>}
      <CopyLink />
    </div>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  all?: string;
  options: string[];
  choose: (value: string) => void;
}

function Choice({ label, value, all, options, choose }: ChoiceProps) {
  return (
    <label><span>{label}</span>
      <select value={value} onChange={(event) => choose(event.currentTarget.value)}>
        {all !== undefined && <option value="">{all}</option>}
        {options.map((each) => <option key={each} value={each}>{each}</option>)}
      </select>
    </label>
  );
}

/** A link that shows others what is seen now: time stands still in it. */
function CopyLink() {
  const now = useNow();
  const copy = (): void => {
    const target = here({ until: Math.floor(now) });
    void navigator.clipboard?.writeText(location.origin + target);
    change({ until: Math.floor(now) });
  };
  return <button class="plain" onClick={copy} title="Copy a link in which time stands still">copy link</button>;
}

/** Says from when on the log is held, where that is later than the time that is looked at. */
function LogBegins() {
  const events = useKnownEvents() ?? [];
  const held = useSource(world.events).value?.length ?? 0;
  const older = useSource(world.older);
  const { window } = useRange();
  const first = events[0];
  if (first === undefined || held < EVENTS_AT_ONCE || first.at <= window.from || (older.length > 0 && older.length < EVENTS_MAX)) return null;
  return <p class="notice"><Mark shape="ring" tone="none" />Events are shown from {full(first.at)} on: this page holds
    the last {events.length}. <code>GET /api/v1/events</code> has all.</p>;
}

function Notices({ stale }: { stale: boolean }) {
  const now = useNow();
  const age = useDataAge();
  const fleet = useSource(world.fleet).value;
  const freeze = useSource(world.freeze).value;
  const glass = useSource(world.glass).value;
  const lostAt = now - (age ?? 0) * 1000;
  return (
    <div class="notices">
      <LogBegins />
      {stale && <p class="notice bad" role="alert"><Mark shape="dashed" tone="bad" /><b>Stale.</b> The controller was
        heard last at {clock(lostAt)} {zone()}; what is shown below is from then. It is dialled again.</p>}
      {freeze?.frozen && <p class="notice warn"><Mark shape="bar" tone="warn" /><b>Frozen</b> by {freeze.who}
        {freeze.since && <> since <time title={full(Date.parse(freeze.since))}>{ago(Date.parse(freeze.since), now)}</time></>}: {freeze.reason}</p>}
      {glass?.asked && <p class="notice warn"><Mark shape="cross" tone="warn" /><b>Break-glass</b> asked for by {glass.who}: {glass.reason}
        {glass.approved_by ? <>; approved by {glass.approved_by}</> : "; a second person has not approved"}</p>}
      {fleet && !fleet.leads && <p class="notice warn"><Mark shape="ring" tone="warn" />This controller does not lead: it
        knows nothing of agents now, and takes no orders. {fleet.leader ? <>It leads: {fleet.leader}</> : "Nobody is known to lead."}</p>}
      {fleet && fleet.mitigations.length > 0 && <p class="notice warn"><Mark shape="diamond" tone="warn" /><b>Announced against a hijack:</b> {fleet.mitigations.join(", ")}</p>}
    </div>
  );
}
