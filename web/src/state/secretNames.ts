import {
  ABOUT_SECRETS,
  AFTER_A_SECRET,
  FOREIGN,
  MEASURE,
  OPENS_PLACEHOLDER,
  PLACEHOLDER,
  SECRET_ENDINGS,
  SECRET_PAIRS,
  SECRET_WORDS,
  TOKENS,
  WORD,
} from "~/state/secretRules.gen";

/** Stands for a value that is hidden. */
export const MASK = "••••••••";

const words = new Set(SECRET_WORDS);
const pairs = new Set(SECRET_PAIRS);
const [after, about, tokens] = [new Set(AFTER_A_SECRET), new Set(ABOUT_SECRETS), new Set(TOKENS)];
const word = new RegExp(WORD, "g");
const placeholder = new RegExp(`^(?:${PLACEHOLDER})`);
const measure = new RegExp(`^(?:${MEASURE})`);

const wordsOf = (name: string): string[] => [...name.matchAll(word)].map(([one]) => one.toLowerCase());
const isSecretWord = (one: string): boolean => words.has(one) || SECRET_ENDINGS.some((end) => one.endsWith(end));

const isForeign = (name: string): boolean => FOREIGN.some((one) => name.toLowerCase().includes(one));

/** Whether a name says that its value is secret: the rule by which the SDK masks what it records. */
export function isSecret(name: string): boolean {
  if (isForeign(name)) return true;
  const found = wordsOf(name);
  while (/^\d/.test(found.at(-1) ?? "")) found.pop();
  // What has to do with a secret and is none: password_field, token_type.
  if (about.has(found.at(-1) ?? "") || (found.at(-2) === "token" && found.at(-1) === "id")) return false;
  return found.some((one, i) => isSecretWord(one) || pairs.has(`${one} ${found[i + 1] ?? ""}`));
}

/** Whether a name is that of a secret itself, and not of what has to do with one (`pad_token_id`). */
export function namesTheValue(name: string): boolean {
  return isForeign(name) || toTheSecret(name).length > 0;
}

/** Whether nothing but a secret has such a name. A `token` may be one of a text: it needs a word before it. */
export function isCertainName(name: string): boolean {
  const found = toTheSecret(name);
  return isForeign(name) || (found.length > 0 && (found.at(-1) !== "token" || tokens.has(found.at(-2) ?? "")));
}

/** Whether the value may be any word, or a number. */
export function isPasswordName(name: string): boolean {
  return [...SECRET_ENDINGS, "pwd"].some((end) => name.toLowerCase().endsWith(end)) || isForeign(name);
}

/** The words of a name up to the one that makes it a secret's; none when others stand in between. */
function toTheSecret(name: string): string[] {
  const found = wordsOf(name);
  for (let last = found.at(-1); last !== undefined; last = found.at(-1)) {
    if (isSecretWord(last) || pairs.has(`${found.at(-2) ?? ""} ${last}`)) return found;
    if (!/^\d+$/.test(last) && !after.has(last)) return [];
    found.pop();
  }
  return found;
}

/** Whether a value says where the secret is to be found, and is none. */
export function isPlaceholder(value: string): boolean {
  return OPENS_PLACEHOLDER.includes(value.charAt(0)) && placeholder.test(value);
}

/** Whether a value is a number, with a unit or without. */
export function isMeasure(value: string): boolean {
  return measure.test(value);
}
