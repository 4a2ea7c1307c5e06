const SEEN = /[^\p{C}\p{Z}]/u;
/** Ends of lines, control characters, and marks that turn the direction of the text that follows, also around a name. */
const COMMANDS = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;
const SHORT: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** A name with escapes for what would not be seen but change how others are read, as the commands print it. */
export function legible(name: string): string {
  return name.replace(COMMANDS, (mark) => {
    const code = mark.charCodeAt(0);
    return SHORT[mark] ?? (code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16)}`);
  });
}

/** A name as a link or a title shows it: one without anything to see would leave nothing to press or to read. */
export function shownName(name: string | null | undefined): string {
  return name && SEEN.test(name) ? legible(name) : "(no name)";
}
