export function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

// What the browser reads as a pattern and the server, whose patterns are RE2's, does not or reads otherwise.
const ONLY_HERE = /\(\?(?!:)|\\[^dDsSwWbBntrfv.*+?^${}()|[\]\\/]|\{\d{3,}|\{\d+,\d{3,}|\[\^?\]|\[:/;
const LONGEST = 500;
const DEEPEST = 20;

/** A pattern that the user typed: a regular expression when the server can read it, else the text itself. */
export function patternOf(text: string): string {
  try {
    // Strict: a brace or a bracket that stands alone is text.
    new RegExp(text, "u");
  } catch {
    return escapePattern(text);
  }
  const deep = (text.match(/\(/g)?.length ?? 0) > DEEPEST;
  return ONLY_HERE.test(text) || deep || text.length > LONGEST ? escapePattern(text) : text;
}
