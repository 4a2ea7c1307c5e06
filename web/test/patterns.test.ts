import { describe, expect, it } from "vitest";

import { shownName } from "~/state/names";
import { patternOf } from "~/state/pattern";

describe("what is typed into a filter", () => {
  it.each(["a", "lr=.*5", "^run \\d+$", "(a|b)+", "[a-z]{2,3}", "(?:x)y", "日本"])("%s is a pattern", (text) => {
    expect(patternOf(text)).toBe(text);
  });
  it.each([
    "[a-",
    "(",
    "a(?=b)",
    "(?<!a)b",
    "(a)\\1",
    "\\u0041",
    "\\q",
    "x{1000}",
    "x{1,999}",
    "[]",
    "a)",
    "*",
    "{",
    "(?<n>a)",
    "((".repeat(30) + "))".repeat(30),
  ])("%s is text, which every server can look for", (text) => {
    const meant = patternOf(text);
    expect(new RegExp(meant, "u").test(text)).toBe(true);
    expect(meant.replace(/\\(.)/g, "$1")).toBe(text);
  });
});

it.each(["", "   ", "\u200b", "\u202e ", null, undefined])("a name %j has something to press", (name) => {
  expect(shownName(name)).toBe("(no name)");
});

it.each([
  ["photo_\u202egpj.exe", "photo_\\u202egpj.exe"],
  ["a\nb\tc\r", "a\\nb\\tc\\r"],
  ["a\u001b[2Jb\u0085", "a\\x1b[2Jb\\x85"],
  ["\u2066in\u2069 \u2028", "\\u2066in\\u2069 \\u2028"],
  ["שלום.txt \u200f日本 👩‍🔬", "שלום.txt \u200f日本 👩‍🔬"],
])("the name %j is shown as one that commands nothing", (name, shown) => {
  expect(shownName(name)).toBe(shown);
});
