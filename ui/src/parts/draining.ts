// Draining a PoP, and ending that: what will happen, before it is ordered.

import { order } from "../api/ask";
import type { ServiceStanding } from "../api/shapes";
import { world } from "../state/world";
import { judge, type PoPJudged } from "../words/standing";
import type { Asked } from "./confirm";

export function drain(pop: string, services: ServiceStanding[], all: PoPJudged[]): Asked {
  const names = services.map((each) => each.name);
  return {
    title: `Drain ${pop}?`,
    happens: [
      ...names.map((name) => after(pop, name, all)),
      "Routes go out with GRACEFUL_SHUTDOWN first, and are withdrawn after 5 s. Where a floor stands against it, the PoP keeps announcing, and says so.",
      "The drain lasts until somebody ends it.",
    ],
    verb: "Drain",
    danger: true,
    needsReason: true,
    carryOut: (reason) => order("/drain", { pops: [pop], services: names, reason }),
  };
}

/** Says where a service is announced once this PoP is drained, of whom nothing is known, and what its floor is. */
function after(pop: string, name: string, all: PoPJudged[]): string {
  const others = all.filter((each) => each.pop.name !== pop && each.cells.has(name));
  const known = others.flatMap((each) => {
    const standing = each.pop.connected ? each.standing?.services.find((other) => other.name === name) : undefined;
    return standing === undefined ? [] : [{ each, standing }];
  });
  const announced = known.filter(({ each, standing }) => standing.routes_exported > 0 && judge(each.pop, standing).word !== "drained");
  const unknown = others.filter((each) => !known.some((other) => other.each === each)).map((each) => each.pop.name);
  const floor = world.services.value.value?.find((each) => each.name === name)?.floor_pops;
  const names = announced.map(({ each }) => each.pop.name).join(", ") || "none";
  return `${name} is announced by ${announced.length} PoPs then (${names})${unknown.length ? `, and nothing is known of ${unknown.join(", ")}` : ""}; its floor is ${floor ?? "not known"}.`;
}

export function undrain(pop: string, services: ServiceStanding[]): Asked {
  const names = services.map((each) => each.name);
  return {
    title: `End the drain of ${pop}?`,
    happens: names.map((name) => `${name} is announced at ${pop} again as soon as its checks hold.`),
    verb: "Undrain",
    needsReason: true,
    carryOut: (reason) => order("/undrain", { pops: [pop], services: names, reason }),
  };
}
