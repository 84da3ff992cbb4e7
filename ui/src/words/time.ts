// Times as people read them: UTC unless the address says local.

import { address } from "../state/address";

const two = (value: number): string => String(value).padStart(2, "0");

interface Parts {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
}

function partsOf(at: number): Parts {
  const date = new Date(at);
  if (address.value.local) {
    return {
      year: date.getFullYear(), month: date.getMonth() + 1, day: date.getDate(),
      hour: date.getHours(), minute: date.getMinutes(), second: date.getSeconds(),
    };
  }
  return {
    year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate(),
    hour: date.getUTCHours(), minute: date.getUTCMinutes(), second: date.getUTCSeconds(),
  };
}

/** `14:03:22` */
export function clock(at: number): string {
  const { hour, minute, second } = partsOf(at);
  return `${two(hour)}:${two(minute)}:${two(second)}`;
}

/** `14:03` */
export function minutes(at: number): string {
  return clock(at).slice(0, 5);
}

/** `11-27` */
export function day(at: number): string {
  const { month, day: date } = partsOf(at);
  return `${two(month)}-${two(date)}`;
}

/** `2026-11-27 14:03:22 UTC` */
export function full(at: number): string {
  const { year, month, day } = partsOf(at);
  return `${year}-${two(month)}-${two(day)} ${clock(at)} ${zone()}`;
}

/** The clock alone today, else with the day. */
export function short(at: number, now: number): string {
  const { month, day } = partsOf(at);
  const today = partsOf(now);
  return month === today.month && day === today.day ? clock(at) : `${two(month)}-${two(day)} ${clock(at)}`;
}

/** `UTC`, or the offset of the local clock. */
export function zone(): string {
  if (!address.value.local) return "UTC";
  const offset = -new Date().getTimezoneOffset();
  const sign = offset < 0 ? "−" : "+";
  return `local (UTC${sign}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)})`;
}

/** `3 s`, `12 min`, `5 h`, `2 d`: how long, with one unit. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 90) return `${whole} s`;
  if (whole < 90 * 60) return `${Math.round(whole / 60)} min`;
  if (whole < 36 * 3600) return `${Math.round(whole / 3600)} h`;
  return `${Math.round(whole / 86400)} d`;
}

export function ago(at: number, now: number): string {
  return `${span((now - at) / 1000)} ago`;
}

/** `2026-11-27 14:03:22`, as it can be typed again. */
export function typed(at: number): string {
  return full(at).slice(0, 19);
}
