// First steps for each state that needs somebody. They are part of the pages, so that they are there when all else is not.

import { Empty } from "../parts/states";
import { addressOf } from "../state/address";

interface Runbook {
  title: string;
  means: string;
  steps: string[];
  doc: string;
}

export const RUNBOOKS: Record<string, Runbook> = {
  "no-contact": {
    title: "No contact with a PoP's agent",
    means: "The agent has no session with this controller. It goes on by itself: it withdraws what fails, within the permits that it holds.",
    steps: ["At the PoP: systemctl status anycastle-agent", "anycastle agent status, at its line controller", "Clocks, certificates and the way to the controller: anycastle pki list", "If its router is gone as well, see whether its routes are still seen: anycastle watch"],
    doc: "docs/how-to/controller.md",
  },
  withdrawn: {
    title: "A service is withdrawn at a PoP",
    means: "Its checks fail, and the PoP took its announcements back. Clients are answered by the next PoP.",
    steps: ["Read the evidence: it is what the check saw", "At the PoP, ask what the check asks", "Look whether other PoPs carry the load: the service's page, against its floor", "Once it serves, it is announced again by itself after the check's rise"],
    doc: "docs/how-to/health-checks.md",
  },
  "down-announced": {
    title: "A service is down, and still announced",
    means: "No permit allowed the withdrawal: with it, fewer PoPs than the floor would announce. Clients of this PoP get no answer.",
    steps: ["Bring another PoP back first: that frees a permit", "See which PoPs are drained or withdrawn on the service's page", "If it must go all the same, lower the floor by a rollout, with its reason"],
    doc: "docs/design/permits.md",
  },
  "not-withdrawn-yet": {
    title: "To be withdrawn, and still exported",
    means: "The agent wants it withdrawn, and the router still exports it.",
    steps: ["At the PoP: anycastle agent status, at its sessions", "Ask the router itself: birdc show route export"],
    doc: "docs/how-to/bird.md",
  },
  "routes-missing": {
    title: "The router does not export what is wanted",
    means: "Fewer routes are at the router than the agent wants.",
    steps: ["Which are missing: the PoP's page, under Routes", "Is the session with that upstream up?", "Filters of the router: birdc show protocols all"],
    doc: "docs/how-to/bird.md",
  },
  "session-down": {
    title: "A BGP session is down",
    means: "Routes to that upstream are not announced now.",
    steps: ["Its reason: the PoP's page, under What happened", "Is the upstream in maintenance?", "Can the neighbour be reached from the PoP?"],
    doc: "docs/how-to/bird.md",
  },
  "steered-away": {
    title: "A service is steered away from a PoP",
    means: "It serves, but not well enough: its routes are made longer, so that most clients go elsewhere.",
    steps: ["Read the evidence", "Look at the load of the PoPs that take its clients"],
    doc: "docs/how-to/health-checks.md",
  },
  degraded: {
    title: "A check fails, and the service is announced",
    means: "The quorum of its checks still holds, or the check only warns.",
    steps: ["Read the evidence", "Mend it before the next check fails"],
    doc: "docs/how-to/health-checks.md",
  },
  drained: {
    title: "A service is drained at a PoP",
    means: "Somebody took it out of service; who and why stands in the row.",
    steps: ["Ask the owner whether it may come back", "End it on the PoP's page, or: anycastle undrain"],
    doc: "docs/how-to/drain.md",
  },
  refuses: {
    title: "An agent refuses what is desired of it",
    means: "It lives on by what it had before.",
    steps: ["The reason names what it cannot take", "Roll out a revision that it can, or bring the agent to a newer version"],
    doc: "docs/how-to/controller.md",
  },
  settling: {
    title: "A router is not as its agent wants it yet",
    means: "It was told, and has not confirmed.",
    steps: ["If it lasts: the PoP's page, under Routes"],
    doc: "docs/how-to/bird.md",
  },
  "no-data": {
    title: "Nothing is known of a service at a PoP",
    means: "Its agent has not reported, or another controller has the sessions.",
    steps: ["Ask the controller that leads: the page Fleet names it", "anycastle controller status"],
    doc: "docs/how-to/controller.md",
  },
  hijack: {
    title: "Somebody else originates a prefix of ours",
    means: "Some networks send our clients elsewhere.",
    steps: ["Is it one of us? A new upstream or a partner: anycastle rpki audit", "Where approved more-specifics are in the fleet: anycastle mitigate hijack PREFIX; a second person must approve", "Write to the origin's network and its upstreams, with the evidence", "End it once the finding is cleared: anycastle mitigate end PREFIX"],
    doc: "docs/how-to/hijack.md",
  },
};

export function OneRunbook({ name }: { name: string }) {
  const found = RUNBOOKS[name];
  if (found === undefined) return <Empty>There is no runbook {name}. <a href={addressOf("oncall")}>On-call</a></Empty>;
  return (
    <article class="runbook">
      <h1>{found.title}</h1>
      <p>{found.means}</p>
      <ol>{found.steps.map((step) => <li key={step}>{step}</li>)}</ol>
      <p class="quiet">More in <code>{found.doc}</code></p>
    </article>
  );
}
