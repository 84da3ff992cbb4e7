// Asks the API. The token is in a cookie that no script reads; the header says that it is a page of ours that asks.

import type { Page, Problem } from "./shapes";

export const HEADERS = { "Anycastle-Page": "1" };
const V1 = "/api/v1";
/** The server's clock less the browser's, as the last answer had it. */
let skewMs = 0;

/** A request that was refused, or not answered. */
export class Refused extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail);
  }
}

/** Gives the server's time, in milliseconds since 1970. */
export function serverNow(): number {
  return Date.now() + skewMs;
}

async function send(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(V1 + path, { ...init, credentials: "same-origin", cache: "no-store" });
  } catch {
    throw new Refused({
      type: "unreachable", title: "The controller does not answer", status: 0,
      detail: "no answer came from the controller", next: "It is asked again until it answers.",
    });
  }
  noteClock(response);
  if (!response.ok && response.status !== UNCHANGED) throw new Refused(await problemOf(response));
  return response;
}

function noteClock(response: Response): void {
  const told = Date.parse(response.headers.get("Date") ?? "");
  // The header has whole seconds: a difference below that is no difference.
  if (!Number.isNaN(told) && Math.abs(told - Date.now()) > 1500) skewMs = told - Date.now();
}

async function problemOf(response: Response): Promise<Problem> {
  try {
    return (await response.json()) as Problem;
  } catch {
    return { type: "unknown", title: "Refused", status: response.status, detail: response.statusText, next: "" };
  }
}

/** What was read last at each path: while it says the same, the controller sends it no second time. */
const known = new Map<string, { value: unknown; etag: string }>();
const KNOWN_MAX = 40;
const UNCHANGED = 304;

/** Gives an answer, and its ETag; the same value where nothing changed since it was read. Nobody writes into it. */
export async function read<Shape>(path: string, signal?: AbortSignal): Promise<{ value: Shape; etag: string }> {
  const had = known.get(path);
  const headers = { ...HEADERS, ...(had ? { "If-None-Match": had.etag } : {}) };
  const response = await send(path, { headers, ...(signal ? { signal } : {}) });
  if (had !== undefined && response.status === UNCHANGED) {
    known.delete(path);
    known.set(path, had);
    return had as { value: Shape; etag: string };
  }
  const found = { value: (await response.json()) as Shape, etag: response.headers.get("ETag") ?? "" };
  known.delete(path);
  // A chart is asked for another time each time: it would push out what stays.
  if (found.etag && !path.startsWith("/charts/")) known.set(path, found);
  const oldest = known.keys().next();
  if (known.size > KNOWN_MAX && !oldest.done) known.delete(oldest.value);
  return found;
}

/** Gives an answer that is text. */
export async function readText(path: string, signal?: AbortSignal): Promise<string> {
  return (await send(path, { headers: HEADERS, ...(signal ? { signal } : {}) })).text();
}

/** Gives all pages of a list. */
export async function readAll<Item>(path: string, limit: number): Promise<Item[]> {
  const found: Item[] = [];
  let cursor: string | number | null = null;
  do {
    const join: string = path.includes("?") ? "&" : "?";
    const more: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page: Page<Item> = (await read<Page<Item>>(`${path}${join}limit=${limit}${more}`)).value;
    found.push(...page.items);
    cursor = page.next;
  } while (cursor !== null);
  return found;
}

/** Gives the answer to a question that needs a body; it changes nothing. */
export async function question<Shape>(path: string, body: object, signal: AbortSignal): Promise<Shape> {
  const headers = { ...HEADERS, "Content-Type": "application/json" };
  return (await (await send(path, { method: "POST", headers, body: JSON.stringify(body), signal })).json()) as Shape;
}

/** Orders something, once; `etag` names the state that it was decided on. */
export async function order(path: string, body: object, etag?: string): Promise<void> {
  await send(path, {
    method: "POST",
    headers: {
      ...HEADERS,
      "Content-Type": "application/json",
      "Idempotency-Key": crypto.randomUUID?.() ?? String(Math.random()).slice(2),
      ...(etag ? { "If-Match": etag } : {}),
    },
    body: JSON.stringify(body),
  });
}

/** Has the browser keep a token where no script reads it. */
export async function logIn(token: string): Promise<void> {
  known.clear();
  await send("/session", {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
    body: "{}",
  });
}

/** Has the browser forget it. */
export async function logOut(): Promise<void> {
  known.clear();
  await send("/session", { method: "DELETE", headers: HEADERS });
}
