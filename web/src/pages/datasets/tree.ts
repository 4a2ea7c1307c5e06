import type { ContentEntry } from "~/api/types.gen";

export const PAGE = 200;

/** What is known of one folder: how many entries it has, and those pages of them that have come. */
export interface Folder {
  total: number;
  pages: ReadonlyMap<number, readonly ContentEntry[]>;
}

/** A run of neighbouring rows: entries `start` … of one folder. */
export interface Run {
  folder: string;
  start: number;
  count: number;
  depth: number;
  /** Number of the first row. */
  row: number;
}

export function join(folder: string, name: string): string {
  return folder ? `${folder}/${name}` : name;
}

export function entryAt(folder: Folder | undefined, place: number): ContentEntry | undefined {
  return folder?.pages.get(Math.floor(place / PAGE))?.[place % PAGE];
}

/**
 * The rows of a tree as runs: a folder of a million files that is open is one run, not a million rows. A folder that is
 * open but has not answered yet takes one row, for "loading".
 */
export function runsOf(
  root: string,
  folders: ReadonlyMap<string, Folder>,
  open: ReadonlySet<string>,
): { runs: Run[]; rows: number } {
  const runs: Run[] = [];
  let row = 0;
  const add = (folder: string, start: number, count: number, depth: number) => {
    if (count <= 0) return;
    runs.push({ folder, start, count, depth, row });
    row += count;
  };
  const walk = (path: string, depth: number) => {
    const folder = folders.get(path);
    if (!folder) {
      add(path, 0, 1, depth);
      return;
    }
    let start = 0;
    for (const [page, entries] of [...folder.pages].sort((a, b) => a[0] - b[0])) {
      entries.forEach((entry, i) => {
        if (entry.kind !== "folder" || !open.has(join(path, entry.name))) return;
        const place = page * PAGE + i;
        add(path, start, place + 1 - start, depth);
        start = place + 1;
        walk(join(path, entry.name), depth + 1);
      });
    }
    add(path, start, folder.total - start, depth);
  };
  walk(root, 0);
  return { runs, rows: row };
}

/** The entry that a row shows. */
export function placeOf(runs: readonly Run[], row: number): { folder: string; place: number; depth: number } | null {
  let [low, high] = [0, runs.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const run = runs[middle] as Run;
    if (row < run.row) high = middle - 1;
    else if (row >= run.row + run.count) low = middle + 1;
    else return { folder: run.folder, place: run.start + row - run.row, depth: run.depth };
  }
  return null;
}

/** Which pages must be asked for so that these rows can be shown; the first of every open folder always. */
export function pagesFor(
  root: string,
  runs: readonly Run[],
  open: ReadonlySet<string>,
  first: number,
  last: number,
): { folder: string; page: number }[] {
  const wanted = new Map<string, { folder: string; page: number }>();
  const want = (folder: string, page: number) => wanted.set(`${page} ${folder}`, { folder, page });
  want(root, 0);
  for (const path of open) if (root === "" || path.startsWith(`${root}/`)) want(path, 0);
  for (const run of runs) {
    const from = Math.max(first, run.row);
    const to = Math.min(last, run.row + run.count - 1);
    if (from > to) continue;
    for (
      let page = Math.floor((run.start + from - run.row) / PAGE);
      page <= Math.floor((run.start + to - run.row) / PAGE);
      page += 1
    ) {
      want(run.folder, page);
    }
  }
  return [...wanted.values()];
}
