/*
 * Import this before anything of the page. A DOM without a browser has no layout and windows of its own: every element
 * is as large as a small screen, and no other window is there to share a stream with.
 */
export const SCREEN = { width: 1200, height: 320 };

Reflect.deleteProperty(globalThis, "BroadcastChannel");
if (typeof HTMLElement !== "undefined") {
  for (const [name, value] of [["clientHeight", SCREEN.height], ["offsetHeight", SCREEN.height], ["clientWidth", SCREEN.width], ["offsetWidth", SCREEN.width]] as const) {
    Object.defineProperty(HTMLElement.prototype, name, { configurable: true, get: () => value });
  }
}
