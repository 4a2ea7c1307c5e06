import { useEffect, useRef, useSyncExternalStore } from "react";

import type { Change, LinkState } from "~/api/stream";
import { live } from "~/api/stream";

/** Calls `handler` with each change under `topic` for as long as the component is mounted. */
export function useLive(topic: string | null, handler: (change: Change) => void): void {
  const latest = useRef(handler);
  useEffect(() => {
    latest.current = handler;
  });
  useEffect(() => {
    if (topic === null) return;
    return live.subscribe(topic, (change) => latest.current(change));
  }, [topic]);
}

/** The state of the live connection. */
export function useLinkState(): LinkState {
  return useSyncExternalStore(live.watch, live.current);
}
