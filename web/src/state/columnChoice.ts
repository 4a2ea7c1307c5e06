import { useCallback, useSyncExternalStore } from "react";

import { call } from "~/api/rpc";

/*
 * Which columns a person chose for a table of a project, and how wide they are. Each table has entries of its own among
 * the user's preferences, because the server merges them by entry: two windows that choose for two projects both keep
 * theirs. A place is the id of a project for its tasks, and `models:` with that id for its models.
 */
interface Shelf<T> {
  prefix: string;
  read: (value: unknown) => T | null;
  kept: Map<string, T>;
  /** Whoever has chosen before the server's answer came is right. */
  mine: Set<string>;
}

type Widths = Readonly<Record<string, number>>;

const NONE: readonly string[] = [];
const EVEN: Widths = {};

function shelf<T>(prefix: string, read: (value: unknown) => T | null): Shelf<T> {
  return { prefix, read, kept: new Map(), mine: new Set() };
}

const choices = shelf<readonly string[]>("trialbook_columns:", (value) =>
  Array.isArray(value) ? value.filter((id): id is string => typeof id === "string") : null,
);
const widths = shelf<Widths>("trialbook_widths:", (value) =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).filter((one): one is [string, number] => Number.isFinite(one[1])))
    : null,
);
const watchers = new Set<() => void>();

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

function take<T>(from: Shelf<T>, preferences: Record<string, unknown>): void {
  for (const place of from.kept.keys()) if (!from.mine.has(place)) from.kept.delete(place);
  for (const [name, value] of Object.entries(preferences)) {
    const place = name.slice(from.prefix.length);
    if (!name.startsWith(from.prefix) || from.mine.has(place)) continue;
    const found = from.read(value);
    if (found !== null) from.kept.set(place, found);
  }
}

/** Takes over what the server keeps. */
export function takeColumnChoices(preferences: Record<string, unknown>): void {
  take(choices, preferences);
  take(widths, preferences);
  for (const watcher of watchers) watcher();
}

function keep<T>(to: Shelf<T>, place: string, value: T | null): void {
  to.mine.add(place);
  if (value === null) to.kept.delete(place);
  else to.kept.set(place, value);
  for (const watcher of watchers) watcher();
  // The choice holds in this tab even when the server cannot be told just now.
  call("users.set_preferences", { preferences: { [to.prefix + place]: value } }).catch(() => undefined);
}

/** The columns of a table that its user chose last, in any browser; none: the table chooses. */
export function useColumnChoice(place: string): [readonly string[], (columns: readonly string[]) => void] {
  const columns = useSyncExternalStore(watch, () => choices.kept.get(place) ?? NONE);
  const set = useCallback((next: readonly string[]) => keep(choices, place, next.length > 0 ? next : null), [place]);
  return [columns, set];
}

/** The widths that the user gave to columns of a table, in any browser; `null` gives them all back. */
export function useKeptWidths(place: string): [Widths, (next: Widths | null) => void] {
  const found = useSyncExternalStore(watch, () => widths.kept.get(place) ?? EVEN);
  const set = useCallback((next: Widths | null) => keep(widths, place, next), [place]);
  return [found, set];
}
