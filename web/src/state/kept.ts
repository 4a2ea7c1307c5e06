/*
 * What a page keeps besides its address: where its parts are scrolled to, what is selected, which lines are hidden. It
 * belongs to the place in the tab's history, so that "back" and a reload find it again and a new visit starts afresh.
 */

import { useEffect, useState, useSyncExternalStore } from "react";

const STORE = "trialbook.kept";
const MOST_PLACES = 50;

type Place = Record<string, unknown>;

function remembered(): Map<string, Place> {
  try {
    return new Map(JSON.parse(sessionStorage.getItem(STORE) ?? "[]") as [string, Place][]);
  } catch {
    return new Map();
  }
}

const places: Map<string, Place> = typeof sessionStorage === "undefined" ? new Map() : remembered();

export function keptAt(place: string): Place {
  return places.get(place) ?? {};
}

export function keep(place: string, name: string, value: unknown): void {
  const all = { ...keptAt(place), [name]: value };
  // Set anew, so that the places visited last are the last of the map.
  places.delete(place);
  places.set(place, all);
  for (const old of places.keys()) {
    if (places.size <= MOST_PLACES) break;
    places.delete(old);
  }
}

/** An address that was typed or followed from elsewhere is a new visit, even where an old one had this place. */
export function forget(place: string): void {
  places.delete(place);
}

/** Writes everything down for the next load of this tab. */
export function saveKept(): void {
  try {
    sessionStorage.setItem(STORE, JSON.stringify([...places]));
  } catch {
    // More than the browser takes: a reload starts afresh.
    sessionStorage.removeItem(STORE);
  }
}

interface Located {
  pathname: string;
  state: object;
}

/** The step of the history, which a replaced address keeps, and its page. */
export function placeOf({ pathname, state }: Located): string {
  return `${(state as { __TSR_index?: number }).__TSR_index ?? 0} ${pathname}`;
}

let current = "";
const watchers = new Set<() => void>();

/** Says where the tab stands now. */
export function setPlace(place: string): void {
  current = place;
  for (const watcher of watchers) watcher();
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

const pageOf = (place: string): string => place.slice(place.indexOf(" "));

/** Like `useState`, for what "back" and a reload bring again. The value must be plain data. */
export function useKept<T>(name: string, initial: T): [T, (value: T) => void] {
  const place = useSyncExternalStore(watch, () => current);
  const [page] = useState(() => pageOf(place));
  const [value, setValue] = useState<T>(() => (keptAt(place)[name] as T | undefined) ?? initial);
  // A step that stays on the page (a filter, another order) takes it along; one that leaves it does not.
  useEffect(() => {
    if (pageOf(place) !== page) return;
    if (value !== initial || keptAt(place)[name] !== undefined) keep(place, name, value);
  }, [place, page, name, value, initial]);
  return [value, setValue];
}
