import { forget, keep, keptAt, placeOf, saveKept, setPlace } from "~/state/kept";

interface Location {
  pathname: string;
  state: object;
}

interface History {
  location: Location;
  subscribe: (watcher: (change: { action: { type: string } }) => void) => () => void;
}

type Spot = [top: number, left: number];

const PATIENCE = 10_000;
const PREFIX = "scroll ";
const BY_HAND = ["wheel", "touchstart", "pointerdown", "keydown"] as const;

/** A scrolling part of the page by its kind and number; null for what scrolls by rules of its own. */
function nameOf(part: Element): string | null {
  const kind = part.classList[0];
  if (!kind || part.getAttribute("role") === "log" || !part.closest(".main")) return null;
  return `${PREFIX}${kind} ${[...document.querySelectorAll(`.main .${CSS.escape(kind)}`)].indexOf(part)}`;
}

function find(name: string): Element | undefined {
  const [kind = "", place = "0"] = name.slice(PREFIX.length).split(" ");
  return document.querySelectorAll(`.main .${CSS.escape(kind)}`)[Number(place)];
}

/**
 * Keeps where each scrolling part of each page stands. What comes back is put where it was as soon as it is long enough:
 * its rows are often still on the way. Whoever scrolls in the meantime is right.
 */
export function startScrollMemory(history: History): void {
  let pending = new Map<string, Spot>();
  let until = 0;
  const here = () => placeOf(history.location);
  const settle = () => {
    for (const [name, [top, left]] of pending) {
      const part = find(name);
      if (!part) continue;
      part.scrollTop = top;
      part.scrollLeft = left;
      if (Math.abs(part.scrollTop - top) <= 2) pending.delete(name);
    }
    if (pending.size > 0 && performance.now() < until) requestAnimationFrame(settle);
    else pending.clear();
  };
  const restore = () => {
    const kept = Object.entries(keptAt(here())).filter(([name]) => name.startsWith(PREFIX));
    pending = new Map(kept as [string, Spot][]);
    until = performance.now() + PATIENCE;
    if (pending.size > 0) requestAnimationFrame(settle);
  };
  document.addEventListener(
    "scroll",
    (event) => {
      const part = event.target;
      if (!(part instanceof Element) || !part.isConnected) return;
      const name = nameOf(part);
      // A list that is still short pushes its place to the top; that is not where it was left.
      if (name && !pending.has(name)) keep(here(), name, [part.scrollTop, part.scrollLeft]);
    },
    { capture: true, passive: true },
  );
  for (const kind of BY_HAND) document.addEventListener(kind, () => pending.clear(), { capture: true, passive: true });
  const [load] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  if (load?.type === "navigate") forget(here());
  setPlace(here());
  history.subscribe(({ action }) => {
    setPlace(here());
    if (action.type === "PUSH") pending.clear();
    else if (action.type !== "REPLACE") restore();
  });
  window.addEventListener("pagehide", saveKept);
  restore();
}
