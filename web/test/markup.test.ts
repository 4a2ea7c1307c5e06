import { describe, expect, it } from "vitest";

import { readFigure } from "~/charts/figure";
import { drawnText, plainText } from "~/charts/markup";

describe("texts of figures", () => {
  it.each([
    ["<s>", "&lt;s&gt;", "<s>"],
    ["</s>", "&lt;/s&gt;", "</s>"],
    ["<s> the cat </s>", "&lt;s&gt; the cat &lt;/s&gt;", "<s> the cat </s>"],
    ["<unk>", "&lt;unk&gt;", "<unk>"],
    ["<b>", "&lt;b&gt;", "<b>"],
    ["<b>loud</b>", "<b>loud</b>", "loud"],
    ["x<sub>1</sub><br>y", "x<sub>1</sub><br>y", "x1 y"],
    ["a < b > c", "a &lt; b > c", "a < b > c"],
    ["<|endoftext|>", "&lt;|endoftext|>", "<|endoftext|>"],
    ['<a href="javascript:x">link</a>', "link", "link"],
    ['<span style="color:red">red</span>', "red", "red"],
    ["<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)&gt;", "<img src=x onerror=alert(1)>"],
    ["<img src=x onerror=alert(1)", "&lt;img src=x onerror=alert(1)", "<img src=x onerror=alert(1)"],
    ["&lt;s&gt;", "&lt;s&gt;", "<s>"],
    ["plain", "plain", "plain"],
  ])("T11: %j is read as it is called", (text, drawn, plain) => {
    expect(drawnText(text)).toBe(drawn);
    expect(plainText(text)).toBe(plain);
  });

  it("T11: names of tokens stay on axes, in legends and in the heads of tables", () => {
    const figure = readFigure(
      JSON.stringify({
        data: [
          { type: "bar", name: "<s>", x: ["<s>", "</s>"], y: [1, 2], hovertemplate: "%{x}<extra></extra>" },
          { type: "table", header: { values: ["<pad>", "<b>n</b>"] }, cells: { values: [["<s>"], [1]] } },
        ],
        layout: { title: { text: "<unk>" } },
      }),
      "plot",
    );
    expect(figure.traces[0]).toMatchObject({
      name: "&lt;s&gt;",
      x: ["&lt;s&gt;", "&lt;/s&gt;"],
      hovertemplate: "%{x}<extra></extra>",
    });
    expect(figure.layout).toMatchObject({ title: { text: "&lt;unk&gt;" } });
    expect(figure.tables[0]).toMatchObject({ columns: ["<pad>", "n"], rows: [["<s>", 1]] });
  });
});
