/*
 * What this browser keeps for the next visit. A browser may keep nothing for a page, have no room left, or hold what an
 * older page, another window or a person wrote: then the page does without.
 */

/** What was written under this name; `null` when there is nothing that can be read. */
export function readStored(name: string): unknown {
  try {
    return JSON.parse(localStorage.getItem(name) ?? "null");
  } catch {
    return null;
  }
}

export function writeStored(name: string, value: unknown): void {
  try {
    localStorage.setItem(name, JSON.stringify(value));
  } catch {
    // It holds until the page is left.
  }
}
