import { useEffect, useSyncExternalStore } from "react";

export interface Crumb {
  label: string;
  to?: string;
}

let crumbs: readonly Crumb[] = [];
const watchers = new Set<() => void>();

/** A page says where it stands; the top bar and the window's title show it. */
export function useCrumbTrail(trail: readonly Crumb[]): void {
  const text = JSON.stringify(trail);
  useEffect(() => {
    crumbs = JSON.parse(text) as Crumb[];
    const last = crumbs[crumbs.length - 1]?.label;
    document.title = last ? `${last} · Trialbook` : "Trialbook";
    for (const watcher of watchers) watcher();
  }, [text]);
}

export const useCrumbs = (): readonly Crumb[] =>
  useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => crumbs,
  );
