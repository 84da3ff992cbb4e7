// A finding of the watch with its evidence.

import type { WatchFinding } from "../api/shapes";
import { addressOf } from "../state/address";
import { full } from "../words/time";
import { Mark } from "./mark";

export function WatchFound({ found }: { found: WatchFinding }) {
  return (
    <article class="finding">
      <h3><Mark shape={found.cleared ? "up" : "cross"} tone={found.cleared ? "good" : "bad"} />{found.kind.replaceAll("_", " ")}: {found.subject}</h3>
      <p><b>{found.severity}</b> · score {found.score} · seen by {found.peers} peers in {found.asns} networks at {found.collectors} collectors · RPKI: {found.validity || "no data"} · from {full(Date.parse(found.opened))}{found.cleared && <> to {full(Date.parse(found.cleared))}</>}</p>
      <p><code>{found.prefixes.join("  ")}</code></p>
      <ul>{found.reasons.map((reason) => <li key={reason}>{reason}</li>)}</ul>
      <details open={found.evidence.length <= 6}><summary>{found.evidence.length} lines of evidence</summary><pre tabIndex={0} aria-label="Evidence">{found.evidence.join("\n")}</pre></details>
      <p>{found.prefixes[0] && <a href={addressOf("debug", { target: found.prefixes[0] })}>follow the paths</a>} <a href={addressOf("runbooks/hijack")}>runbook</a></p>
    </article>
  );
}
