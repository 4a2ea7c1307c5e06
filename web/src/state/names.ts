const SEEN = /[^\p{C}\p{Z}]/u;

/** A name as a link or a title shows it: one without anything to see would leave nothing to press or to read. */
export function shownName(name: string | null | undefined): string {
  return name && SEEN.test(name) ? name : "(no name)";
}
