// A rollout's state in a word and a shape, and what an order on it will do.

import type { Rollout, Role, Step } from "../api/shapes";
import type { Shape, Tone } from "./standing";

const STATES: Record<Rollout["state"], { shape: Shape; tone: Tone }> = {
  waiting: { shape: "ring", tone: "calm" },
  applying: { shape: "half", tone: "calm" },
  baking: { shape: "half", tone: "calm" },
  "rolling back": { shape: "down", tone: "bad" },
  finished: { shape: "full", tone: "good" },
  "rolled back": { shape: "down", tone: "warn" },
  aborted: { shape: "cross", tone: "warn" },
};

export function stateOf(rollout: Rollout): { word: string; shape: Shape; tone: Tone } {
  if (rollout.paused_by !== null && !isOver(rollout)) return { word: `paused, ${rollout.state}`, shape: "bar", tone: "warn" };
  return { word: rollout.state, ...STATES[rollout.state] };
}

export function isOver(rollout: Rollout): boolean {
  return rollout.state === "finished" || rollout.state === "rolled back" || rollout.state === "aborted";
}

export type StepState = "done" | "now" | "next" | "back";

export function stepState(rollout: Rollout, step: Step): StepState {
  if (rollout.state === "finished") return "done";
  const isBack = rollout.state === "rolling back" || rollout.state === "rolled back" || rollout.state === "aborted";
  if (isBack) return step.number <= rollout.step ? "now" : "back";
  if (step.number < rollout.step) return "done";
  if (step.number === rollout.step) return rollout.state === "waiting" ? "done" : "now";
  return "next";
}

export type OrderName = "pause" | "resume" | "promote" | "abort" | "approve";

/** Gives the orders that make sense now, for somebody of a role; the controller has the last word. */
export function ordersOf(rollout: Rollout, role: Role): OrderName[] {
  if (isOver(rollout)) return [];
  const found: OrderName[] = [];
  const operates = role === "operator" || role === "admin";
  const approves = role === "approver" || role === "admin";
  if (approves && rollout.marks.length > 0 && rollout.approved_by === null) found.push("approve");
  if (operates && rollout.paused_by !== null) found.push("resume");
  if (operates && rollout.state === "baking") found.push("promote");
  if (operates && rollout.paused_by === null && rollout.state !== "rolling back") found.push("pause");
  if (operates && rollout.state !== "rolling back") found.push("abort");
  return found;
}

const at = (step: Step): string => `${step.pops.join(", ")} (${step.units} ${step.units === 1 ? "route or definition" : "routes and definitions"})`;

/** Gives what an order will do, each a sentence. */
export function happens(order: OrderName, rollout: Rollout): string[] {
  const next = rollout.steps.find((step) => step.number === rollout.step + 1);
  const done = rollout.steps.filter((step) => step.number <= rollout.step);
  const pops = [...new Set(done.flatMap((step) => step.pops))];
  switch (order) {
    case "pause":
      return [
        `Rollout ${rollout.number} stays where it is, at step ${rollout.step} of ${rollout.steps.length}, until somebody resumes or aborts it.`,
        pops.length ? `What it changed at ${pops.join(", ")} stays changed.` : "It has changed nothing yet.",
        "PoPs go on withdrawing what does not serve.",
      ];
    case "resume":
      return [
        rollout.state === "baking"
          ? `Step ${rollout.step} bakes anew, for ${rollout.policy.bake_s} s, and its gates are asked again.`
          : `Rollout ${rollout.number} goes on at step ${rollout.step}.`,
        next ? `Where all pass, step ${next.number} follows: ${at(next)}.` : "It is the last step: where all pass, the rollout is finished.",
      ];
    case "promote":
      return [
        `Step ${rollout.step} ends its bake now, without the rest of its ${rollout.policy.bake_s} s.`,
        next ? `Step ${next.number} begins: ${at(next)}.` : "It is the last step: the rollout is finished, and all PoPs have the new revision.",
      ];
    case "abort":
      return [
        pops.length ? `What steps 1 to ${rollout.step} changed at ${pops.join(", ")} goes back, step by step.` : "It ends, and has changed nothing.",
        ...(next ? [`Step ${next.number} and what follows never begin.`] : []),
        "It cannot be resumed: a new rollout would begin with its first step.",
      ];
    case "approve":
      return [
        `You agree, as the second person, to: ${rollout.reason}.`,
        ...rollout.marks.map((mark) => `It needed one because of this: ${mark}.`),
        rollout.steps[0] ? `Then step 1 begins: ${at(rollout.steps[0])}.` : "It changes nothing.",
      ];
  }
}
