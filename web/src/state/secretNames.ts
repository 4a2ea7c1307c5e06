import {
  AFTER_A_SECRET, MEASURE, OPENS_PLACEHOLDER, PLACEHOLDER, SECRET_ENDINGS, SECRET_PAIRS, SECRET_WORDS, WORD,
} from "~/state/secretRules.gen";

/** Stands for a value that is hidden. */
export const MASK = "••••••••";

const words = new Set(SECRET_WORDS);
const pairs = new Set(SECRET_PAIRS);
const after = new Set(AFTER_A_SECRET);
const word = new RegExp(WORD, "g");
const placeholder = new RegExp(`^(?:${PLACEHOLDER})`);
const measure = new RegExp(`^(?:${MEASURE})`);

const wordsOf = (name: string): string[] => [...name.matchAll(word)].map(([one]) => one.toLowerCase());
const isSecretWord = (one: string): boolean => words.has(one) || SECRET_ENDINGS.some((end) => one.endsWith(end));

/** Whether a name says that its value is secret: the rule by which the SDK masks what it records. */
export function isSecret(name: string): boolean {
  const found = wordsOf(name);
  return found.some((one, i) => isSecretWord(one) || pairs.has(`${one} ${found[i + 1] ?? ""}`));
}

/** Whether a name is that of a secret itself, and not of what has to do with one (`pad_token_id`). */
export function namesTheValue(name: string): boolean {
  const found = wordsOf(name);
  for (let last = found.pop(); last !== undefined; last = found.pop()) {
    if (isSecretWord(last) || pairs.has(`${found.at(-1) ?? ""} ${last}`)) return true;
    if (!/^\d+$/.test(last) && !after.has(last)) return false;
  }
  return false;
}

/** Whether a value says where the secret is to be found, and is none. */
export function isPlaceholder(value: string): boolean {
  return OPENS_PLACEHOLDER.includes(value.charAt(0)) && placeholder.test(value);
}

/** Whether a value is a number, with a unit or without. */
export function isMeasure(value: string): boolean {
  return measure.test(value);
}
