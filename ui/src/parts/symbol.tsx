// A PoP's own symbol: a colour of Okabe and Ito's and a shape, so that it is known without the colour.

export interface Symbol {
  path: string;
  colour: string;
}

const PATHS = [
  "M0-4.6A4.6 4.6 0 1 1 0 4.6 4.6 4.6 0 1 1 0-4.6Z", "M-4-4H4V4H-4Z", "M0-5.2 5 4H-5Z", "M0-5.6 5.6 0 0 5.6-5.6 0Z",
  "M-1.6-5H1.6V-1.6H5V1.6H1.6V5H-1.6V1.6H-5V-1.6H-1.6Z", "M0 5.2 5-4H-5Z", "M-5.2 0-2.6-4.6H2.6L5.2 0 2.6 4.6H-2.6Z",
  "M0-5.8 1.6-1.8 5.6-1.8 2.4 1 3.6 5 0 2.6-3.6 5-2.4 1-5.6-1.8-1.6-1.8Z",
];
const OTHER: Symbol = { path: "M-3-3H3V3H-3Z", colour: "none" };

/** Gives PoP -> its symbol, by their names; beyond eight, the rest look alike, and are told apart by their words. */
export function symbolsOf(pops: string[]): (pop: string) => Symbol {
  const known = new Map(pops.toSorted().slice(0, PATHS.length).map((pop, place): [string, Symbol] => [pop, { path: PATHS[place]!, colour: `c${place}` }]));
  return (pop) => known.get(pop) ?? OTHER;
}

export function Swatch({ symbol }: { symbol: Symbol }) {
  return <svg class="swatch" viewBox="-7 -7 14 14" width="14" height="14" aria-hidden="true"><path class={`dot-${symbol.colour}`} d={symbol.path} /></svg>;
}
