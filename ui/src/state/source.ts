// A value that parts of the page follow.

import { useLayoutEffect, useState } from "preact/hooks";

export class Source<Value> {
  private readonly followers = new Set<() => void>();

  constructor(private held: Value) {}

  get value(): Value {
    return this.held;
  }

  set(value: Value): void {
    if (Object.is(value, this.held)) return;
    this.held = value;
    for (const follower of this.followers) follower();
  }

  follow(follower: () => void): () => void {
    this.followers.add(follower);
    return () => this.followers.delete(follower);
  }
}

/** Gives a source's value, and draws the part anew when it changes. */
export function useSource<Value>(source: Source<Value>): Value {
  const [, redraw] = useState({});
  const drawn = source.value;
  useLayoutEffect(() => {
    if (!Object.is(source.value, drawn)) redraw({}); // it changed between the drawing and this
    return source.follow(() => redraw({}));
  }, [source]);
  return drawn;
}
