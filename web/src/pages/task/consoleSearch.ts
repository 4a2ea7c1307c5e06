import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useEffect } from "react";

import { call } from "~/api/rpc";
import type { ConsoleLine } from "~/api/types.gen";

const LIMIT = 1000;

interface Ask {
  text: string;
  regex: boolean;
  matchCase: boolean;
}

export interface Search {
  lines: readonly ConsoleLine[];
  /** How many lines match, in all that was searched so far. */
  count: number;
  /** The line that is searched next; null when all have been. */
  at: number | null;
  total: number;
  /** There are more matches than lines here. */
  more: boolean;
  loadMore: () => void;
  fetching: boolean;
  error: unknown;
}

/** From where a page starts, and whether its matches were counted by the page before. */
interface From {
  start: number;
  counted: boolean;
}

/**
 * Searches the whole console on the server. The server gives up after a while and says where; the search goes on from
 * there by itself until the end. Matches beyond a thousand are counted, and come on request.
 */
export function useConsoleSearch(task: string, { text, regex, matchCase }: Ask): Search {
  const found = useInfiniteQuery({
    queryKey: ["log", task, "search", text, regex, matchCase],
    queryFn: ({ pageParam, signal }) =>
      call("logs.search", { task, text, regex, match_case: matchCase, start: pageParam.start, limit: LIMIT }, signal),
    initialPageParam: { start: 0, counted: false } as From,
    getNextPageParam: (last): From | undefined => {
      const end = last.lines[last.lines.length - 1];
      if (last.count > last.lines.length && end) return { start: end.number + 1, counted: true };
      return last.next_line == null ? undefined : { start: last.next_line, counted: false };
    },
    enabled: text !== "",
    placeholderData: keepPreviousData,
  });
  const pages = found.data?.pages ?? [];
  const params = (found.data?.pageParams ?? []) as From[];
  const last = pages[pages.length - 1];
  const more = last !== undefined && last.count > last.lines.length;
  const unsearched = !more && last?.next_line != null ? last.next_line : null;
  const { fetchNextPage, isFetching, isError } = found;
  useEffect(() => {
    if (text !== "" && unsearched !== null && !isFetching && !isError) void fetchNextPage();
  }, [text, unsearched, isFetching, isError, fetchNextPage]);
  return {
    lines: text ? pages.flatMap((page) => page.lines) : [],
    count: pages.reduce((sum, page, i) => sum + (params[i]?.counted ? 0 : page.count), 0),
    at: unsearched,
    total: last?.total ?? 0,
    more,
    loadMore: () => void fetchNextPage(),
    fetching: isFetching,
    error: text ? found.error : null,
  };
}
