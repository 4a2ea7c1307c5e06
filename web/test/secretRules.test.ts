import { describe, expect, it } from "vitest";

import { MASK, masked } from "~/state/secrets";
import { maskedOutput, maskedText } from "~/state/secretText";

import lines from "../../tests/unit/sdk/secret_lines.json";

describe("secrets in texts", () => {
  it("S13: the page hides what the SDK masks, letter by letter", () => {
    // No key stands in the file as a whole: a bar cuts it.
    const whole = lines.map((three) => three.map((one) => one.replaceAll("¦", "").replaceAll("********", MASK)));
    for (const [text = "", asSource = "", asOutput = ""] of whole) {
      expect([maskedText(text), maskedOutput(text)], text).toEqual([asSource, asOutput]);
    }
  });

  it.each([
    ["password: x", `password: ${MASK}`],
    [
      "db:\n  password: swordfish  # of the test\n  user: joe\n",
      `db:\n  password: ${MASK}  # of the test\n  user: joe\n`,
    ],
    ["- api_key: abc\n- lr: 0.1", `- api_key: ${MASK}\n- lr: 0.1`],
    ["db = {user: joe, password: swordfish, port: 5432}", `db = {user: joe, password: ${MASK}, port: 5432}`],
    ["password = correct horse\r\nlr = 1\r\n", `password = ${MASK}\r\nlr = 1\r\n`],
    ["secret: |\n  first\n\n  second\nlr: 1", `secret: |\n  ${MASK}\n\n  ${MASK}\nlr: 1`],
    ["HF_TOKEN=x", `HF_TOKEN=${MASK}`],
    ["url: https://joe:hunter22@example.com/x", `url: https://joe:${MASK}@example.com/x`],
  ])("S13: named values in settings are hidden: %j", (text, shown) => {
    expect(masked(text)).toBe(shown);
    // What is masked already stays so.
    expect(masked(shown)).toBe(shown);
  });

  it.each([
    "lr: 0.1\nbatch: 64",
    "pad_token: <pad>",
    "pad_token_id: 0",
    "max_token: 512",
    "password: ${DB_PASSWORD}",
    "password: null",
    "password:",
    "token: {a: 1}",
    "tokenizer: bert",
    "key: value",
    "password: *ref",
    "secret: true",
    "model: a\ntokens: [1, 2]",
    "see the token of the day",
  ])("S13: other settings stay: %j", (text) => expect(masked(text)).toBe(text));
});
