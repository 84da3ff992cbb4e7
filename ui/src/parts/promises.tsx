// What is left of each budget and how fast it goes, and what clients got by region: as a Prometheus had it, with its age.

import type { ComponentChildren } from "preact";
import type { Budget, BudgetsTold, Reading, Service } from "../api/shapes";
import { serverNow } from "../api/ask";
import { address } from "../state/address";
import { useNow } from "../state/clock";
import { useFetched, type Fetched } from "../state/fetched";
import { useSource } from "../state/source";
import { TONES, amount, interval, ratio } from "../words/budget";
import { full, span } from "../words/time";
import { Mark } from "./mark";
import { Section } from "./section";
import { Empty, Failed, Loading, NoData } from "./states";

const AGAIN_S = 10;
/** What was told this many rounds ago is stale. */
const ROUNDS = 4;
const SPANS = ["5m", "1h", "6h", "3d"];

export function useBudgets(): Fetched<BudgetsTold> {
  useNow();
  return useFetched<BudgetsTold>("/budgets", Math.floor(serverNow() / 1000 / AGAIN_S));
}

/** Says from when what is shown is; of what is stale, why nothing newer is known. */
function Age({ told }: { told: BudgetsTold }) {
  if (!told.asked) return <>no data</>;
  if (told.at === null) return <>{told.trouble ? <b class="bad">the Prometheus does not answer: {told.trouble}</b> : "the Prometheus is being asked"}</>;
  const age = (serverNow() - Date.parse(told.at)) / 1000;
  const stale = told.trouble !== null || age > ROUNDS * (told.every_s ?? AGAIN_S);
  return stale ? <b class="bad"><Mark shape="dashed" tone="bad" />stale, {span(age)} old: {told.trouble ?? "no newer answer"}</b> : <span title={full(Date.parse(told.at))}>{span(age)} old</span>;
}

function why(told: BudgetsTold): string {
  if (!told.asked) return "this controller asks no Prometheus";
  return told.at === null ? told.trouble ?? "the Prometheus was not asked yet" : "the Prometheus has no series of it";
}

interface PromisesProps {
  services: Service[];
  told: Fetched<BudgetsTold>;
  /** A row for each region too. */
  regions?: boolean;
}

export function Promises({ services, told: { value: told, problem }, regions = false }: PromisesProps) {
  const names = new Set(services.map((each) => each.name));
  if (told === null) return <Section title="Budgets">{problem ? <Failed problem={problem} what="budgets" /> : <Loading what="budgets" />}</Section>;
  const own = told.budgets.filter((each) => names.has(each.service));
  const rows = own.filter((each) => regions || each.region === null);
  const promised = services.some((each) => each.objectives.length > 0);
  return (
    <Section title="Budgets" aside={<>what is left, and how fast it burns; <Age told={told} /></>}>
      {!promised ? <Empty>No service of these promises anything: an <code>objectives</code> list in its file would.</Empty> : (
        <div class="scroll" tabIndex={0} role="group" aria-label="Budgets"><table>
          <thead><tr><th>service</th><th>objective</th><th class="num">target</th><th>over</th><th>state</th><th class="num">left</th>{SPANS.map((each) => <th key={each} class="num">burn {each}</th>)}<th>outlook</th></tr></thead>
          <tbody>{rows.map((each) => <Row key={`${each.service} ${each.objective} ${each.region ?? ""}`} budget={each} worst={regions ? null : worst(own, each)} none={why(told)} />)}</tbody>
        </table></div>
      )}
      {promised && !told.asked && <p class="how">No data: this controller asks no Prometheus, so it knows no budget. Have one run the rules of <code>anycastle slo export prometheus</code>, and name it by <code>--indicators</code>.</p>}
      {promised && <How title="How budgets are measured">{definitions(own).map(([name, each]) => (
        <div key={name}><dt>{name}</dt><dd>{each.definition} Measured by: {each.source}. {each.excludes.length > 0 && <>Not counted: {each.excludes.join("; ")}.</>}</dd></div>
      ))}<div><dt>burn</dt><dd>Bad events over events of the span, over what the target allows: 1 spends the budget in just its window. Recorded by the exported rules.</dd></div></How>}
    </Section>
  );
}

function Row({ budget, worst: least, none }: { budget: Budget; worst: Budget | null; none: string }) {
  const { tone, shape } = TONES[budget.state];
  return (
    <tr data-budget={`${budget.service} ${budget.objective} ${budget.region ?? "global"}`} class={budget.region === null ? "" : "of-region"}>
      <td>{budget.service}</td><td title={budget.definition}>{budget.objective} {budget.region !== null && <span class="quiet">{budget.region}</span>}</td>
      <td class="num">{promise(budget.target)}</td><td>{budget.window}</td>
      <td><span class="said" title={budget.alerts.join(", ")}><Mark shape={shape} tone={tone} />{budget.state}</span></td>
      <td class="num">{budget.left === null ? <NoData why={none} /> : <b class={budget.left <= 0 ? "bad" : ""}>{ratio(budget.left)}</b>}</td>
      {SPANS.map((each) => <td key={each} class="num">{budget.burn[each] === undefined ? <NoData why={none} /> : amount(budget.burn[each], "times")}</td>)}
      <td class="evidence">{budget.left !== null && outlook(budget)}{least !== null && least.left !== null && <span class="quiet"> · least in {least.region}: {ratio(least.left)}</span>}</td>
    </tr>
  );
}

