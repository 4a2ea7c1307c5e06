import { type RefObject, useEffect, useLayoutEffect, useRef } from "react";

// What lies above every layer.
const ABOVE = ".toasts, dialog";

/**
 * Keeps the keyboard and screen readers inside of what lies over the page (a chart as large as the window) while it is
 * active: the rest of the page rests. Afterwards the focus is back where it was.
 */
export function useLayer(layer: RefObject<HTMLElement | null>, active = true): void {
  const before = useRef<Element | null>(null);
  useLayoutEffect(() => {
    const box = layer.current;
    if (!active || !box) return;
    before.current = document.activeElement;
    const resting: HTMLElement[] = [];
    for (let part: HTMLElement = box; part.parentElement && part !== document.body; part = part.parentElement) {
      for (const other of part.parentElement.children) {
        if (other === part || !(other instanceof HTMLElement) || other.inert || other.matches(ABOVE)) continue;
        other.inert = true;
        resting.push(other);
      }
    }
    if (!box.contains(before.current)) box.focus();
    return () => {
      for (const other of resting) other.inert = false;
    };
  }, [layer, active]);
  // After the commit: until its end React gives the focus back to what had it when it began.
  useEffect(() => {
    const box = layer.current;
    if (!active) return;
    return () => {
      const [from, here] = [before.current, document.activeElement];
      if (here !== document.body && !box?.contains(here)) return;
      if (from instanceof HTMLElement && from.isConnected) from.focus();
    };
  }, [layer, active]);
}
