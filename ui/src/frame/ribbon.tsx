// What changed and what broke, on one line of time above every page. Marking a part of it filters every list of events.

import { Cursor } from "../parts/cursor";
import { share, useBrush, width } from "../parts/brushing";
import { Dot, merged } from "../parts/marks";
import { Ticks } from "../parts/ticks";
import { useEvents, useRange } from "../state/seen";
import { tell } from "../words/happening";
import { full } from "../words/time";
import type { LogEvent } from "../api/shapes";
import type { Range } from "../state/seen";

const ROWS: Record<string, number> = { trouble: 8, change: 22 };

export function Ribbon() {
  const { window, marked } = useRange();
  const events = useEvents((event) => tell(event).class in ROWS, window) ?? [];
  const { box, handlers, shown } = useBrush(window, marked);
  return (
    <div class="ribbon">
      <div class="ribbon-labels" aria-hidden="true"><span>trouble</span><span>changes</span></div>
      <div class="ribbon-line" ref={box} {...handlers} role="img" aria-label={summary(events, window)} title="Drag to mark a time; click to let go">
        <Ticks window={window} />
        {shown && <span class="brush" style={{ left: share(shown.from, window), width: width(shown, window) }} />}
        {merged(events, window, ROWS).map((each) => <Dot key={each.key} dot={each} />)}
        <Cursor window={window} />
      </div>
    </div>
  );
}

function summary(events: LogEvent[], window: Range): string {
  const count = (name: string): number => events.filter((event) => tell(event).class === name).length;
  return `${count("trouble")} troubles and ${count("change")} changes from ${full(window.from)} to ${full(window.to)}`;
}
