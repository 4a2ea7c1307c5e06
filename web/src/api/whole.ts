import { ANSWERS, SHAPES } from "~/api/shapes.gen";

/*
 * Shapes, as `generate_types.py` writes them: `s` text, `n` number, `b` true or false, `[x` a list of x, `{x` a map to
 * x, `@Name` a struct, `~Name` a struct of which a question may name some fields only, `?x` x or null, `!x` x or left
 * out, `*` anything.
 */

/**
 * The answer as the types promise it. A part (a struct, a list, a map, a text) that is missing or of another kind than
 * promised is an empty part: a page that reads it shows nothing there, and does not break. A number or a truth that is
 * missing stays missing: 0 and "no" are statements. What is well is left as it is.
 *
 * `some`: the question named the fields it wants, so that documents are not filled up.
 */
export function whole(method: string, data: unknown, some = false): unknown {
  const shape = Object.hasOwn(ANSWERS, method) ? ANSWERS[method] : undefined;
  return shape === undefined ? data : part(shape, data, some);
}

function part(shape: string, value: unknown, some: boolean): unknown {
  const rest = shape.slice(1);
  switch (shape[0]) {
    case "?":
      return value === null || value === undefined ? null : part(rest, value, some);
    case "!":
      if (value === undefined) return undefined;
      return value === null && rest.startsWith("?") ? null : part(rest, value, some);
    case "s":
      if (typeof value === "string") return value;
      return value === null || value === undefined || typeof value === "object" ? "" : String(value);
    case "n":
      // Null is how JSON writes a number that is not finite.
      return typeof value === "number" || value === null ? value : undefined;
    case "b":
      return typeof value === "boolean" || value === null ? value : undefined;
    case "[":
      return Array.isArray(value) ? items(rest, value, some) : [];
    case "{":
      return isMap(value) ? entries(rest, value, some) : {};
    case "@":
      return struct(rest, isMap(value) ? value : {}, false, some);
    case "~":
      return struct(rest, isMap(value) ? value : {}, some, some);
    default:
      return value;
  }
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function items(shape: string, list: unknown[], some: boolean): unknown[] {
  if (shape === "*") return list;
  for (let i = 0; i < list.length; i += 1) list[i] = part(shape, list[i], some);
  return list;
}

function entries(shape: string, map: Record<string, unknown>, some: boolean): Record<string, unknown> {
  if (shape === "*") return map;
  for (const key of Object.keys(map)) map[key] = part(shape, map[key], some);
  return map;
}

function struct(name: string, map: Record<string, unknown>, inPart: boolean, some: boolean): Record<string, unknown> {
  for (const [key, shape] of Object.entries(SHAPES[name] ?? {})) {
    if (inPart && map[key] === undefined) continue;
    // Below a document that was asked for in part, structs are in part too.
    const inner = inPart ? shape.replace("@", "~") : shape;
    const made = part(inner, map[key], some);
    if (made !== undefined) map[key] = made;
    else delete map[key];
  }
  return map;
}
