/**
 * The address bar's language. A search string is a flat list of `key=value`; lists are joined with `~`.
 * Links are read by people, so characters that are safe in a query stay as they are.
 */

export type RawSearch = Record<string, string | string[]>;

const KEEP: Record<string, string> = { "%2F": "/", "%3A": ":", "%2C": ",", "%40": "@", "%20": "+" };

function encodePart(text: string): string {
  return encodeURIComponent(text).replace(/%(?:2F|3A|2C|40|20)/g, (code) => KEEP[code] ?? code);
}

function decodePart(text: string): string {
  const spaced = text.replaceAll("+", " ");
  try {
    return decodeURIComponent(spaced);
  } catch {
    // A hand-edited link with a stray percent sign still opens the page.
    return spaced;
  }
}

/** `?a=1&b=x` → `{a: "1", b: "x"}`; a repeated key becomes a list. */
export function parseSearch(search: string): RawSearch {
  const found: RawSearch = {};
  for (const pair of search.replace(/^\?/, "").split("&")) {
    if (!pair) continue;
    const equal = pair.indexOf("=");
    const key = decodePart(equal < 0 ? pair : pair.slice(0, equal));
    const value = equal < 0 ? "" : decodePart(pair.slice(equal + 1));
    const known = Object.hasOwn(found, key) ? found[key] : undefined;
    if (known === undefined) found[key] = value;
    else found[key] = Array.isArray(known) ? [...known, value] : [known, value];
  }
  return found;
}

/** The inverse of `parseSearch`; keys keep their order and absent values leave no trace. */
export function stringifySearch(search: Record<string, unknown>): string {
  const pairs: string[] = [];
  for (const [key, value] of Object.entries(search)) {
    if (value === undefined || value === null) continue;
    for (const item of Array.isArray(value) ? value : [value]) {
      pairs.push(`${encodePart(key)}=${encodePart(String(item))}`);
    }
  }
  return pairs.length ? `?${pairs.join("&")}` : "";
}

/** `["a", "b~c"]` → `a~b!~c`. An empty list is the empty text; a list of one empty text is `!e`. */
export function joinList(items: readonly string[]): string {
  return items.map((item) => (item === "" ? "!e" : item.replace(/[!~]/g, "!$&"))).join("~");
}

export function splitList(text: string): string[] {
  if (text === "") return [];
  const items: string[] = [];
  let item = "";
  for (let i = 0; i < text.length; i += 1) {
    const mark = text[i];
    if (mark === "!" && i + 1 < text.length) {
      i += 1;
      if (text[i] !== "e") item += text[i];
    } else if (mark === "~") {
      items.push(item);
      item = "";
    } else item += mark;
  }
  items.push(item);
  return items;
}

/** How one key of a view is written into the address, and read back. */
export interface Field<T> {
  initial: T;
  write: (value: T) => string;
  read: (text: string) => T;
}

export function text(initial = ""): Field<string> {
  return { initial, write: (value) => value, read: (value) => value };
}

export function list(initial: readonly string[] = []): Field<readonly string[]> {
  return { initial, write: joinList, read: splitList };
}

export function number(initial: number): Field<number> {
  const read = (value: string) => (value !== "" && Number.isFinite(Number(value)) ? Number(value) : initial);
  return { initial, write: String, read };
}

export function flag(initial = false): Field<boolean> {
  return { initial, write: (value) => (value ? "1" : "0"), read: (value) => value === "1" };
}

export function choice<T extends string>(initial: T, options: readonly T[]): Field<T> {
  const read = (value: string) => (options.includes(value as T) ? (value as T) : initial);
  return { initial, write: (value) => value, read };
}

/** `[a, b]` or nothing, as `a:b`. */
export function span(): Field<[number, number] | null> {
  return {
    initial: null,
    write: (value) => (value ? `${value[0]}:${value[1]}` : ""),
    read: (value) => {
      const [a, b, ...rest] = value.split(":").map((part) => (part === "" ? Number.NaN : Number(part)));
      if (a === undefined || b === undefined || rest.length || !Number.isFinite(a) || !Number.isFinite(b)) return null;
      return [a, b];
    },
  };
}

// biome-ignore lint/suspicious/noExplicitAny: each field has its own type, which `ViewOf` brings out again.
export type Fields = Record<string, Field<any>>;
export type ViewOf<F extends Fields> = { [K in keyof F]: F[K] extends Field<infer T> ? T : never };

/** Reads a view; missing or broken values become the field's initial value. */
export function decodeView<F extends Fields>(fields: F, search: RawSearch): ViewOf<F> {
  const view: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(fields)) {
    const raw = Object.hasOwn(search, key) ? search[key] : undefined;
    const value = Array.isArray(raw) ? raw[raw.length - 1] : raw;
    view[key] = value === undefined ? field.initial : field.read(value);
  }
  return view as ViewOf<F>;
}

/** Writes a view over `search`: initial values are left out, unknown keys stay. */
export function encodeView<F extends Fields>(fields: F, view: ViewOf<F>, search: RawSearch = {}): RawSearch {
  const result: RawSearch = { ...search };
  for (const [key, field] of Object.entries(fields)) {
    const written = field.write(view[key]);
    if (written === field.write(field.initial)) delete result[key];
    else result[key] = written;
  }
  return result;
}
