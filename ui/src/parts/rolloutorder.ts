// An order on a rollout: what will happen, before it is given.

import { order } from "../api/ask";
import type { Rollout } from "../api/shapes";
import { happens, type OrderName } from "../words/rollout";
import type { Asked } from "./confirm";

export function ask(name: OrderName, rollout: Rollout, etag: string): Asked {
  return {
    title: `${name[0]!.toUpperCase()}${name.slice(1)} rollout ${rollout.number}?`,
    happens: happens(name, rollout),
    verb: name[0]!.toUpperCase() + name.slice(1),
    danger: name === "abort",
    needsReason: name === "abort",
    carryOut: (reason) => order(`/rollouts/${rollout.number}/${name}`, name === "abort" ? { reason } : {}, etag),
  };
}
