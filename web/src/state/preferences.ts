import { useSyncExternalStore } from "react";

import { call } from "~/api/rpc";
import { takeColumnChoices } from "~/state/columnChoice";
import { readStored, writeStored } from "~/state/stored";
import type { ThemeName } from "~/theme/palette";

/** What follows the user from browser to browser. The browser's copy only spares the first paint a flash. */
export interface Preferences {
  theme: "light" | "dark" | "system";
  density: "compact" | "normal" | "roomy";
}

const KEY = "trialbook.preferences";
const INITIAL: Preferences = { theme: "system", density: "normal" };
const night = typeof matchMedia === "undefined" ? null : matchMedia("(prefers-color-scheme: dark)");

const THEMES: readonly unknown[] = ["light", "dark", "system"] satisfies Preferences["theme"][];
const DENSITIES: readonly unknown[] = ["compact", "normal", "roomy"] satisfies Preferences["density"][];

/** The choices that this page knows; another version of it, or a person, may have written others. */
function known(value: unknown): Preferences {
  const { theme, density } = (value ?? {}) as Partial<Preferences>;
  return {
    theme: THEMES.includes(theme) ? (theme as Preferences["theme"]) : INITIAL.theme,
    density: DENSITIES.includes(density) ? (density as Preferences["density"]) : INITIAL.density,
  };
}

let current = known(readStored(KEY));
let theme: ThemeName = "light";
let choices = 0;
const watchers = new Set<() => void>();

function apply(): void {
  theme = current.theme === "system" ? (night?.matches ? "dark" : "light") : current.theme;
  document.documentElement.dataset.theme = theme;
  document.documentElement.dataset.density = current.density;
  for (const watcher of watchers) watcher();
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

function keep(next: Preferences): void {
  current = next;
  writeStored(KEY, next);
  apply();
}

/** Call once, before the first paint. */
export function startPreferences(): void {
  night?.addEventListener("change", apply);
  apply();
}

/** Takes over what the server keeps for this user. */
export async function loadPreferences(): Promise<void> {
  const before = choices;
  const { preferences } = await call("users.get_preferences", {});
  takeColumnChoices(preferences);
  // Whoever has chosen in the meantime is right.
  if (choices !== before) return;
  const web = preferences["trialbook_web"];
  if (web && typeof web === "object") keep(known(web));
}

export function setPreferences(change: Partial<Preferences>): void {
  choices += 1;
  keep({ ...current, ...change });
  // The choice holds in this browser even when the server cannot be told just now.
  call("users.set_preferences", { preferences: { trialbook_web: current } }).catch(() => undefined);
}

export const usePreferences = (): Preferences => useSyncExternalStore(watch, () => current);
export const useTheme = (): ThemeName => useSyncExternalStore(watch, () => theme);
