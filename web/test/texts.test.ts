import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { readFigure } from "~/charts/figure";
import { columnOf, metricColumn, parameterColumn, STATS } from "~/pages/tasks/columns";
import { parseCsv } from "~/state/csv";
import { csv } from "~/state/download";
import { filePlace } from "~/state/files";
import { canonicalPath, safeRedirect, tabOf, TABS } from "~/state/links";
import { md5 } from "~/state/md5";
import { foldReturns, parseAnsi } from "~/widgets/ansi";
import { splitDiff } from "~/widgets/Diff";

const ID = "0123456789abcdef0123456789abcdef";

describe("links", () => {
  it.each([
    [`/projects/*/experiments/${ID}/output/log`, `/projects/*/tasks/${ID}/output/log`],
    [`/pipelines/${ID}/tasks/${ID}`, `/projects/${ID}/tasks/${ID}`],
    [`/datasets/simple/${ID}/experiments/${ID}`, `/datasets/${ID}/${ID}`],
    [`/datasets/simple/*/experiments/${ID}/output/log`, `/datasets/*/${ID}`],
    [`/datasets/simple/${ID}/tasks/${ID}/`, `/datasets/${ID}/${ID}`],
    [`/datasets/simple/${ID}`, `/datasets/${ID}`],
    ["/datasets/simple", "/datasets"],
    ["/models", "/projects/*/models"],
    [`/models/${ID}`, `/projects/*/models/${ID}`],
    [`/projects/*/compare-experiments;ids=${ID},${ID}/scalars/graph`, `/projects/*/compare-tasks?ids=${ID}~${ID}`],
    [`/projects/*/compare-tasks;ids=${ID},${ID}/details`, `/projects/*/compare-tasks?ids=${ID}~${ID}&tab=details`],
    ["//settings//profile", "/settings/profile"],
    [`/projects/${ID}`, `/projects/${ID}/tasks`],
    [`/projects/${ID}/overview`, `/projects/${ID}/tasks`],
  ])("%s means %s", (given, meant) => expect(canonicalPath(given)).toBe(meant));

  it("leaves right addresses alone, and is done after one step", () => {
    fc.assert(
      fc.property(fc.constantFrom(...TABS), (tab) => {
        expect(canonicalPath(`/projects/${ID}/tasks/${ID}/${tab.path}`)).toBeNull();
        expect(tabOf(`${tab.path}/`)).toBe(tab.path);
      }),
    );
    const moved = canonicalPath(`//projects/${ID}//experiments/${ID}`) as string;
    expect(canonicalPath(moved)).toBeNull();
  });

  it("sends a log-in nowhere else", () => {
    for (const bad of ["//evil.org", "/\\evil.org", "https://evil.org", "javascript:alert(1)", undefined]) {
      expect(safeRedirect(bad)).toBe("/dashboard");
    }
    expect(safeRedirect("/projects/*/tasks?q=a")).toBe("/projects/*/tasks?q=a");
  });
});

describe("columns", () => {
  const anyName = fc.string({ unit: "binary", minLength: 0, maxLength: 30 });

  it("carry any metric name", () => {
    fc.assert(
      fc.property(fc.constantFrom(...STATS), anyName, anyName, (stat, metric, variant) => {
        const column = columnOf(metricColumn(stat, metric, variant));
        expect(column?.title).toBe(`${stat} of ${metric} / ${variant}`);
        expect(column?.order).toContain(`${md5(metric)}.${md5(variant)}`);
      }),
    );
  });

  it("carry any parameter name, and fetch whole sections for dotted ones", () => {
    fc.assert(
      fc.property(anyName, anyName, (section, name) => {
        const column = columnOf(parameterColumn(section, name));
        expect(column?.title).toBe(`${section} / ${name}`);
        if (`${section}${name}`.includes(".")) expect(column?.fields).toEqual(["hyperparams"]);
      }),
    );
  });

  it("ignore what is none", () => {
    for (const id of ["", "m", "m:best:a:b", "h:only", "nonsense"]) expect(columnOf(id)).toBeNull();
  });
});

describe("tables as text", () => {
  it("read back what was written", () => {
    const cell = fc
      .string({ unit: "binary" })
      .filter((text) => !/^[=+@\t\n＝＋－＠-]/.test(text) && !text.includes("\r") && text !== "");
    fc.assert(
      fc.property(fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { minLength: 1 }), (rows) => {
        expect(parseCsv(csv(rows))).toEqual(rows);
      }),
    );
  });

  it("S13: never hand a formula to a spreadsheet", () => {
    expect(csv([["=HYPERLINK(1)", "-1.5", -1.5, "-x"]])).toBe("'=HYPERLINK(1),-1.5,-1.5,'-x\r\n");
    const formulas = [
      "-2+3+cmd|' /C calc'!A0",
      "+2+3",
      "=1",
      "@SUM(A1)",
      "\t=1",
      "\r=1",
      "\n=1",
      "-1e5*2",
      "-.",
      "+A1",
      "＝1",
      "－1+cmd",
      "-",
    ];
    for (const formula of formulas)
      expect(parseCsv(csv([[formula, "x"]]))[0]?.[0]?.startsWith("'"), formula).toBe(true);
    for (const number of ["-1", "+1.5", "-1e-05", "-.5", "3.", "-0"]) expect(csv([[number]])).toBe(`${number}\r\n`);
    // Read with another separator, no part of a cell begins a new one.
    for (const mark of [";", "\t"]) expect(parseCsv(csv([[`a${mark}=1`]]), mark)).toEqual([[`a${mark}=1`]]);
  });
});

