import { useQueries } from "@tanstack/react-query";
import { useMemo } from "react";

import { call } from "~/api/rpc";
import type { ContentEntry, GetContentReply } from "~/api/types.gen";
import { entryAt, type Folder, PAGE, pagesFor, placeOf, type Run, runsOf } from "~/pages/datasets/tree";

export interface TreeRow {
  folder: string;
  place: number;
  depth: number;
  /** Of its folder. */
  total: number;
  /** Undefined while its page is on the way. */
  entry: ContentEntry | undefined;
}

export interface Tree {
  rows: number;
  at: (row: number) => TreeRow | null;
  /** The answer for the top of the tree, which has the totals. */
  top: GetContentReply | undefined;
  pending: boolean;
  fetching: boolean;
  error: unknown;
  retry: () => void;
}

export interface TreeView {
  dataset: string;
  root: string;
  open: readonly string[];
  /** Undefined: the first parent; empty: nothing. */
  against: string | undefined;
  /** Instead of the tree: files below the root whose path contains this text. */
  search: string;
  /** Only what is added, modified or removed. */
  changed: boolean;
  /** Whether what was answered can still change. */
  final: boolean;
}

/** The pages of a tree that are on the screen, or were. A finished version never changes, so nothing is asked twice. */
export function useTree(view: TreeView, range: readonly [number, number]): Tree {
  const { dataset, root, against, search, changed, final } = view;
  const open = useMemo(() => new Set(view.open), [view.open]);
  // The runs depend on the answers, and what to ask on the runs: the ones of the last pass say what this one asks.
  const known = useKnown(dataset, root, against, search, changed);
  const asked = pagesFor(root, known.runs, open, range[0], range[1]);
  const results = useQueries({
    queries: asked.map(({ folder, page }) => ({
      queryKey: ["dataset-content", dataset, against, folder, folder === root ? search : "", changed, page],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        call(
          "datasets.get_content",
          { dataset, folder, against, search: folder === root ? search : "", changed, page, page_size: PAGE },
          signal,
        ),
      staleTime: final ? Number.POSITIVE_INFINITY : 5_000,
    })),
  });
  asked.forEach(({ folder, page }, i) => {
    const reply = results[i]?.data;
    if (reply) known.put(folder, page, reply);
  });
  const { runs, rows } = runsOf(root, known.folders, open);
  known.runs = runs;
  const failed = results.find((result) => result.isError);
  return {
    rows,
    at: (row) => {
      const found = placeOf(runs, row);
      if (!found) return null;
      const folder = known.folders.get(found.folder);
      return { ...found, total: folder?.total ?? 1, entry: entryAt(folder, found.place) };
    },
    top: known.top,
    pending: !known.folders.has(root),
    fetching: results.some((result) => result.isFetching),
    error: failed?.error ?? null,
    retry: () => void failed?.refetch(),
  };
}

/** What has been answered so far for one view of one version. */
class Known {
  runs: readonly Run[] = [];
  readonly folders = new Map<string, Folder>();
  top: GetContentReply | undefined;

  constructor(private readonly root: string) {}

  put(folder: string, page: number, reply: GetContentReply): void {
    const old = this.folders.get(folder);
    if (old?.pages.get(page) === reply.entries && old.total === reply.total) return;
    this.folders.set(folder, { total: reply.total, pages: new Map([...(old?.pages ?? []), [page, reply.entries]]) });
    if (folder === this.root) this.top = reply;
  }
}

function useKnown(dataset: string, root: string, against: string | undefined, search: string, changed: boolean): Known {
  // biome-ignore lint/correctness/useExhaustiveDependencies: of another view nothing is known.
  return useMemo(() => new Known(root), [dataset, root, against, search, changed]);
}
