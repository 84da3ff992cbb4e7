// A state by shape as well as by colour; the word beside it says it a third time.

import type { JSX } from "preact";
import type { Judged, Shape, Tone } from "../words/standing";

const SHAPES: Record<Shape, JSX.Element> = {
  full: <circle cx="6" cy="6" r="4.5" fill="currentColor" />,
  half: <><circle cx="6" cy="6" r="4" fill="none" stroke="currentColor" stroke-width="1.5" /><path d="M6 2a4 4 0 0 1 0 8z" fill="currentColor" /></>,
  ring: <circle cx="6" cy="6" r="4" fill="none" stroke="currentColor" stroke-width="1.5" />,
  down: <path d="M1 2.5h10L6 11z" fill="currentColor" />,
  up: <path d="M1 9.5h10L6 1z" fill="currentColor" />,
  square: <rect x="2" y="2" width="8" height="8" fill="currentColor" />,
  cross: <path d="M2.5 2.5l7 7M9.5 2.5l-7 7" stroke="currentColor" stroke-width="2.4" fill="none" />,
  dashed: <circle cx="6" cy="6" r="4" fill="none" stroke="currentColor" stroke-width="1.5" stroke-dasharray="2.2 1.6" />,
  diamond: <path d="M6 .8 11.2 6 6 11.2.8 6z" fill="currentColor" />,
  bar: <path d="M3.2 2v8M8.8 2v8" stroke="currentColor" stroke-width="2.4" />,
};

export function Mark({ shape, tone }: { shape: Shape; tone: Tone }) {
  return (
    <svg class={`mark ${tone}`} viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
      {SHAPES[shape]}
    </svg>
  );
}

export function Said({ judged }: { judged: Judged }) {
  return (
    <span class="said">
      <Mark shape={judged.shape} tone={judged.tone} />
      {judged.word}
    </span>
  );
}
