// Asks before an order goes out: names what will happen, and takes the reason where one is kept.

import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Problem } from "../api/shapes";
import { problemOf, readAfterOrder } from "../state/load";

export interface Asked {
  title: string;
  /** What will happen, each a sentence. */
  happens: ComponentChildren[];
  verb: string;
  danger?: boolean;
  needsReason?: boolean;
  /** What the reason is called; "Why, for the log" where nothing is said. */
  reasonLabel?: string;
  carryOut: (reason: string) => Promise<void>;
}

export function Confirm({ asked, close }: { asked: Asked; close: () => void }) {
  const box = useRef<HTMLDialogElement>(null);
  const [reason, setReason] = useState("");
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  useLayoutEffect(() => box.current?.showModal(), []);

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    setBusy(true);
    try {
      await asked.carryOut(reason.trim());
      await readAfterOrder();
      close();
    } catch (error) {
      setProblem(problemOf(error));
      setBusy(false);
    }
  }

  const ready = !busy && (!asked.needsReason || reason.trim() !== "");
  return (
    <dialog ref={box} onClose={close} aria-labelledby="confirm-title">
      <form onSubmit={(event) => void submit(event)}>
        <h2 id="confirm-title">{asked.title}</h2>
        <ul class="happens">{asked.happens.map((each, place) => <li key={place}>{each}</li>)}</ul>
        {asked.needsReason && (
          <label class="field">{asked.reasonLabel ?? "Why, for the log"}
            <input value={reason} maxLength={500} autoFocus onInput={(event) => setReason(event.currentTarget.value)} />
          </label>
        )}
        {problem && <p class="refused" role="alert"><strong>{problem.title}.</strong> {problem.detail}. {problem.next}</p>}
        <footer>
          <button type="button" class="plain" onClick={close}>Leave it</button>
          <button type="submit" class={asked.danger ? "danger" : "primary"} disabled={!ready}>{asked.verb}</button>
        </footer>
      </form>
    </dialog>
  );
}
