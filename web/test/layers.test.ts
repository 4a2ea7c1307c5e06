import { existsSync, readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { parseSync } from "vite";
import { describe, expect, it } from "vitest";

const WEB = join(import.meta.dirname, "..");

/** Each folder's height as the table in `contributing/web.md` has it, the lowest first. */
function heights(): Map<string, number> {
  const text = readFileSync(join(WEB, "../contributing/web.md"), "utf8");
  const rows = text.split("\n").filter((line) => line.startsWith("| `src/"));
  const found = rows.flatMap((row, height) => {
    const names = row.split("|")[1]?.match(/src\/[\w*]+/g) ?? [];
    return names.map((name): [string, number] => [name.slice("src/".length), height]);
  });
  return new Map(found);
}

/** What the file's code asks for, types too. */
function asked(file: string, code: string): string[] {
  const { module, errors } = parseSync(file, code);
  expect(errors, file).toEqual([]);
  return [
    ...module.staticImports.map((one) => one.moduleRequest.value),
    ...module.staticExports.flatMap((one) => one.entries.flatMap((entry) => entry.moduleRequest?.value ?? [])),
    // Of a type by its place there is no entry, only the words.
    ...[...code.matchAll(/\bimport\(\s*"([^"]+)"/g)].map((found) => found[1] as string),
  ];
}

/** The file of ours that is meant, or none for a package. */
function meant(from: string, name: string): string | null {
  if (!/^[.~]/.test(name)) return null;
  const path = name.startsWith("~/") ? name.slice(2) : normalize(join(dirname(from), name));
  const file = ["", ".ts", ".tsx"]
    .map((end) => path + end)
    .find((one) => /\.\w+$/.test(one) && existsSync(join(WEB, "src", one)));
  if (!file) throw new Error(`${from} imports ${name}, and there is no such file`);
  return file;
}

type Graph = Map<string, readonly string[]>;

async function drawn(): Promise<Graph> {
  const names = await readdir(join(WEB, "src"), { recursive: true });
  const files = names.filter((name) => /\.tsx?$/.test(name) && !name.endsWith(".d.ts"));
  return new Map(
    files.map((file) => {
      const code = readFileSync(join(WEB, "src", file), "utf8");
      return [file, asked(file, code).flatMap((name) => meant(file, name) ?? [])];
    }),
  );
}

/** What stands together: a folder, or one page's; the files of `src` itself tie all together. */
function group(file: string): string {
  const parts = file.split("/");
  if (parts.length === 1) return "*";
  return parts.slice(0, parts[0] === "pages" ? 2 : 1).join("/");
}

function upward(graph: Graph, height: ReadonlyMap<string, number>): string[] {
  const of = (file: string) => {
    const found = height.get(group(file).split("/")[0] as string);
    if (found === undefined) throw new Error(`contributing/web.md has no row for the folder of ${file}`);
    return found;
  };
  return [...graph].flatMap(([file, imports]) =>
    imports.filter((to) => group(to) !== group(file) && of(to) >= of(file)).map((to) => `${file} → ${to}`),
  );
}

/** The ways that lead back to where they begin, each once. */
function circles(graph: Graph): string[] {
  const done = new Set<string>();
  const found: string[] = [];
  const walk = (file: string, way: readonly string[]) => {
    const before = way.indexOf(file);
    if (before >= 0) found.push([...way.slice(before), file].join(" → "));
    if (before >= 0 || done.has(file)) return;
    for (const next of graph.get(file) ?? []) walk(next, [...way, file]);
    done.add(file);
  };
  for (const file of graph.keys()) walk(file, []);
  return found;
}

describe("the layers of contributing/web.md", () => {
  it("no file imports from above, from another page, or in a circle", async () => {
    const graph = await drawn();
    expect(graph.size).toBeGreaterThan(100);
    expect([...graph.values()].flat().length).toBeGreaterThan(500);
    expect(upward(graph, heights())).toEqual([]);
    expect(circles(graph)).toEqual([]);
  });

  it("an import from above, of a neighbour or in a circle is seen, in whatever words it stands", () => {
    const words =
      'import type { A } from "~/a/x"; export { b } from "./b"; const c = () => import("~/c"); let d: import("~/d").D; import "e";';
    expect(asked("a/a.ts", words).sort()).toEqual(["./b", "e", "~/a/x", "~/c", "~/d"].sort());
    const height = new Map(Object.entries({ low: 0, pages: 1, shell: 1, "*": 2 }));
    const graph: Graph = new Map([
      ["low/a.ts", ["low/b.ts", "pages/one/x.ts"]],
      ["low/b.ts", ["low/c.ts"]],
      ["low/c.ts", ["low/a.ts"]],
      ["pages/one/x.ts", ["low/a.ts", "pages/two/y.ts", "shell/s.ts", "pages/one/z.ts"]],
      ["main.ts", ["pages/one/x.ts", "shell/s.ts"]],
    ]);
    expect(upward(graph, height)).toEqual([
      "low/a.ts → pages/one/x.ts",
      "pages/one/x.ts → pages/two/y.ts",
      "pages/one/x.ts → shell/s.ts",
    ]);
    expect(circles(graph)[0]).toBe("low/a.ts → low/b.ts → low/c.ts → low/a.ts");
  });
});
