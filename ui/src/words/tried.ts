// What is tried on a fleet, as the address has it: `fra:off,ams/transit-a:2,load:38G`; and in words.

import type { RouteTried, Shift } from "../api/shapes";

export interface Tried {
  off: string[];
  on: string[];
  /** POP/UPSTREAM -> prepends */
  prepends: Record<string, number>;
  load: string;
}

export const PREPENDS_MAX = 20;
const LOAD = /^\d{1,9}(\.\d{1,3})?[kMGT]$/;

/** Tells whether a text is a load with its unit. */
export function isLoad(text: string): boolean {
  return LOAD.test(text);
}

/** Reads an address; what it does not know is passed over. */
export function parseTried(text: string): Tried {
  const tried: Tried = { off: [], on: [], prepends: {}, load: "" };
  for (const part of text.split(",")) {
    const cut = part.lastIndexOf(":");
    const [name, what] = [part.slice(0, cut), part.slice(cut + 1)];
    if (cut <= 0) continue;
    if (name === "load" && isLoad(what)) tried.load = what;
    else if (what === "off") tried.off.push(name);
    else if (what === "on") tried.on.push(name);
    else if (/^\d{1,2}$/.test(what) && Number(what) <= PREPENDS_MAX) tried.prepends[name] = Number(what);
  }
  return tried;
}

export function formatTried({ off, on, prepends, load }: Tried): string {
  return [
    ...off.toSorted().map((pop) => `${pop}:off`), ...on.toSorted().map((pop) => `${pop}:on`),
    ...Object.keys(prepends).toSorted().map((link) => `${link}:${prepends[link]}`), ...(load ? [`load:${load}`] : []),
  ].join(",");
}

/** Gives what is tried, with a PoP switched to the other state than it has. */
export function switched(tried: Tried, pop: string, announcesNow: boolean): Tried {
  const key = announcesNow ? "off" : "on";
  const is = tried[key].includes(pop);
  return { ...tried, [key]: is ? tried[key].filter((each) => each !== pop) : [...tried[key], pop] };
}

/** Gives what is tried, with other prepends; those of now are none that are tried. */
export function prepended(tried: Tried, route: RouteTried, count: number): Tried {
  const { [linkOf(route)]: _, ...others } = tried.prepends;
  return { ...tried, prepends: route.now?.prepend === count ? others : { ...others, [linkOf(route)]: count } };
}

export const linkOf = (route: RouteTried): string => `${route.pop}/${route.upstream}`;

const times = (count: number): string => (count === 1 ? "1 prepend" : `${count} prepends`);

/** Says what would be otherwise, a line for each PoP that is switched and for each route of the others. */
export function differences({ routes }: Shift): string[] {
  const of = (pop: string): RouteTried[] => routes.filter((each) => each.pop === pop);
  return [...new Set(routes.map((each) => each.pop))].flatMap((pop) => {
    const [before, after] = [of(pop).some((each) => each.now), of(pop).some((each) => each.after)];
    if (before && !after) return [`${pop} announces nothing`];
    if (!before && after) return [`${pop} announces, as its files say`];
    return of(pop).flatMap((each) => (each.now && each.after && each.now.prepend !== each.after.prepend
      ? [`${pop} to ${each.upstream}: ${times(each.after.prepend)} in place of ${each.now.prepend}`] : []));
  });
}

/** Gives how it would be made real: orders, what is to be written into the service's file, and how that is rolled out. */
export function howTo({ service, routes }: Shift, tried: Tried): { orders: string[]; file: string[]; rollOut: string[] } {
  const changed = routes.filter((each) => each.now && each.after && each.now.prepend !== each.after.prepend);
  const lines = [...new Set(changed.map((each) => each.pop))].flatMap((pop) => [
    `    ${pop}:`, "      upstreams:",
    ...changed.filter((each) => each.pop === pop).map((each) => `        ${each.upstream}: {prepend: ${each.after?.prepend}}`),
  ]);
  return {
    orders: [
      ...tried.off.map((pop) => `anycastle drain ${service} --pop ${pop} --reason '...'`),
      ...tried.on.map((pop) => `anycastle undrain ${service} --pop ${pop} --reason '...'`),
    ],
    file: lines.length ? ["announcement:", "  pops:", ...lines] : [],
    rollOut: lines.length ? [`anycastle plan --fleet FOLDER --server ${location.origin}`, `anycastle apply FOLDER --server ${location.origin} --reason '...'`] : [],
  };
}

/** `38.2G`: a load or capacity with three digits and its unit. */
export function amount(value: number): string {
  const [unit, of] = ([["T", 1e12], ["G", 1e9], ["M", 1e6], ["k", 1e3]] as const).find(([, each]) => Math.abs(value) >= each) ?? ["", 1];
  const told = value / of;
  return `${Math.abs(told) >= 100 ? told.toFixed(0) : Number(told.toPrecision(3))}${unit}`;
}
