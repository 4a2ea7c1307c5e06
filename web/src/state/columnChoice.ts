import { useCallback, useSyncExternalStore } from "react";

import { call } from "~/api/rpc";

/*
 * Which columns a person chose for the table of a project. Each project has an entry of its own among the user's
 * preferences, because the server merges them by entry: two windows that choose for two projects both keep theirs.
 */
const PREFIX = "trialbook_columns:";
const NONE: readonly string[] = [];

const chosen = new Map<string, readonly string[]>();
// Whoever has chosen before the server's answer came is right.
const mine = new Set<string>();
const watchers = new Set<() => void>();

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

/** Takes over what the server keeps. */
export function takeColumnChoices(preferences: Record<string, unknown>): void {
  for (const project of chosen.keys()) if (!mine.has(project)) chosen.delete(project);
  for (const [name, value] of Object.entries(preferences)) {
    const project = name.slice(PREFIX.length);
    if (!name.startsWith(PREFIX) || mine.has(project) || !Array.isArray(value)) continue;
    chosen.set(project, value.filter((id): id is string => typeof id === "string"));
  }
  for (const watcher of watchers) watcher();
}

function choose(project: string, columns: readonly string[]): void {
  mine.add(project);
  if (columns.length > 0) chosen.set(project, columns);
  else chosen.delete(project);
  for (const watcher of watchers) watcher();
  // The choice holds in this tab even when the server cannot be told just now.
  call("users.set_preferences", { preferences: { [PREFIX + project]: columns.length > 0 ? columns : null } }).catch(() => undefined);
}

/** The columns of a project's table that its user chose last, in any browser; none: the table chooses. */
export function useColumnChoice(project: string): [readonly string[], (columns: readonly string[]) => void] {
  const columns = useSyncExternalStore(watch, () => chosen.get(project) ?? NONE);
  const set = useCallback((next: readonly string[]) => choose(project, next), [project]);
  return [columns, set];
}
