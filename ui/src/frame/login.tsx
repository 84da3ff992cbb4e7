// The token is sent once, over this connection, and kept by the browser where no script reads it.

import { useState } from "preact/hooks";
import { logIn } from "../api/ask";
import type { Problem } from "../api/shapes";
import { begin, problemOf } from "../state/load";

export function Login() {
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const field = (event.currentTarget as HTMLFormElement).elements.namedItem("token") as HTMLInputElement;
    const token = field.value.trim();
    field.value = "";
    setBusy(true);
    try {
      await logIn(token);
      await begin();
    } catch (error) {
      setProblem(problemOf(error));
      setBusy(false);
    }
  }

  return (
    <main class="login">
      <h1>Anycastle</h1>
      <form onSubmit={(event) => void submit(event)}>
        <label class="field">Token of this controller
          <input name="token" type="password" autoComplete="off" spellcheck={false} autoFocus required placeholder="acst_…" />
        </label>
        <button class="primary" disabled={busy}>{busy ? "Asking" : "Log in"}</button>
        {problem && <p class="refused" role="alert">{problem.status === 401 ? "This token is not good here, or not any more." : problem.detail}</p>}
      </form>
      <p class="quiet">
        <code>anycastle login</code> prints one after you logged in at your provider; <code>anycastle up</code> writes
        one to <code>admin.token</code>. The browser keeps it for twelve hours, where no script can read it.
      </p>
    </main>
  );
}
