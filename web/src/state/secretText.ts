import {
  isCertainName,
  isMeasure,
  isPasswordName,
  isPlaceholder,
  isSecret,
  MASK,
  namesTheValue,
} from "~/state/secretNames";
import {
  BASIC,
  ENDS,
  GOES_ON,
  HEAD,
  HEADER,
  KEY_SHAPES,
  LONGEST_NAME,
  NAME_LETTERS,
  NAMED_VALUES,
  NO_SECRETS,
  NUMBER_OF_LINE,
  OF_AN_ESCAPE,
  PEM_BEGIN,
  PEM_END,
  PLACES,
  SCHEME,
  SECRET_ENDINGS,
  SECRET_STEMS,
  SHORTEST_MIXED,
  SHORTEST_VALUE,
  SIGNATURES,
  TOLD,
  URL_LOOSE,
  URL_PASSWORD,
  URL_QUOTED,
  URL_TOKEN,
  VALUE,
} from "~/state/secretRules.gen";

const signatures = new Set(SIGNATURES);
const letters = new Set(NAME_LETTERS);
const every = (rules: string[][]) =>
  rules.map(([literal = "", rule = ""]) => ({ literal, rule: new RegExp(rule, "gm") }));
const shapes = every(KEY_SHAPES);
const places = every(PLACES);
const fields = NAMED_VALUES.map(({ literals, rule }) => ({ literals, rule: new RegExp(rule, "gm") }));
const [password, token, loose, header, scheme] = [URL_PASSWORD, URL_TOKEN, URL_LOOSE, HEADER, SCHEME].map(
  (rule) => new RegExp(rule, "g"),
) as [RegExp, RegExp, RegExp, RegExp, RegExp];
const [basic, goesOn] = [
  new RegExp(BASIC, "g"),
  new RegExp(GOES_ON.replace("\\*".repeat(8), MASK).replace("'*]", `'${MASK.charAt(0)}]`), "g"),
];
const ofAnEscape = new RegExp(OF_AN_ESCAPE, "y");
const numberOfLine = new RegExp(`^${NUMBER_OF_LINE}`);
const noSecrets = new Set(NO_SECRETS);
const quoted = new RegExp(URL_QUOTED, "gi");
const [begins, ends] = [new RegExp(PEM_BEGIN, "g"), new RegExp(PEM_END, "g")];
const head = new RegExp(`^(?:${HEAD})`);
const restOfLine = new RegExp(ENDS, "y");
const finders = new Map<string, RegExp>();
const VALUES = ["long", "long_", "double", "single", "escaped", "bare"] as const;

/** A text without its secrets, by the rules and in the order of the SDK (`masked_text`). */
export function maskedText(text: string): string {
  let shown = withoutKeys(text);
  for (const { literal, rule } of shapes) if (shown.includes(literal)) shown = shown.replace(rule, MASK);
  if (shown.includes("://")) {
    if (shown.includes("@") && shown.includes("http")) shown = shown.replace(token, `://${MASK}`);
    shown = shown.replace(password, `$1${MASK}`);
    if (shown.includes("@")) shown = shown.replace(loose, `$1${MASK}`);
  }
  if (shown.includes("%40")) shown = shown.replace(quoted, `$1${MASK}`);
  for (const { literal, rule } of places) if (shown.includes(literal)) shown = shown.replace(rule, `$1${MASK}`);
  for (const { literals, rule } of fields) {
    if (literals.some((literal) => shown.includes(literal)))
      shown = shown.replace(rule, (all: string, before: string, name: string) =>
        (name.match(/[\p{L}\p{N}_.-]+/gu) ?? []).some(isSecret) ? before + MASK : all,
      );
  }
  const small = shown.toLowerCase();
  if (small.includes("uthorization")) shown = shown.replace(header, `$1${MASK}`);
  if (small.includes("bearer") || small.includes("basic")) {
    shown = shown.replace(scheme, `$1${MASK}`);
    shown = shown.replace(basic, (all: string, before: string, word: string) => (isBasic(word) ? before + MASK : all));
  }
  const stems = SECRET_STEMS.filter((stem) => small.includes(stem));
  return stems.length === 0 ? shown : withEnds(shown, withoutNamed(shown, stems));
}

/** `name:password`, encoded. */
function isBasic(word: string): boolean {
  try {
    return /^[ -~]+$/.test(atob(word)) && /^[^:]+:./.test(atob(word));
  } catch {
    return false;
  }
}

/** Texts that stand behind a masked one belong to it; each turn finds the next. */
function withEnds(text: string, shown: string): string {
  for (let before = text; before !== shown; ) {
    before = shown;
    shown = shown.replace(goesOn, `$1${MASK}`);
  }
  return shown;
}

