import { KEY_SHAPES, SECRET_ENDINGS, SECRET_PAIRS, SECRET_WORDS, URL_PASSWORD, URL_TOKEN, WORD } from "~/state/secretRules.gen";

/** Stands for a value that is hidden. */
export const MASK = "••••••••";

const words = new Set(SECRET_WORDS);
const pairs = new Set(SECRET_PAIRS);
const word = new RegExp(WORD, "g");
const shapes = KEY_SHAPES.map((shape) => new RegExp(shape, "g"));
const password = new RegExp(URL_PASSWORD, "g");
const token = new RegExp(URL_TOKEN, "g");

/** Whether a name says that its value is secret: the rule by which the SDK masks what it records. */
export function isSecret(name: string): boolean {
  const found = [...name.matchAll(word)].map(([one]) => one.toLowerCase());
  return found.some((one, i) => words.has(one) || SECRET_ENDINGS.some((end) => one.endsWith(end)) || pairs.has(`${one} ${found[i + 1] ?? ""}`));
}

/** A value as a screen or a file may show it: parameters are kept as they are, because another machine needs them. */
export function shownValue(name: string, value: string): string {
  return isSecret(name) && value !== "" ? MASK : masked(value);
}

/** Any text without keys of a known shape and passwords in addresses. */
export function masked(text: string): string {
  let shown = shapes.reduce((left, shape) => left.replace(shape, MASK), text);
  if (!shown.includes("://")) return shown;
  return shown.replace(token, `://${MASK}`).replace(password, `://$1:${MASK}@`);
}
