// Marking a part of the time: the ribbon and every chart take the same drag, and show the same mark.

import { useRef, useState } from "preact/hooks";
import { address, change } from "../state/address";
import type { Range } from "../state/seen";
import { Source } from "../state/source";

/** The time under the pointer, on whichever chart it is; null where it is on none. */
export const hovered = new Source<number | null>(null);

/** A drag below this part of the window is a click: it lets the mark go. */
const CLICK = 1 / 200;

/** Gives the element to drag on, its handlers, and the mark that is to be shown, if any. */
export function useBrush(window: Range, marked: Range) {
  const box = useRef<HTMLDivElement>(null);
  const [drag, setDrag] = useState<[number, number] | null>(null);
  const at = (x: number): number => {
    const { left, width } = box.current!.getBoundingClientRect();
    return window.from + Math.min(1, Math.max(0, (x - left) / width)) * (window.to - window.from);
  };
  const handlers = {
    onPointerDown: (event: PointerEvent): void => {
      if (event.button !== 0) return;
      box.current!.setPointerCapture(event.pointerId);
      setDrag([at(event.clientX), at(event.clientX)]);
    },
    onPointerMove: (event: PointerEvent): void => {
      hovered.set(at(event.clientX));
      if (drag) setDrag([drag[0], at(event.clientX)]);
    },
    onPointerLeave: (): void => hovered.set(null),
    onPointerUp: (): void => {
      if (drag && Math.abs(drag[1] - drag[0]) > (window.to - window.from) * CLICK) {
        change({ brush: [Math.floor(Math.min(...drag)), Math.ceil(Math.max(...drag))], until: Math.floor(window.to) });
      } else if (drag && marked !== window) {
        change({ brush: null, until: address.value.from === null ? null : address.value.until });
      }
      setDrag(null);
    },
  };
  const shown: Range | null = drag ? { from: Math.min(...drag), to: Math.max(...drag) } : marked === window ? null : marked;
  return { box, handlers, shown };
}

export const percent = (part: number): string => `${Math.min(100, Math.max(0, part * 100)).toFixed(2)}%`;
export const share = (at: number, window: Range): string => percent((at - window.from) / (window.to - window.from));
export const width = (range: Range, window: Range): string => percent((range.to - range.from) / (window.to - window.from));
