// Something that one page alone needs: read when the page opens, and anew when `again` changes.

import { useEffect, useState } from "preact/hooks";
import { read } from "../api/ask";
import type { Problem } from "../api/shapes";
import { problemOf } from "./load";

export interface Fetched<Shape> {
  value: Shape | null;
  etag: string;
  problem: Problem | null;
}

/** Gives what is at a path; nothing is asked while it is null. */
export function useFetched<Shape>(path: string | null, again: unknown = null): Fetched<Shape> {
  const [found, setFound] = useState<Fetched<Shape> & { path: string | null }>({ path, value: null, etag: "", problem: null });
  useEffect(() => {
    if (path === null) return undefined;
    const abort = new AbortController();
    read<Shape>(path, abort.signal).then(
      ({ value, etag }) => setFound({ path, value, etag, problem: null }),
      (error: unknown) => {
        if (!abort.signal.aborted) setFound((old) => ({ path, value: old.path === path ? old.value : null, etag: "", problem: problemOf(error) }));
      },
    );
    return () => abort.abort();
  }, [path, again]);
  return found.path === path ? found : { value: null, etag: "", problem: null };
}