/** `99.9 %`: as many digits as it was promised with. */
const promise = (target: number): string => `${(100 * target).toFixed(3).replace(/\.?0+$/, "")} %`;

/** The words say what is left first; that has a column of its own. */
const outlook = (budget: Budget): string => budget.words.replace(/^-?[\d.]+% left; /, "");

/** Gives the region with the least left of an objective. */
function worst(all: Budget[], of: Budget): Budget | null {
  const own = all.filter((each) => each.service === of.service && each.objective === of.objective && each.region !== null && each.left !== null);
  return own.length === 0 ? null : own.reduce((least, each) => (each.left! < least.left! ? each : least));
}

function definitions(budgets: Budget[]): [string, Budget][] {
  return [...new Map(budgets.map((each) => [each.indicator.replaceAll("_", " "), each]))];
}

/** How numbers came about: closed until somebody asks, by pointer or by key. */
function How({ title, children }: { title: string; children: ComponentChildren }) {
  return <details class="how"><summary>{title}</summary><dl>{children}</dl></details>;
}

/** What clients got: a row for each measure, a column for each region. `good` gives the number that people expect of it. */
const GOT: { name: string; of: string; title: string; good?: boolean }[] = [
  { name: "routing_success", of: "", title: "availability" },
  { name: "edge_latency", of: "p95", title: "p95 of an answer" },
  { name: "client_errors", of: "", title: "requests that failed" },
];

const GLOBAL = "global";

export function Got({ told: { value: told, problem } }: { told: Fetched<BudgetsTold> }) {
  const region = useSource(address).region;
  if (told === null) return problem ? null : <Section title="What clients got"><Loading what="indicators" /></Section>;
  const find = (name: string, of: string, scope: string): Reading | undefined => told.readings.find((each) => each.name === name && each.of === of && each.scope === scope);
  const shown = new Set(GOT.map((each) => each.name));
  const regions = [...new Set(told.readings.filter((each) => shown.has(each.name)).map((each) => each.scope))].filter((each) => each !== GLOBAL && (!region || each === region)).sort();
  const scrubbed = told.readings.filter((each) => each.name === "scrubbed");
  const defined = new Map(told.readings.filter((each) => shown.has(each.name) || each.name === "scrubbed").map((each) => [each.name, each]));
  return (
    <Section title="What clients got" aside={<>in the last hour, by region; <Age told={told} /></>}>
      {defined.size === 0 ? <Empty>No data: {told.asked ? <>the Prometheus has no indicators; it has those of a <code>anycastle telemetry run</code> that it scrapes, and a role for some services does not see what concerns all.</> : "this controller asks no Prometheus."}</Empty> : (
        <div class="scroll" tabIndex={0} role="group" aria-label="What clients got"><table>
          <thead><tr><th>measure</th><th class="num">everywhere</th>{regions.map((each) => <th key={each} class="num">{each}</th>)}</tr></thead>
          <tbody>
            {GOT.map(({ name, of, title }) => (
              <tr key={name} data-measure={name}><td title={defined.get(name)?.definition}>{title}</td>
                {[GLOBAL, ...regions].map((scope) => <td key={scope} class="num"><Measured reading={find(name, of, scope)} /></td>)}</tr>
            ))}
            <tr data-measure="scrubbed"><td title={defined.get("scrubbed")?.definition}>scrubbed as an attack</td>
              <td class="num" colSpan={1 + regions.length}>{scrubbed.length === 0 ? <NoData why="no filter's counters are read" /> : scrubbed.map((each, place) => <span key={each.of}>{place > 0 && ", "}<Measured reading={each} /> of {each.of}</span>)}</td></tr>
            <tr data-measure="offered"><td>traffic offered, scrubbed</td>
              <td class="num" colSpan={1 + regions.length}>{told.traffic.length === 0 ? <NoData why="no filter's counters are read" /> : told.traffic.map((each, place) => <span key={each.unit}>{place > 0 && "; "}{counted(each.offered)} {each.unit}, {counted(each.scrubbed)} scrubbed</span>)}</td></tr>
          </tbody>
        </table></div>
      )}
      {defined.size > 0 && <How title="How these are measured">{[...defined].map(([name, each]) => (
        <div key={name}><dt>{each.indicator} {name.replaceAll("_", " ")}</dt><dd>{each.definition} Measured by: {each.source}. {each.excludes.length > 0 && <>Not counted: {each.excludes.join("; ")}.</>}</dd></div>
      ))}<div><dt>all services</dt><dd>Telemetry knows regions and networks, and no services: these are of all services together.</dd></div></How>}
    </Section>
  );
}

function Measured({ reading }: { reading: Reading | undefined }) {
  if (reading === undefined) return <NoData why="not measured here" />;
  if (reading.value === null) return <NoData why={`too little to say: ${counted(reading.count)} ${reading.counts}`} />;
  return <span title={[`of ${counted(reading.count)} ${reading.counts}`, interval(reading)].filter(Boolean).join("; ")}>{amount(reading.value, reading.unit)}</span>;
}

/** `1.2 M`: a count in three digits or so. */
function counted(value: number): string {
  const [size, letter] = ([[1e15, " P"], [1e12, " T"], [1e9, " G"], [1e6, " M"], [1e3, " k"]] as [number, string][]).find(([least]) => value >= least) ?? [1, ""];
  const scaled = value / size;
  return `${scaled.toFixed(letter && scaled < 100 ? 1 : 0)}${letter}`;
}
