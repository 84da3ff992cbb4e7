// An incident's state in a word and a shape, and the time to look at it in.

import type { Incident } from "../api/shapes";
import type { Shape, Tone } from "./standing";

/** An incident is looked at from this long before it began to this long after its end. */
const BEFORE_MS = 15 * 60_000;
const AFTER_MS = 5 * 60_000;

export function incidentState(incident: Incident): { word: string; shape: Shape; tone: Tone } {
  if (incident.status === "cleared") return { word: "over", shape: "full", tone: "good" };
  const tone = incident.severity === "minor" ? "warn" : "bad";
  if (incident.status === "acknowledged") return { word: `${incident.acknowledged_by ?? "somebody"} looks at it`, shape: "half", tone };
  return { word: "open", shape: "cross", tone };
}

/** Gives the time in which an incident is told; it goes on while the incident does. */
export function timeOf(incident: Incident): { from: number; until: number | null; brush: null } {
  const ended = incident.cleared === null ? null : Date.parse(incident.cleared) + AFTER_MS;
  return { from: Date.parse(incident.opened) - BEFORE_MS, until: ended !== null && ended < Date.now() ? ended : null, brush: null };
}

/** Gives how long it took, or has taken, in seconds. */
export function lasted(incident: Incident, now: number): number {
  return ((incident.cleared === null ? now : Date.parse(incident.cleared)) - Date.parse(incident.opened)) / 1000;
}

export function worstFirst(incidents: Incident[]): Incident[] {
  const rank = { critical: 0, major: 1, minor: 2 };
  return incidents.toSorted((a, b) => rank[a.severity] - rank[b.severity] || Date.parse(b.opened) - Date.parse(a.opened));
}

const RUNBOOKS: Record<string, string> = {
  hijack: "hijack", pop_down: "no-contact", service_down: "withdrawn", session_down: "session-down", withdrawn: "routes-missing",
};

/** Gives the page of first steps for an incident's kind, if there is one. */
export function stepsOf(kind: string): string | undefined {
  return RUNBOOKS[kind];
}
