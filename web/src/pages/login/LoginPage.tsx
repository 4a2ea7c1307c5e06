import "~/pages/login/login.css";

import { useRouter, useRouterState } from "@tanstack/react-router";
import { type FormEvent, useEffect, useState } from "react";

import { RpcError } from "~/api/rpc";
import { logIn, openSession } from "~/state/session";
import { parseSearch } from "~/state/codec";
import { safeRedirect } from "~/state/links";

function explain(error: unknown): string {
  if (error instanceof RpcError && error.code === 401) {
    return "This key and secret do not match. Look into credentials.json in the server's data folder.";
  }
  return error instanceof Error ? error.message : String(error);
}

/** Key and secret; on the machine of a private server the page passes by itself. */
export function LoginPage() {
  const router = useRouter();
  const search = useRouterState({ select: (state) => state.location.searchStr });
  const target = parseSearch(search)["redirect"];
  // Fixed at the start: while the next page loads, this one already sees that page's address.
  const [goal] = useState(() => safeRedirect(Array.isArray(target) ? target[0] : target));
  const [key, setKey] = useState("");
  const [secret, setSecret] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const [caps, setCaps] = useState(false);

  useEffect(() => {
    document.title = "Log in · Trialbook";
    openSession().then(
      (open) => open && router.history.replace(goal),
      (error: unknown) => setProblem(explain(error)),
    );
  }, [goal, router]);

  const send = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    try {
      await logIn(key.trim(), secret.trim());
      router.history.replace(goal);
    } catch (error) {
      setProblem(explain(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <main className="login">
      <form className="panel" onSubmit={(event) => void send(event)}>
        <div className="row">
          <img src="/favicon.svg" width={28} height={28} alt="" />
          <h1>Trialbook</h1>
        </div>
        <p className="muted">
          Log in with an access key. On the server's machine, <code>trialbook open</code> gives a link that logs in
          without one; the first key is in <code>credentials.json</code> in the server's data folder.
        </p>
        <label>
          Access key
          <input
            className="input mono"
            name="access_key"
            autoComplete="username"
            required
            autoFocus
            value={key}
            onChange={(event) => setKey(event.target.value)}
          />
        </label>
        <label>
          Secret
          <input
            className="input mono"
            name="secret_key"
            type="password"
            autoComplete="current-password"
            required
            value={secret}
            onChange={(event) => setSecret(event.target.value)}
            onKeyUp={(event) => setCaps(event.getModifierState("CapsLock"))}
          />
        </label>
        {caps && <span className="caption">Caps lock is on.</span>}
        {problem && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
        <button type="submit" className="button primary" disabled={busy}>
          {busy ? "Logging in…" : "Log in"}
        </button>
      </form>
    </main>
  );
}
