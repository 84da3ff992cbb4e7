// Ticks once a second, for ages and for staleness.

import { serverNow } from "../api/ask";
import { SILENCE_MS } from "../api/stream";
import { address } from "./address";
import { Source, useSource } from "./source";
import { world } from "./world";

const tick = new Source(0);
setInterval(() => tick.set(tick.value + 1), 1000);

/** Gives the time that is shown, in milliseconds since 1970: the server's, or where the address stands still. */
export function useNow(): number {
  useSource(tick);
  return useSource(address).until ?? serverNow();
}

/** Gives how long ago the controller was heard, in seconds; null before it ever was. */
export function useDataAge(): number | null {
  useSource(tick);
  const heardAt = useSource(world.heardAt);
  return heardAt === 0 ? null : Math.max(0, (performance.now() - heardAt) / 1000);
}

/** Tells whether what is shown is old: the stream is lost, or silent for two heartbeats. */
export function useStale(): boolean {
  const age = useDataAge();
  const connection = useSource(world.connection);
  return age !== null && (connection === "lost" || age * 1000 > SILENCE_MS);
}
