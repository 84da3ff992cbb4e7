// The ways of packets before and after they changed, hop by hop.

import type { Traced, Way } from "../api/shapes";
import { address, change } from "../state/address";
import { useSource } from "../state/source";
import { clock, full } from "../words/time";
import { Mark } from "./mark";
import { Section } from "./section";
import { Empty } from "./states";

export function WayDiff({ traced, at }: { traced: Traced[]; at: number }) {
  const pick = useSource(address).pick;
  const changed = (each: Traced): number => Number((each.ways.findLast((way) => Date.parse(way.first) <= at) ?? each.ways[0]) !== each.ways[0]);
  const ordered = traced.toSorted((a, b) => changed(b) - changed(a) || a.vantage_point.localeCompare(b.vantage_point));
  const shown = ordered.find((each) => each.vantage_point === pick) ?? ordered[0];
  if (shown === undefined) {
    return <Section title="Ways of packets"><Empty>No traceroute to this prefix was delivered. A prober's module <code>traceroute</code> does it.</Empty></Section>;
  }
  const now = shown.ways.findLast((way) => Date.parse(way.first) <= at);
  const before = now && shown.ways[shown.ways.indexOf(now) - 1];
  return (
    <Section title="Ways of packets" aside={<label>from <select value={shown.vantage_point} onChange={(event) => change({ pick: event.currentTarget.value })}>
      {ordered.map((each) => <option key={`${each.vantage_point} ${each.target}`} value={each.vantage_point}>{each.vantage_point}{changed(each) ? " (changed)" : ""}</option>)}</select></label>}>
      {now === undefined ? <Empty>By {clock(at)} no way had been seen.</Empty> : <Hops before={before ?? null} now={now} />}
    </Section>
  );
}

function Hops({ before, now }: { before: Way | null; now: Way }) {
  const count = Math.max(before?.hops.length ?? 0, now.hops.length);
  const cell = (way: Way | null, place: number) => (way === null || place >= way.hops.length ? null : way.hops[place] || <span class="nodata">silent</span>);
  const rtt = (way: Way | null, place: number): string => (way?.rtts_ms[place] == null ? "" : `${way.rtts_ms[place]!.toFixed(1)} ms`);
  const differs = (place: number): boolean => before !== null && Boolean(before.hops[place]) !== Boolean(now.hops[place]) ? place >= Math.min(before.hops.length, now.hops.length)
    : before !== null && before.hops[place] !== now.hops[place];
  const first = Array.from({ length: count }, (_, place) => place).find(differs);
  return (
    <>
      <div class="scroll" tabIndex={0} role="group" aria-label="Hops"><table>
        <thead><tr><th class="first">hop</th><th>before{before && `, until ${clock(Date.parse(before.last))}`}</th><th class="num">rtt</th><th>since {clock(Date.parse(now.first))}</th><th class="num">rtt</th><th>what</th></tr></thead>
        <tbody>{Array.from({ length: count }, (_, place) => (
          <tr key={place} class={differs(place) ? "row-warn" : ""}>
            <td>{place + 1}</td><td><code>{cell(before, place)}</code></td><td class="num">{rtt(before, place)}</td>
            <td><code>{cell(now, place)}</code></td><td class="num">{rtt(now, place)}</td>
            <td>{differs(place) && <span class="said"><Mark shape="diamond" tone="warn" />{place === first ? "it parts here" : "another hop"}</span>}</td>
          </tr>
        ))}</tbody>
      </table></div>
      <p class="how">{before === null ? "No other way was seen before." : first === undefined ? "The same hops answered." : `Until hop ${first} both ways are the same.`} {now.reached ? "The target answered" : "The target did not answer"}, last at {full(Date.parse(now.last))}. A hop that is silent may be any router.</p>
    </>
  );
}
