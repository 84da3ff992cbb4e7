// Ticks at round times, some six of them.

import type { Range } from "../state/seen";
import { day, minutes } from "../words/time";
import { share } from "./brushing";

const TICKS_MAX = 8;
const MINUTE_MS = 60_000;
const DAY_MS = 1440 * MINUTE_MS;
const STEPS_MS = [1, 2, 5, 10, 30, 60, 240, 720, 1440, 2880, 7200].map((each) => each * MINUTE_MS);

export function Ticks({ window, max = TICKS_MAX }: { window: Range; max?: number }) {
  const length = window.to - window.from;
  const step = STEPS_MS.find((each) => length / each <= max) ?? Math.ceil(length / max / DAY_MS) * DAY_MS;
  const format = step >= DAY_MS ? day : minutes;
  const first = Math.ceil(window.from / step) * step;
  const count = Math.max(0, Math.floor((window.to - first) / step) + 1);
  return (
    <>
      {Array.from({ length: count }, (_, place) => first + place * step).map((at) => (
        <span key={at} class="tick" style={{ left: share(at, window) }}>{at < window.to - length / 20 && format(at)}</span>
      ))}
    </>
  );
}