/** A stem as a whole word (`token`, `authToken`, `TOKEN`, but neither `tokenizer` nor `monkey`), with the value that follows. */
function finder(stems: readonly string[], value: string): RegExp {
  const key = stems.join(" ") + value;
  const known = finders.get(key);
  if (known) return known;
  const forms = stems.flatMap((stem) => {
    const [capital, large, within] = [
      stem.charAt(0).toUpperCase() + stem.slice(1),
      stem.toUpperCase(),
      SECRET_ENDINGS.includes(stem),
    ];
    const begins = `(?:(?<![a-z]${stem})|(?<=\\\\[nrt]${stem})|(?<=[\\d\\[]m${stem}))`;
    return [
      `${stem}${within ? "" : begins}(?!s?[a-rt-z])`,
      `${capital}(?!s?[a-rt-z])`,
      `${large}${within ? "" : `(?<![A-Z]${large})`}(?!S?[A-RT-Za-z])`,
    ];
  });
  const made = new RegExp(`(?:${forms.join("|")})${value}`, "dg");
  finders.set(key, made);
  return made;
}

function withoutNamed(text: string, stems: readonly string[]): string {
  const parts: string[] = [];
  let at = 0;
  for (const found of text.matchAll(finder(stems, VALUE))) {
    const span = secretIn(text, found as RegExpExecArray);
    if (!span) continue;
    parts.push(text.slice(at, span[0]), MASK);
    at = span[1];
  }
  return parts.length === 0 ? text : parts.join("") + text.slice(at);
}

/** What a program printed, or any text that is not a source: values among other words are hidden as well (`masked_output`). */
export function maskedOutput(text: string): string {
  const shown = maskedText(text);
  const small = shown.toLowerCase();
  const stems = SECRET_STEMS.filter((stem) => small.includes(stem));
  return stems.length === 0 ? shown : withoutTold(shown, stems);
}

function withoutTold(text: string, stems: readonly string[]): string {
  const parts: string[] = [];
  let at = 0;
  for (const found of text.matchAll(finder(stems, TOLD))) {
    const span = toldIn(text, found as RegExpExecArray);
    if (!span) continue;
    parts.push(text.slice(at, span[0]), MASK);
    at = span[1];
  }
  return parts.length === 0 ? text : parts.join("") + text.slice(at);
}

function toldIn(text: string, found: RegExpExecArray): [number, number] | null {
  const spans = found.indices?.groups;
  const span = spans?.["told"];
  const value = found.groups?.["told"];
  if (!span || !value) return null;
  let first = nameStart(text, found.index);
  // After an encoded "?" or "&" its two digits are not letters of the name.
  if (text.charAt(first - 1) === "%" && first - 1 >= found.index - LONGEST_NAME)
    first = Math.min(first + 2, found.index);
  const name = text.slice(first, spans?.["rest"]?.[1]);
  const apart = found.groups?.["apart"] !== undefined;
  // /etc/passwd:12:root of a search.
  if (text.charAt(first - 1) === "/" && numberOfLine.test(value)) return null;
  // Only an option, or a variable in capitals, is followed by its value without a sign between them.
  if (apart && !name.startsWith("--") && !(isUpper(name) && !isUpper(value))) return null;
  const sign = text.charAt(span[0] - 1);
  const glued = value.length >= SHORTEST_VALUE && (sign === "=" || apart) && isPasswordName(name);
  const joined = span[0] === (spans?.["rest"]?.[1] ?? 0) + 1 && isJoined(name, sign, value);
  return isLikely(name, value) || glued || joined ? span : null;
}

/** `password=swan`: one word, written by a program, and nothing but a secret has such a name. */
function isJoined(name: string, sign: string, value: string): boolean {
  if (!"=:：".includes(sign) || noSecrets.has(value.toLowerCase()) || !isCertainName(name)) return false;
  if (sign === ":" && value.startsWith("//")) return false;
  return isPasswordName(name) || !isMeasure(value);
}

function nameStart(text: string, at: number): number {
  const earliest = Math.max(0, at - LONGEST_NAME);
  let first = at;
  while (first > earliest && letters.has(text.charAt(first - 1))) first--;
  // The n of "\\napi_key" and the end of a colour are not letters of the name.
  ofAnEscape.lastIndex = first;
  return first < at && first > earliest && ofAnEscape.test(text) ? Math.min(ofAnEscape.lastIndex, at) : first;
}

