// What stands where there is nothing to show: still loading, nothing there, not allowed, not answered.

import type { ComponentChildren } from "preact";
import type { Problem } from "../api/shapes";

export function Loading({ what }: { what: string }) {
  return <p class="state" role="status"><span class="spin" aria-hidden="true" />reading {what}</p>;
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="state"><span>{children}</span></p>;
}

const NOT_ALLOWED = 403;

export function Failed({ problem, what }: { problem: Problem; what: string }) {
  const denied = problem.status === NOT_ALLOWED;
  return (
    <div class={`state problem ${denied ? "denied" : ""}`} role="alert">
      <strong>{denied ? `You may not see ${what}` : problem.title}</strong>
      <span>{problem.detail}</span>
      {problem.leader && <span>It leads: {problem.leader}</span>}
      {problem.next && <span class="quiet">{problem.next}</span>}
    </div>
  );
}

/** Shows a value that cannot be told: never a zero. */
export function NoData({ why }: { why: string }) {
  return <span class="nodata" title={why}>no data</span>;
}
