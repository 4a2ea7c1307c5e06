import { type RefObject, useLayoutEffect, useState } from "react";

export interface Viewport {
  top: number;
  left: number;
  height: number;
  width: number;
}

/** A list whose rows are all of one height, in pixels. */
interface Rows {
  total: number;
  height: number;
  /** What stands above the first row and scrolls with it. */
  head?: number;
  /** Rows beyond the view on either side: there before they are scrolled to. */
  spare?: number;
  /** The height that counts while the view has none: before it is measured. */
  unmeasured?: number;
}

/** The rows near the view, as `[first, behind the last]`. The list may have become shorter than where the view stands. */
export function rowsNear(
  view: Viewport,
  { total, height, head = 0, spare = 8, unmeasured = 0 }: Rows,
): [number, number] {
  const last = Math.min(total, Math.ceil((view.top + (view.height || unmeasured)) / height) + spare);
  const first = Math.max(0, Math.floor((view.top - head) / height) - spare);
  return [Math.min(first, last), last];
}

/**
 * Where a scrolling element stands; at most one update per frame. A list that is empty has no such element: it is
 * measured whenever it appears, and again when another takes its place.
 */
export function useViewport(element: RefObject<HTMLElement | null>): Viewport {
  const [view, setView] = useState<Viewport>({ top: 0, left: 0, height: 0, width: 0 });
  const [box, setBox] = useState<HTMLElement | null>(null);
  // A ref says nothing when it is filled, so each commit looks.
  useLayoutEffect(() => setBox(element.current));
  useLayoutEffect(() => {
    if (!box) return;
    let frame = 0;
    const read = () => {
      frame = 0;
      setView((old) => {
        const next = { top: box.scrollTop, left: box.scrollLeft, height: box.clientHeight, width: box.clientWidth };
        return old.top === next.top && old.left === next.left && old.height === next.height && old.width === next.width
          ? old
          : next;
      });
    };
    const ask = () => {
      frame ||= requestAnimationFrame(read);
    };
    read();
    box.addEventListener("scroll", ask, { passive: true });
    const observer = new ResizeObserver(ask);
    observer.observe(box);
    return () => {
      cancelAnimationFrame(frame);
      box.removeEventListener("scroll", ask);
      observer.disconnect();
    };
  }, [box]);
  return view;
}
