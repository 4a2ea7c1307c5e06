import { useEffect, useState } from "react";

import { useLinkState } from "~/api/live";
import { live } from "~/api/stream";

const WORDS = { idle: "idle", connecting: "connecting", live: "live", paused: "paused" } as const;

/** The dot in the top bar: are live updates coming in? */
export function LiveLight() {
  const state = useLinkState();
  return (
    <span className="live" data-kind={state.kind} title={`Live updates: ${WORDS[state.kind]}`}>
      <i />
      <span>{WORDS[state.kind]}</span>
    </span>
  );
}

/** One line while the connection is down; it counts to the next try. */
export function LiveStrip() {
  const state = useLinkState();
  const [now, setNow] = useState(() => Date.now());
  const paused = state.kind === "paused";
  useEffect(() => {
    if (!paused) return;
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [paused]);
  if (!paused) return null;
  const seconds = Math.max(0, Math.ceil((state.retryAt - now) / 1000));
  return (
    <div className="strip" role="status">
      Live updates paused, retrying in {seconds} s. What you see stays; it refreshes every 15 s.
      <button type="button" className="link-button" onClick={() => live.retryNow()}>
        Retry now
      </button>
    </div>
  );
}
