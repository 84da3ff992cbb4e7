// The address is the state: what is shown, filtered and marked stands in it, so that a reload or a copied link shows
// the same. Only the theme does not: it belongs to the person, not to what is seen.

import { Source } from "./source";

export const WINDOWS = { "5m": 300, "15m": 900, "1h": 3600, "6h": 21600, "24h": 86400, "7d": 604800, "30d": 2592000 } as const;
export type WindowName = keyof typeof WINDOWS;

export interface Address {
  /** `rollouts/7` */
  path: string[];
  service: string;
  region: string;
  pop: string;
  window: WindowName;
  /** Milliseconds since 1970 at which an absolute time begins; null where `window` says how long it is. */
  from: number | null;
  /** Milliseconds since 1970 at which time stands still; null for now. */
  until: number | null;
  /** A part of the window that was marked, in milliseconds since 1970. */
  brush: [number, number] | null;
  local: boolean;
  kind: string;
  /** What is picked on the page: an event's number, a finding, a prefix. */
  pick: string;
  /** The address whose catchments or paths are shown. */
  target: string;
  /** The moment within the time that a slider stands at, in milliseconds since 1970. */
  at: number | null;
  /** What is tried on the fleet, as `words/tried.ts` has it; null where nothing is. */
  tried: string | null;
}

const BASE = "/ui/";

function parse(): Address {
  const query = new URLSearchParams(location.search);
  const window = query.get("window") ?? "1h";
  const marked = (query.get("brush") ?? "").split("~").map((text) => Date.parse(text));
  const until = moment(query.get("until"));
  const begins = moment(query.get("from"));
  const [from, to] = marked;
  return {
    path: location.pathname.slice(BASE.length).split("/").filter(Boolean).map(decodeURIComponent),
    service: query.get("service") ?? "",
    region: query.get("region") ?? "",
    pop: query.get("pop") ?? "",
    window: window in WINDOWS ? (window as WindowName) : "1h",
    from: begins !== null && (until === null || begins < until) ? begins : null,
    until,
    brush: from !== undefined && to !== undefined && from < to ? [from, to] : null,
    local: query.get("tz") === "local",
    kind: query.get("kind") ?? "",
    pick: query.get("pick") ?? "",
    target: query.get("target") ?? "",
    at: moment(query.get("at")),
    tried: query.get("if"),
  };
}

function moment(text: string | null): number | null {
  const at = Date.parse(text ?? "");
  return Number.isNaN(at) ? null : at;
}

/** Gives the address of something, with the filters that hold. */
export function addressOf(path: string, changes: Partial<Address> = {}): string {
  const told = { ...address.value, pick: "", target: "", at: null, tried: null, ...changes };
  const query = new URLSearchParams();
  if (told.service) query.set("service", told.service);
  if (told.region) query.set("region", told.region);
  if (told.pop) query.set("pop", told.pop);
  if (told.from !== null) query.set("from", new Date(told.from).toISOString());
  else if (told.window !== "1h") query.set("window", told.window);
  if (told.until !== null) query.set("until", new Date(told.until).toISOString());
  if (told.brush) query.set("brush", told.brush.map((at) => new Date(at).toISOString()).join("~"));
  if (told.local) query.set("tz", "local");
  if (told.kind) query.set("kind", told.kind);
  if (told.pick) query.set("pick", told.pick);
  if (told.target) query.set("target", told.target);
  if (told.at !== null) query.set("at", new Date(told.at).toISOString());
  if (told.tried !== null) query.set("if", told.tried);
  const text = query.toString();
  return BASE + path + (text ? `?${text}` : "");
}

export const address = new Source<Address>(parse());

/** Goes to an address; with `replace`, "back" does not lead to where it was before. */
export function go(target: string, replace = false): void {
  history[replace ? "replaceState" : "pushState"](null, "", target);
  address.set(parse());
}

/** Gives the address of the page that is shown, otherwise filtered or marked. */
export function here(changes: Partial<Address>): string {
  return addressOf(address.value.path.map(encodeURIComponent).join("/"), { pick: address.value.pick, target: address.value.target, at: address.value.at, tried: address.value.tried, ...changes });
}

/** Changes what is filtered or marked. */
export function change(changes: Partial<Address>): void {
  go(here(changes), true);
}

/** Lets "back" work, and links within the pages lead without loading anew. */
export function followLinks(): void {
  addEventListener("popstate", () => address.set(parse()));
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const link = (event.target as Element).closest("a");
    if (link === null || link.target || !link.pathname.startsWith(BASE) || link.origin !== location.origin) return;
    event.preventDefault();
    go(link.pathname + link.search);
    scrollTo(0, 0);
  });
}
