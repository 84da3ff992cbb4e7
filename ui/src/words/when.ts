// Times as people type them: `14:03`, `2026-11-27 14:03:22`, `-90m`, `now`; in the zone that is shown.

import { address } from "../state/address";

const UNITS_MS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const AGO = /^(?:now)?\s*[-−]\s*(\d+)\s*([smhd])$/;
const CLOCK = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/;
const DATE = /^(\d{4})-(\d{2})-(\d{2})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?)?(?:\s*UTC|Z)?$/;

/** Gives milliseconds since 1970; null where the text is no time. */
export function parseWhen(text: string, now: number): number | null {
  const told = text.trim();
  if (told === "" || told === "now") return now;
  const ago = AGO.exec(told);
  if (ago) return now - Number(ago[1]) * UNITS_MS[ago[2]!]!;
  const clock = CLOCK.exec(told);
  if (clock) return today(now, Number(clock[1]), Number(clock[2]), Number(clock[3] ?? 0));
  const date = DATE.exec(told);
  if (date === null) return null;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = date.slice(1).map((each) => Number(each ?? 0));
  if (month > 12 || day > 31 || hour > 23 || minute > 59 || second > 59) return null;
  return made(/Z|UTC$/.test(told), year, month - 1, day, hour, minute, second);
}

function today(now: number, hour: number, minute: number, second: number): number | null {
  if (hour > 23 || minute > 59 || second > 59) return null;
  const date = new Date(now);
  return address.value.local
    ? date.setHours(hour, minute, second, 0)
    : date.setUTCHours(hour, minute, second, 0);
}

function made(utc: boolean, year: number, month: number, day: number, hour: number, minute: number, second: number): number {
  return address.value.local && !utc
    ? new Date(year, month, day, hour, minute, second).getTime()
    : Date.UTC(year, month, day, hour, minute, second);
}
