// The pages of a controller: one address each, drawn from what the API says.

import { render } from "preact";
import { useEffect } from "preact/hooks";
import { Frame } from "./frame/frame";
import { followKeys } from "./frame/keys";
import { Login } from "./frame/login";
import { showTheme } from "./frame/theme";
import { Audit } from "./pages/audit";
import { Catchments } from "./pages/catchments";
import { Debug } from "./pages/debug";
import { Executive } from "./pages/executive";
import { Fleet } from "./pages/fleet";
import { OneIncident } from "./pages/incident";
import { Incidents } from "./pages/incidents";
import { OnCall } from "./pages/oncall";
import { OnePoP } from "./pages/pop";
import { OneRollout } from "./pages/rollout";
import { Rollouts } from "./pages/rollouts";
import { OneRunbook } from "./pages/runbook";
import { OneService } from "./pages/service";
import { OneUpstream } from "./pages/upstream";
import { Empty, Loading } from "./parts/states";
import { address, followLinks } from "./state/address";
import { begin } from "./state/load";
import { useSource } from "./state/source";
import { world } from "./state/world";

const TITLES: Record<string, string> = {
  oncall: "On-call", rollouts: "Rollouts", fleet: "Fleet", incidents: "Incidents", executive: "Executive", audit: "Audit", catchments: "Catchments", debug: "Debug",
  pops: "PoP", services: "Service", upstreams: "Upstream", runbooks: "Runbook",
};

function Page() {
  const [first = "oncall", second] = useSource(address).path;
  useEffect(() => {
    document.title = [second, TITLES[first], "Anycastle"].filter(Boolean).join(" · ");
  }, [first, second]);
  if (second !== undefined) {
    if (first === "rollouts") return <OneRollout number={second} key={second} />;
    if (first === "incidents") return <OneIncident number={second} key={second} />;
    if (first === "pops") return <OnePoP name={second} key={second} />;
    if (first === "upstreams") return <OneUpstream name={second} key={second} />;
    if (first === "services") return <OneService name={second} key={second} />;
    if (first === "runbooks") return <OneRunbook name={second} />;
  }
  if (first === "oncall") return <OnCall />;
  if (first === "rollouts") return <Rollouts />;
  if (first === "fleet") return <Fleet />;
  if (first === "incidents") return <Incidents />;
  if (first === "catchments") return <Catchments />;
  if (first === "debug") return <Debug />;
  if (first === "executive") return <Executive />;
  if (first === "audit") return <Audit />;
  return <Empty>There is no page {first}.</Empty>;
}

function App() {
  const me = useSource(world.me);
  const connection = useSource(world.connection);
  if (me === undefined) {
    return <main class="login"><h1>Anycastle</h1>{connection === "lost" ? <Empty>The controller does not answer. It is asked again every 5 s.</Empty> : <Loading what="who you are" />}</main>;
  }
  return me === null ? <Login /> : <Frame><Page /></Frame>;
}

showTheme();
followLinks();
followKeys();
render(<App />, document.getElementById("app")!);
void begin();
