import fc from "fast-check";
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";

import { EventParser } from "~/api/stream";
import { decodeTiles } from "~/api/tiles";
import { formatBytes, formatDuration, formatNumber, formatShort, formatTicks } from "~/state/format";
import { alignTiles, bucketCount } from "~/charts/grid";
import { logTicks } from "~/charts/axes";
import { smooth } from "~/charts/smoothing";
import * as codec from "~/state/codec";
import { md5 } from "~/state/md5";

import { tileBody } from "./support/tileBody";

const anyText = fc.string({ unit: "binary" });

describe("the address codec", () => {
  it("reads back every list", () => {
    fc.assert(
      fc.property(fc.array(anyText), (items) => {
        expect(codec.splitList(codec.joinList(items))).toEqual(items);
      }),
    );
  });

  it("reads back every search string", () => {
    const keys = anyText.filter((key) => key !== "" && key !== "__proto__");
    fc.assert(
      fc.property(fc.dictionary(keys, anyText), (search) => {
        expect(codec.parseSearch(codec.stringifySearch(search))).toEqual({ ...search });
      }),
    );
  });

  const fields = {
    q: codec.text(),
    st: codec.list(["a"]),
    sm: codec.number(0.6),
    log: codec.flag(),
    x: codec.choice("iter", ["iter", "time", "relative"] as const),
    z: codec.span(),
  };
  const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map((v) => v + 0);
  const view = fc.record({
    q: anyText,
    st: fc.array(anyText),
    sm: finite,
    log: fc.boolean(),
    x: fc.constantFrom("iter" as const, "time" as const, "relative" as const),
    z: fc.option(fc.tuple(finite, finite), { nil: null }),
  });

  it("reads back every view, through the address", () => {
    fc.assert(
      fc.property(view, (state) => {
        const address = codec.stringifySearch(codec.encodeView(fields, state));
        expect(codec.decodeView(fields, codec.parseSearch(address))).toEqual(state);
      }),
    );
  });

  it("leaves initial values out and unknown keys in", () => {
    const initial = codec.decodeView(fields, {});
    expect(codec.encodeView(fields, initial, { other: "1", q: "old" })).toEqual({ other: "1" });
  });

  it("survives broken input", () => {
    expect(codec.decodeView(fields, codec.parseSearch("?sm=fast&x=sideways&z=1&log=yes&q=%E0%A4%A"))).toEqual({
      q: "%E0%A4%A",
      st: ["a"],
      sm: 0.6,
      log: false,
      x: "iter",
      z: null,
    });
  });
});

describe("md5", () => {
  it("equals node's", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (value) => {
        expect(md5(value)).toBe(createHash("md5").update(value, "utf8").digest("hex"));
      }),
    );
  });
});

describe("smoothing", () => {
  it("keeps a constant constant, from the first point on", () => {
    const x = Array.from({ length: 50 }, (_, i) => i * 3);
    expect(
      [
        ...smooth(
          x,
          x.map(() => 7),
          0.9,
        ),
      ].every((v) => Math.abs(v - 7) < 1e-12),
    ).toBe(true);
  });

  it("forgets more across a wider gap", () => {
    const near = smooth([0, 1, 2, 3], [0, 0, 0, 1], 0.8)[3] as number;
    const far = smooth([0, 1, 2, 30], [0, 0, 0, 1], 0.8)[3] as number;
    expect(far).toBeGreaterThan(near);
  });

  it("passes NaN through without spreading it", () => {
    const out = smooth([0, 1, 2], [1, Number.NaN, 1], 0.5);
    expect([out[0], out[2]]).toEqual([1, 1]);
    expect(out[1]).toBeNaN();
  });
});

describe("tiles", () => {
  const body = tileBody([
    {
      rows: [
        [0, 0, 1, 1, 1, 1, 0],
        [2, 3, -5, 9, 2, 2, 0],
      ],
    },
    {
      rows: [
        [1, 1, NaN, NaN, NaN, 1, 1],
        [3, 3, 4, 4, 4, 1, 0],
      ],
    },
  ]);

  it("decodes the columns", () => {
    const { tiles, range } = decodeTiles(body);
    expect(range).toEqual([0, 10]);
    expect([...(tiles[0]?.max ?? [])]).toEqual([1, 9]);
    expect([...(tiles[1]?.lost ?? [])]).toEqual([1, 0]);
  });

  it("breaks a line at NaN but not where another series has a point", () => {
    const grid = alignTiles(decodeTiles(body).tiles, 0);
    expect(grid.x).toEqual([0, 1, 3]);
    expect(grid.lines[0]).toEqual([1, undefined, 2]);
    expect(grid.lines[1]).toEqual([undefined, null, 4]);
  });

  it("refuses another body", () => {
    expect(() => decodeTiles(new ArrayBuffer(4))).toThrow();
  });

  it("asks for fewer buckets when series are many", () => {
    expect(bucketCount(380, 4)).toBe(384);
    expect(bucketCount(1000, 1000)).toBe(128);
    expect(bucketCount(1000, 100_000)).toBe(64);
  });
});

describe("numbers", () => {
  it.each([
    [0.123456, "0.1235"],
    [12400, "12\u2009400"],
    [1.234e-5, "1.23e-5"],
    [2.5e7, "2.50e7"],
    [NaN, "NaN"],
    [-Infinity, "−∞"],
    [null, "–"],
    [0, "0"],
    [-0.5, "−0.5000"],
    [1234.5678, "1\u2009235"],
  ])("%s → %s", (value, shown) => expect(formatNumber(value)).toBe(shown));

  it("standing alone", () => {
    expect([0.9712, 1, 1e-7, 0.5, 1234.5].map((v) => formatShort(v))).toEqual([
      "0.9712",
      "1",
      "1e-7",
      "0.5",
      "1\u2009234.5",
    ]);
  });

  it("durations and sizes", () => {
    expect(formatDuration(7500)).toBe("2 h 05 m");
    expect(formatDuration(null)).toBe("–");
    expect(formatBytes(1536)).toBe("1.50 KiB");
  });
});

describe("the event stream parser", () => {
  it("joins pieces and skips comments", () => {
    const got: unknown[] = [];
    const parser = new EventParser((event) => got.push(event));
    for (const piece of [": hello\n\nid: 4\nev", "ent: change\nda", 'ta: {"a":1}\n', "\nevent: resync\n\n"])
      parser.feed(piece);
    expect(got).toEqual([
      { id: "4", name: "change", data: '{"a":1}' },
      { id: "", name: "resync", data: "" },
    ]);
  });
});

describe("axes", () => {
  it("labels steps without needless zeros", () => {
    expect(formatTicks([0, 0.5, 1, 1.5])).toEqual(["0", "0.5", "1", "1.5"]);
    expect(formatTicks([0.0001, 0.0002])).toEqual(["0.0001", "0.0002"]);
    expect(formatTicks([0, 1e-5])).toEqual(["0", "1e−5"]);
    expect(formatTicks([-1000, 2000])).toEqual(["−1\u2009000", "2\u2009000"]);
    expect(formatTicks([0.30000000000000004])).toEqual(["0.3"]);
  });

  it("ticks a logarithmic axis inside its range", () => {
    expect(logTicks(0.08, 0.95)).toEqual([0.1, 0.2, 0.5]);
    expect(logTicks(0.3, 0.9)).toEqual([0.3, 0.4, 0.5, 0.7]);
    expect(logTicks(1e-9, 1e9).length).toBeLessThanOrEqual(8);
  });
});
