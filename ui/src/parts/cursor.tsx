// The time under the pointer, shown on the ribbon and on every chart at once.

import type { Range } from "../state/seen";
import { useSource } from "../state/source";
import { hovered, share } from "./brushing";

export function Cursor({ window }: { window: Range }) {
  const at = useSource(hovered);
  if (at === null || at < window.from || at > window.to) return null;
  return <span class="cursor" style={{ left: share(at, window) }} />;
}
