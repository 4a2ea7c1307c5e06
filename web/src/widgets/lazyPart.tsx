import { type ComponentType, useEffect, useState } from "react";

import { ErrorPanel, ProgressLine } from "~/widgets/states";

const TRY_EVERY = 2_000;
const RELOADED = "trialbook.reloaded";

/** A page or a part of one whose code is loaded when it is needed. */
export interface LazyPart {
  (): React.ReactNode;
  /** Loads the code; never fails, the part itself says what is wrong. */
  preload: () => Promise<void>;
}

/**
 * Like `React.lazy`, but a failure is not for ever: while the server is away the part says so in its place, tries again
 * every two seconds, and appears when the code has come. The page around it is never left: a browser that reloads now
 * would show its own error page.
 */
export function lazyPart(load: () => Promise<ComponentType>): LazyPart {
  let part: ComponentType | null = null;
  let coming: Promise<void> | null = null;
  const fetchPart = (): Promise<void> =>
    (coming ??= load()
      .then((found) => {
        part = found;
      })
      .finally(() => {
        coming = null;
      }));
  function Part() {
    const [here, setHere] = useState(part !== null);
    const [away, setAway] = useState(false);
    useEffect(() => {
      if (here) return;
      return keepTrying(
        fetchPart,
        () => setHere(true),
        () => setAway(true),
      );
    }, [here]);
    const Found = part;
    if (here && Found) return <Found />;
    return away ? <Away /> : <ProgressLine active />;
  }
  Part.preload = () => fetchPart().catch(() => undefined);
  return Part;
}

function Away() {
  return (
    <div className="page">
      <ErrorPanel
        error={new Error("This page has not been loaded yet. It opens by itself as soon as the server answers.")}
        headline="The server cannot be reached"
      />
    </div>
  );
}

/** Loads code until it is here or the part that wants it is left. Returns how to leave. */
export function keepTrying(fetchPart: () => Promise<void>, done: () => void, failed: () => void): () => void {
  let left = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const attempt = () => {
    fetchPart().then(
      () => {
        if (!left) done();
      },
      (error: unknown) => {
        if (left) return;
        failed();
        timer = setTimeout(attempt, TRY_EVERY);
        void leaveForNewRelease(error, () => left);
      },
    );
  };
  attempt();
  return () => {
    left = true;
    clearTimeout(timer);
  };
}

/**
 * A server that answers and yet lacks the code is a newer one, whose files have other names; the same holds for a
 * browser that remembers the failure. Only then is a reload right, and at most one a minute.
 */
async function leaveForNewRelease(error: unknown, left: () => boolean): Promise<void> {
  try {
    const answer = await fetch(location.pathname, { method: "HEAD", cache: "no-store" });
    if (!answer.ok || left()) return;
  } catch {
    return; // Still away: the next attempt follows.
  }
  const last = Number(sessionStorage.getItem(RELOADED) ?? 0);
  if (Date.now() - last < 60_000) return;
  console.info("the code of this page is gone, loading the page anew", error);
  sessionStorage.setItem(RELOADED, String(Date.now()));
  location.reload();
}
