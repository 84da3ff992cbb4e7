// What the twin says of what is tried: asked once nobody has changed it for a moment, and only the newest answer counts.

import { useEffect, useState } from "preact/hooks";
import { question } from "../api/ask";
import type { Problem, Shift } from "../api/shapes";
import { parseTried } from "../words/tried";
import { problemOf } from "./load";

const SETTLED_MS = 150;
/** Where too many ask, the question is put again after so long. */
const AGAIN_MS = 2000;
const TOO_MANY = 429;

export interface Asked {
  /** The last that was told of the service; of what was tried before while `busy`. */
  shift: Shift | null;
  busy: boolean;
  problem: Problem | null;
}

/** Asks for the shift of a service; nothing is asked while `tried` is null. */
export function useShift(service: string, tried: string | null): Asked {
  const [asked, setAsked] = useState<Asked & { service: string }>({ service, shift: null, busy: false, problem: null });
  useEffect(() => {
    if (tried === null || service === "") return undefined;
    const abort = new AbortController();
    let timer = 0;
    const ask = (): void => {
      question<Shift>("/twin/shift", bodyOf(service, tried), abort.signal).then(
        (shift) => !abort.signal.aborted && setAsked({ service, shift, busy: false, problem: null }),
        (error: unknown) => {
          if (abort.signal.aborted) return;
          const problem = problemOf(error);
          if (problem.status === TOO_MANY) timer = window.setTimeout(ask, AGAIN_MS);
          else setAsked((old) => ({ ...old, service, busy: false, problem }));
        },
      );
    };
    setAsked((old) => ({ service, shift: old.service === service ? old.shift : null, busy: true, problem: null }));
    timer = window.setTimeout(ask, SETTLED_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [service, tried]);
  return asked.service === service ? asked : { shift: null, busy: true, problem: null };
}

function bodyOf(service: string, text: string): object {
  const { off, on, prepends, load } = parseTried(text);
  return { service, off, on, prepends, ...(load ? { load } : {}) };
}
