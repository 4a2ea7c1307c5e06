import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { ContentEntry } from "~/api/types.gen";
import { npyHeader, tableOf } from "~/pages/datasets/fileKinds";
import { entryAt, type Folder, PAGE, pagesFor, placeOf, runsOf } from "~/pages/datasets/tree";
import { columnFacts, parseJsonLines } from "~/widgets/columnStatistics";
import { inOrder, laneRows } from "~/widgets/lanes";

/** A history: node i has parents among those before it. */
const history = fc.array(fc.array(fc.nat(), { maxLength: 3 }), { minLength: 1, maxLength: 60 }).map((picks) =>
  picks.map((some, i) => ({
    id: `n${i}`,
    at: i,
    parents: i ? [...new Set(some.map((pick) => `n${pick % i}`))] : [],
  })),
);
const newer = (a: { at: number }, b: { at: number }) => b.at - a.at;

describe("lanes", () => {
  it("put every node before its parents, whatever the clocks say", () => {
    fc.assert(
      fc.property(history, fc.infiniteStream(fc.integer()), (nodes, noise) => {
        const skewed = nodes.map((node) => ({ ...node, at: noise.next().value as number }));
        const place = new Map(inOrder(skewed, newer).map((node, i) => [node.id, i]));
        expect(place.size).toBe(nodes.length);
        for (const node of nodes)
          for (const parent of node.parents) expect(place.get(node.id)).toBeLessThan(place.get(parent) as number);
      }),
    );
  });

  it("lead each edge from its node to its parent, and nowhere else", () => {
    fc.assert(
      fc.property(history, (nodes) => {
        const ordered = inOrder(nodes, newer);
        const rows = laneRows(ordered);
        // Follow each line down: what arrives at a node must be exactly its children.
        let reaching = new Map<number, Set<string>>();
        rows.forEach((row, i) => {
          const arrived = new Set<string>();
          const next = new Map<number, Set<string>>();
          for (const [from, to] of row.above) {
            expect(reaching.has(from)).toBe(true);
            for (const child of reaching.get(from) ?? [])
              (to === row.lane && !row.below.some(([a, b]) => a === from && b === from && a !== row.lane)
                ? arrived
                : new Set()
              ).add(child);
          }
          const children = nodes.filter((node) => node.parents.includes(row.id)).map((node) => node.id);
          expect([...arrived].sort()).toEqual(children.sort());
          const own = (ordered[i] as (typeof nodes)[number]).parents;
          for (const [from, to] of row.below) {
            const line = next.get(to) ?? new Set<string>();
            if (from === to && from !== row.lane) for (const child of reaching.get(from) ?? []) line.add(child);
            else line.add(row.id);
            next.set(to, line);
          }
          expect(row.below.filter(([from, to]) => from === row.lane && (to !== from || own.length > 0)).length).toBe(
            own.length,
          );
          reaching = next;
        });
        expect(reaching.size).toBe(0);
      }),
    );
  });

  it("stay few when a hundred versions have one parent", () => {
    const nodes = [
      ...Array.from({ length: 100 }, (_, i) => ({ id: `c${i}`, parents: ["root"] })),
      { id: "root", parents: [] },
    ];
    expect(Math.max(...laneRows(nodes).map((row) => row.width))).toBeLessThanOrEqual(2);
  });
});

const entry = (name: string, kind = "file"): ContentEntry => ({
  name,
  kind,
  files: 1,
  bytes: 1,
  change: "",
  hash: "",
  link: "",
  modified: 0,
});
const folder = (entries: ContentEntry[]): Folder => ({
  total: entries.length,
  pages: new Map(
    Array.from({ length: Math.ceil(entries.length / PAGE) }, (_, page) => [
      page,
      entries.slice(page * PAGE, (page + 1) * PAGE),
    ]),
  ),
});

describe("tree", () => {
  it("shows exactly the rows that a plain walk lists", () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-e]{1,2}$/), { maxLength: 6 });
    fc.assert(
      fc.property(fc.array(names, { minLength: 1, maxLength: 8 }), fc.array(fc.nat(20)), (levels, opened) => {
        const folders = new Map<string, Folder>();
        const paths = [""];
        levels.forEach((some, level) => {
          const path = paths[level];
          if (path === undefined) return;
          folders.set(path, folder(some.map((name) => entry(name, "folder"))));
          for (const name of some) paths.push(path ? `${path}/${name}` : name);
        });
        const open = new Set(opened.map((pick) => paths[pick % paths.length] as string));
        const plain: (string | null)[] = [];
        const walk = (path: string) => {
          const known = folders.get(path);
          if (!known) plain.push(null);
          for (const one of known?.pages.get(0) ?? []) {
            const below = path ? `${path}/${one.name}` : one.name;
            plain.push(below);
            if (open.has(below)) walk(below);
          }
        };
        walk("");
        const { runs, rows } = runsOf("", folders, open);
        const seen = Array.from({ length: rows }, (_, row) => {
          const at = placeOf(runs, row);
          const found = at && entryAt(folders.get(at.folder), at.place);
          return found && at ? (at.folder ? `${at.folder}/${found.name}` : found.name) : null;
        });
        expect(seen).toEqual(plain);
      }),
    );
  });

  it("asks for a screenful of a folder of a million files", () => {
    const folders = new Map<string, Folder>([["", { total: 1_000_000, pages: new Map() }]]);
    const { runs, rows } = runsOf("", folders, new Set());
    expect(rows).toBe(1_000_000);
    expect(runs).toHaveLength(1);
    expect(pagesFor("", runs, new Set(), 500_000, 500_040).map((one) => one.page)).toEqual([0, 2500]);
  });
});

describe("looks into files", () => {
  it("leave out a line that was cut", () => {
    expect(tableOf("a,b\n1,2\n3,", "t.csv", true)).toEqual({ columns: ["a", "b"], rows: [[1, 2]] });
    expect(tableOf("a;b\n1;x\n", "t.csv", false)).toEqual({ columns: ["a", "b"], rows: [[1, "x"]] });
    expect(tableOf('{"a": 1}\n{"b": [2]}\n{"a"', "t.jsonl", true)).toEqual({
      columns: ["a", "b"],
      rows: [
        [1, null],
        [null, "[2]"],
      ],
    });
    expect(parseJsonLines("nothing")).toBeNull();
  });

  it("tell the shape of an array", () => {
    const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (10, 3), }\n";
    const bytes = Uint8Array.from([
      0x93,
      ..."NUMPY".split("").map((c) => c.charCodeAt(0)),
      1,
      0,
      header.length,
      0,
      ...header.split("").map((c) => c.charCodeAt(0)),
    ]);
    expect(npyHeader(bytes.buffer)).toEqual({ type: "<f4", shape: "10 × 3", fortran: false });
    expect(npyHeader(new ArrayBuffer(64))).toBeNull();
  });

  it("count columns", () => {
    const [number, text, nothing] = columnFacts(
      ["n", "t", "e"],
      [
        [1, "x", null],
        [3, "y", null],
        [null, "x", null],
      ],
    );
    expect(number).toMatchObject({
      kind: "number",
      count: 2,
      missing: 1,
      least: 1,
      greatest: 3,
      mean: 2,
      deviation: 1,
    });
    expect(number?.bins?.reduce((sum, one) => sum + one, 0)).toBe(2);
    expect(text).toMatchObject({
      kind: "text",
      top: [
        ["x", 2],
        ["y", 1],
      ],
      distinct: 2,
    });
    expect(nothing).toMatchObject({ kind: "empty", missing: 3 });
  });
});
