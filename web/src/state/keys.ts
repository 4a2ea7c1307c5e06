import { useEffect, useLayoutEffect, useRef } from "react";
import { flushSync } from "react-dom";

export type KeyMap = Record<string, (event: KeyboardEvent) => void>;

/** Whether the element that has the focus wants the key. */
function typing(target: EventTarget | null, name: string): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement && target.type === "checkbox") return false;
  if (target instanceof HTMLInputElement && target.type === "range") return name !== "escape";
  return target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);
}

/** `mod+k`, `shift+x`, `g p` is not supported here: one key, with at most the modifier names in front. */
function nameOf(event: KeyboardEvent): string {
  const mod = event.ctrlKey || event.metaKey ? "mod+" : "";
  const shift = event.shiftKey && event.key.length > 1 ? "shift+" : "";
  return mod + shift + (event.key.length === 1 ? event.key : event.key.toLowerCase());
}

// What lies over the page has the keys. A key that the page takes is also lost to the browser, which closes a menu by Esc.
const ABOVE = "dialog[open], [role=menu]:popover-open";

/** Page-wide keys while the component is mounted. They rest while the user types, or a dialog or a menu is open. */
export function useKeys(keys: KeyMap, active = true): void {
  const latest = useRef(keys);
  useLayoutEffect(() => {
    latest.current = keys;
  });
  useEffect(() => {
    if (!active) return;
    const listen = (event: KeyboardEvent) => {
      const name = nameOf(event);
      const action = Object.hasOwn(latest.current, name) ? latest.current[name] : undefined;
      if (!action || event.defaultPrevented) return;
      if (!name.startsWith("mod+") && (typing(event.target, name) || document.querySelector(ABOVE))) return;
      event.preventDefault();
      // Committed before the next key: two quick keys must not both act on the row where the first one stood.
      flushSync(() => action(event));
    };
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  }, [active]);
}