/** Where the value is that has to be hidden. */
function secretIn(text: string, found: RegExpExecArray): [number, number] | null {
  const group = VALUES.find((one) => found.groups?.[one] !== undefined);
  const value = group && found.groups?.[group];
  const spans = found.indices?.groups;
  const span = group && spans?.[group];
  if (!group || !value || !span || isPlaceholder(value)) return null;
  const first = nameStart(text, found.index);
  const before = text.slice(Math.max(0, found.index - LONGEST_NAME), first);
  const name = text.slice(first, spans?.["rest"]?.[1]);
  if (group !== "bare" && behindStrings.has(value.charAt(0)) && endsString(text, found.index, span[0] - 1)) return null;
  if (group !== "bare")
    return isSecret(name) && !(found.groups?.["beside"] && isListed(name, before, value)) ? span : null;
  const glued = text.charAt(span[0] - 1) === "=";
  if (glued && /(?:\?|&|&amp;)$/.test(before))
    return isSecret(name) || signatures.has(name.toLowerCase()) ? span : null;
  if (!isSecret(name)) return null;
  if ((glued && name.startsWith("--")) || standsAlone(text, first, span[1], value)) return span;
  const shell = text.charAt(span[1]) === " " && isUpper(name) && head.test(text.slice(lineStart(text, first), first));
  const isText = (before.endsWith(";") && !value.includes(".")) || shell || withinQuotes(text, first);
  return isText && isLikely(name, value) ? span : null;
}

const isUpper = (text: string): boolean => text !== text.toLowerCase() && text === text.toUpperCase();
const isPlain = (value: string): boolean => /^\p{L}+$/u.test(value.replace(/[._]/g, ""));

/** Whether a value without quotes among other words is a secret: no plain word, no attribute, no measure. */
function isLikely(name: string, value: string): boolean {
  if (isPlain(value) || isMeasure(value) || !namesTheValue(name)) return false;
  return value.length >= SHORTEST_VALUE || (value.length >= SHORTEST_MIXED && isPasswordName(name));
}

/** What follows a string in a program, and begins no secret. */
const behindStrings = new Set(",);+]}%. ");

/** Whether the quote at a place ends a string that the name before it is the end of: `print("password:", end="")`. */
function endsString(text: string, begin: number, at: number): boolean {
  const quote = text.charAt(at);
  if (!"\"'".includes(quote) || text.slice(begin, at).includes(quote)) return false;
  const before = text.slice(lineStart(text, begin) || Math.max(0, begin - LONGEST_NAME), begin);
  const count = (what: string): number => before.split(what).length - 1;
  return (count(quote) - 3 * count(quote.repeat(3))) % 2 === 1;
}

/** Whether a word behind a comma is the next one of a list of names: `["user", "password", "host"]`. */
function isListed(name: string, before: string, value: string): boolean {
  return (
    isPlain(value) &&
    !name.startsWith("-") &&
    before.lastIndexOf("[") > Math.max(before.lastIndexOf("("), before.lastIndexOf("]"))
  );
}

function lineStart(text: string, at: number): number {
  const low = Math.max(0, at - LONGEST_NAME);
  const found = text.slice(low, at).lastIndexOf("\n");
  return found < 0 ? 0 : low + found + 1;
}

function withinQuotes(text: string, at: number): boolean {
  const line = text.slice(lineStart(text, at) || Math.max(0, at - LONGEST_NAME), at);
  return line.split('"').length % 2 === 0 || line.split("'").length % 2 === 0;
}

/** `NAME=value` in shell and .env style, and `Name: value` of a log: nothing else is on the line. */
function standsAlone(text: string, first: number, end: number, value: string): boolean {
  restOfLine.lastIndex = end;
  if (value.length < SHORTEST_VALUE || !restOfLine.test(text)) return false;
  const line = lineStart(text, first);
  if (line === 0 && first > LONGEST_NAME) return false;
  const mark = line < first ? first : first + (/[+-]/.test(text.charAt(first)) ? 1 : 0);
  return head.test(text.slice(line, mark)) && !isPlain(value) && (/^\d+$/.test(value) || !isMeasure(value));
}

/** Private keys in PEM form: their lines stay, so that a patch is still one. */
function withoutKeys(text: string): string {
  if (!text.includes("-----BEGIN ")) return text;
  const parts: string[] = [];
  let at = 0;
  for (;;) {
    begins.lastIndex = at;
    const first = begins.exec(text);
    if (!first) break;
    const from = begins.lastIndex;
    ends.lastIndex = from;
    const last = ends.exec(text);
    const stop = last ? last.index : text.length;
    const lines = text.slice(from, stop).split("\n");
    const final = last ? lines.length - 1 : lines.length;
    const body = lines.map((line, n) =>
      n === 0 || n === final || !line ? line : (/[+\- ]/.test(line.charAt(0)) ? line.charAt(0) : "") + MASK,
    );
    if (lines.length === 1 || lines[0]?.trim()) body[0] = MASK;
    parts.push(text.slice(at, from), body.join("\n"));
    at = stop;
  }
  return parts.join("") + text.slice(at);
}
