// The event stream. It goes on behind the last event that was taken, however often the connection breaks, so no event
// is missed and none is taken twice. `EventSource` cannot send the header of a page, so the frames are read here.

import { HEADERS } from "./ask";
import type { Fields, LogEvent } from "./shapes";

/** How often the controller shows that the stream is alive. */
const HEARTBEAT_S = 2;
/** Silence after which the stream counts as lost: two heartbeats. */
export const SILENCE_MS = 4000;
const AGAIN_MS = [250, 500, 1000, 2000, 4000];

export interface Listener {
  heard(): void;
  events(found: LogEvent[]): void;
  lost(): void;
  /** The log does not reach so far: the store was put back from a backup. */
  restored(): void;
  refused(): void;
}

interface Frame {
  id?: number;
  data?: string;
}

/** Follows the log from an event on, until stopped. */
export class Stream {
  private stopped = false;
  private failures = 0;
  private current: AbortController | null = null;

  constructor(private last: number, private readonly listener: Listener) {
    void this.run();
  }

  stop(): void {
    this.stopped = true;
    this.current?.abort();
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      try {
        await this.follow();
      } catch {
        // it is told below; the reason is in the browser's own network log
      }
      if (this.stopped) return;
      this.listener.lost();
      await pause(AGAIN_MS[Math.min(this.failures++, AGAIN_MS.length - 1)] ?? 4000);
    }
  }

  private async follow(): Promise<void> {
    const abort = new AbortController();
    this.current = abort;
    let silence = setTimeout(() => abort.abort(), SILENCE_MS);
    try {
      const response = await fetch(`/api/v1/events/stream?heartbeat_s=${HEARTBEAT_S}`, {
        headers: { ...HEADERS, "Last-Event-ID": String(this.last) },
        credentials: "same-origin", cache: "no-store", signal: abort.signal,
      });
      if (!response.ok || response.body === null) return this.refuse(response.status);
      this.failures = 0;
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        clearTimeout(silence);
        silence = setTimeout(() => abort.abort(), SILENCE_MS);
        rest = this.take(rest + value);
      }
    } finally {
      clearTimeout(silence);
    }
  }

  private refuse(status: number): void {
    if (status === 401) {
      this.stopped = true;
      this.listener.refused();
    }
    if (status === 409) {
      this.stopped = true;
      this.listener.restored();
    }
  }

  /** Takes whole frames, and gives what is not whole yet. */
  private take(text: string): string {
    const blocks = text.split("\n\n");
    const rest = blocks.pop() ?? "";
    const found: LogEvent[] = [];
    for (const frame of blocks.map(frameOf)) {
      if (frame.data !== undefined) found.push(eventOf(JSON.parse(frame.data) as StoredEvent));
      if (frame.id !== undefined) this.last = Math.max(this.last, frame.id);
    }
    this.listener.heard();
    if (found.length > 0) this.listener.events(found);
    return rest;
  }
}

export interface StoredEvent {
  sequence: number;
  at: number | string;
  pop: string;
  kind: string;
  fields: Fields;
}

/** Gives an event of the stream, whose time is in seconds, or of a page, whose time is RFC 3339. */
export function eventOf(stored: StoredEvent): LogEvent {
  const at = typeof stored.at === "number" ? stored.at * 1000 : Date.parse(stored.at);
  return { sequence: stored.sequence, at, pop: stored.pop, kind: stored.kind, fields: stored.fields };
}

function frameOf(block: string): Frame {
  const frame: Frame = {};
  for (const line of block.split("\n")) {
    if (line.startsWith("id: ")) frame.id = Number(line.slice(4));
    if (line.startsWith("data: ")) frame.data = line.slice(6);
  }
  return frame;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
