// How services stand, told in brief: of those that are well only how many routes they have.

import type { PoPStanding, ServiceStanding } from "../api/shapes";

export interface BriefStanding extends PoPStanding {
  /** for each name the routes of a service that is well here; else -1 */
  well: number[];
}

export interface BriefServing {
  names: string[];
  items: BriefStanding[];
  next: string | null;
}

/** Services that are well look alike at every PoP: one object stands for all that have as many routes. */
const wells = new Map<string, ServiceStanding>();

function wellOf(name: string, routes: number): ServiceStanding {
  const key = `${name} ${routes}`;
  let known = wells.get(key);
  if (known === undefined) {
    known = {
      name, stance: "announce", reason: "serving", condition: "up", permit: "", suppressed: false, drain: null, checks: 0, failing: [],
      routes_wanted: routes, routes_exported: routes,
    };
    wells.set(key, known);
  }
  return known;
}

/** Gives a standing with all its services; the one that is known already, where it says the same. */
export function standingOf(names: string[], brief: BriefStanding, known: PoPStanding | undefined): PoPStanding {
  const { well, services, ...own } = brief;
  const all = [...services, ...well.flatMap((routes, place) => (routes < 0 ? [] : [wellOf(names[place]!, routes)]))];
  all.sort((a, b) => (a.name < b.name ? -1 : 1));
  const made: PoPStanding = { ...own, services: all };
  const same = known !== undefined && known.services.length === all.length && known.sessions === made.sessions && known.sessions_up === made.sessions_up &&
    all.every((each, place) => each === known.services[place] || (services.length > 0 && JSON.stringify(each) === JSON.stringify(known.services[place]))) &&
    JSON.stringify(known.problems) === JSON.stringify(made.problems);
  return same ? known : made;
}
