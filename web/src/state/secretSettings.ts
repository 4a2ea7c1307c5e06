import { isMeasure, isPlaceholder, isSecret, MASK, namesTheValue } from "~/state/secretNames";
import { SECRET_STEMS } from "~/state/secretRules.gen";

/** `name: value` and `name = value` alone on a line of YAML, TOML, INI, HOCON or .env, with a bullet or without. */
const LINE =
  /^(?<head>[ \t]*(?:- )*["']?)(?<name>[\w.-]{1,100})(?<sign>["']?[ \t]*(?::=?|=(?!=))[ \t]*)(?<value>\S[^\n]*)?$/;
/** The same between the braces of one line. */
const WITHIN =
  /(?<head>[{,][ \t]*["']?)(?<name>[\w.-]{1,100})(?<sign>["']?[ \t]*[:=][ \t]*)(?<value>[^\s"'{}[\],][^{}[\],\n]*)/g;
const BLOCK = /^[|>][+-]?\d?[ \t]*(?:#.*)?$/;
const NOTHING = /^(?:null|none|true|false|~|yes|no|on|off)?$/i;
/** Values that are other things: quoted ones (which have their own rule), lists, tables, references, comments. */
const OTHER = /^["'[{&*!#•]/;
const COMMENT = /[ \t]+#.*$/;
const SHORT_NUMBER = 6;

function isValue(name: string, value: string): boolean {
  if (NOTHING.test(value) || OTHER.test(value) || isPlaceholder(value)) return false;
  if (isMeasure(value) && /\d/.test(value)) return value.length >= SHORT_NUMBER && namesTheValue(name);
  return namesTheValue(name);
}

const indent = (line: string): number => line.length - line.trimStart().length;

/**
 * A file of settings without the values of secret names. Such a file is not a program: a plain word after `password:` is a
 * password there, which in source would be the name of a variable. The page alone knows that it shows settings.
 */
export function maskedSettings(text: string): string {
  const small = text.toLowerCase();
  if (!SECRET_STEMS.some((stem) => small.includes(stem))) return text;
  let block = -1;
  const lines = text.split("\n").map((line) => {
    if (block >= 0 && (line.trim() === "" || indent(line) > block))
      return line.trim() === "" ? line : line.slice(0, indent(line)) + MASK;
    block = -1;
    const found = LINE.exec(line.replace(/\r$/, ""));
    const { head = "", name = "", sign = "", value = "" } = found?.groups ?? {};
    if (found && BLOCK.test(value) && namesTheValue(name)) {
      block = indent(line);
      return line;
    }
    const bare = value.replace(COMMENT, "").trimEnd();
    if (found && isSecret(name) && isValue(name, bare))
      return head + name + sign + MASK + value.slice(bare.length) + (line.endsWith("\r") ? "\r" : "");
    return line.replace(WITHIN, (all: string, ...more: unknown[]) => {
      const part = more.at(-1) as Record<string, string>;
      const [inner = "", its = ""] = [part["value"]?.trimEnd(), part["name"]];
      return isSecret(its) && isValue(its, inner)
        ? `${part["head"]}${its}${part["sign"]}${MASK}${(part["value"] ?? "").slice(inner.length)}`
        : all;
    });
  });
  return lines.join("\n");
}
