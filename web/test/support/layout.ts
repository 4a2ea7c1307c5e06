/*
 * Import this before anything of the page. A DOM without a browser has no layout and windows of its own: every element
 * is as large as a small screen, a line of the console one line high, what scrolls as high as what it holds says,
 * no other window is there to share a stream with, and what opens above the page does so by the words of the browser.
 */
import { configure } from "@testing-library/dom";
import { fireEvent } from "@testing-library/react";

// A machine that does much else takes its time.
configure({ asyncUtilTimeout: 15_000 });

export const SCREEN = { width: 1200, height: 320 };

Reflect.deleteProperty(globalThis, "BroadcastChannel");
if (typeof HTMLElement !== "undefined") {
  const measures: Record<string, (element: HTMLElement) => number> = {
    clientHeight: () => SCREEN.height,
    clientWidth: () => SCREEN.width,
    offsetWidth: () => SCREEN.width,
    offsetHeight: (element) => (element.classList.contains("console-line") ? 18 : SCREEN.height),
    scrollHeight: (element) =>
      Number.parseFloat((element.firstElementChild as HTMLElement | null)?.style.height ?? "0") || 0,
  };
  for (const [name, measure] of Object.entries(measures)) {
    Object.defineProperty(HTMLElement.prototype, name, {
      configurable: true,
      get: function (this: HTMLElement) {
        return measure(this);
      },
    });
  }
  HTMLElement.prototype.scrollTo = function (this: HTMLElement, place?: ScrollToOptions | number) {
    if (typeof place !== "object") return;
    this.scrollTop = Math.max(0, Math.min(place.top ?? this.scrollTop, this.scrollHeight - this.clientHeight));
    queueMicrotask(() => this.dispatchEvent(new Event("scroll")));
  };
  const turn = (box: HTMLElement, newState: "open" | "closed") => {
    if (box.dataset["popover"] === newState) return;
    box.dataset["popover"] = newState;
    fireEvent(box, Object.assign(new Event("toggle"), { newState }));
  };
  HTMLElement.prototype.showPopover = function (this: HTMLElement) {
    turn(this, "open");
  };
  HTMLElement.prototype.hidePopover = function (this: HTMLElement) {
    turn(this, "closed");
  };
  document.addEventListener("click", ({ target }) => {
    const id = (target as Element).closest("[popovertarget]")?.getAttribute("popovertarget");
    if (id) document.getElementById(id)?.showPopover();
  });
}