describe("console lines", () => {
  it("take colours and drop every other escape", () => {
    const spans = parseAnsi("a\x1b[1;31mred\x1b[0m\x1b[2Kb\x1b]0;title\x07c\x1b[38;5;196md\x1b[38;2;1;2;3me");
    expect(spans.map((span) => span.text).join("")).toBe("aredbcde");
    expect(spans[1]).toMatchObject({ text: "red", bold: true, colour: "var(--ansi-red)" });
    expect(spans.at(-2)?.colour).toBe("rgb(255 0 0)");
    expect(spans.at(-1)?.colour).toBe("rgb(1 2 3)");
  });

  it("lose no printable text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const printable = text.replace(/[\x00-\x08\x0b-\x1f\x7f]/g, "");
        expect(
          parseAnsi(printable)
            .map((span) => span.text)
            .join(""),
        ).toBe(printable);
      }),
    );
  });

  it("fold a progress bar to its last state", () => {
    expect(foldReturns("10%\r20%\r100%\r")).toEqual({ text: "100%", rewrites: 2 });
    expect(foldReturns("plain")).toEqual({ text: "plain", rewrites: 0 });
  });
});

describe("figures", () => {
  const figure = (data: unknown[], layout: unknown = {}) => readFigure(JSON.stringify({ data, layout }), "f");

  it("lose links, scripts and foreign pictures, and keep plain formatting", () => {
    const { traces, layout } = figure(
      [{ type: "bar", x: ['<a href="javascript:1">x</a>', "<b>y</b>"], customdata: ["secret"] }],
      {
        title: { text: "<script>1</script>a < b" },
        images: [{ source: "https://evil.org/x.png" }, { source: "http://host:8008/files/a.png" }],
      },
    );
    expect(traces[0]?.["x"]).toEqual(["x", "<b>y</b>"]);
    expect(traces[0]).not.toHaveProperty("customdata");
    expect(JSON.stringify(layout)).not.toMatch(/script>|evil/);
    expect(layout["images"]).toEqual([{ source: "" }, { source: "/files/a.png" }]);
  });

  it("never leave an opened tag behind", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const { layout } = figure([], { title: { text: `${text}<a href="x">${text}` } });
        expect((layout["title"] as { text: string }).text).not.toMatch(/<\s*(a|script|img)\b[^>]*>/i);
      }),
    );
  });

  it("become tables, with typed columns decoded", () => {
    const bdata = btoa(String.fromCharCode(...new Uint8Array(Float64Array.of(1.5, -2).buffer)));
    const trace = {
      type: "table",
      header: { values: ["<b>a</b>", "b"] },
      cells: { values: [{ dtype: "f8", bdata }, ["x", "7"]] },
    };
    expect(figure([trace]).tables).toEqual([
      {
        name: "f",
        columns: ["a", "b"],
        rows: [
          [1.5, "x"],
          [-2, 7],
        ],
      },
    ]);
  });

  it("say what they cannot draw, and ask for three dimensions only when needed", () => {
    expect(figure([{ type: "sankey" }, { type: "scattergl" }])).toMatchObject({ unknown: ["sankey"], deep: false });
    expect(figure([{ type: "surface" }]).deep).toBe(true);
    expect(() => readFigure("[]", "f")).toThrow("not a figure");
  });
});

describe("files", () => {
  it("open through this server only", () => {
    expect(filePlace("http://trainer:8008/files/a%20b/c.png")).toEqual({ href: "/files/a%20b/c.png", why: "" });
    for (const other of [
      "s3://bucket/x",
      "file:///home/x",
      "/home/x",
      "https://example.org/x.png",
      "javascript:1",
      null,
    ]) {
      expect(filePlace(other).href).toBeNull();
    }
  });
});

describe("diffs", () => {
  it("are cut by file and counted", () => {
    const parts = splitDiff("diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n+c\ndiff --git a/y b/z\n-q\n");
    expect(parts.map(({ name, added, removed }) => [name, added, removed])).toEqual([
      ["x", 2, 1],
      ["z", 0, 1],
    ]);
  });
});
