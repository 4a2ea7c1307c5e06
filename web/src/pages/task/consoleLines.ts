import { keepPreviousData, useQueries, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";

import { call } from "~/api/rpc";
import type { ConsoleLine } from "~/api/types.gen";

const BLOCK = 500;

export interface Lines {
  total: number;
  /** Number of the oldest line that is kept. */
  first: number;
  at: (number: number) => ConsoleLine | undefined;
  pending: boolean;
  error: unknown;
  retry: () => void;
}

/**
 * The lines around what is on the screen, by blocks of 500. A full block never changes; the last one is asked again
 * whenever the console grows.
 */
export function useLines(task: string, top: number, bottom: number): Lines {
  const tail = useQuery({
    queryKey: ["log", task, "tail"],
    queryFn: ({ signal }) => call("logs.range", { task, start: -BLOCK, count: BLOCK }, signal),
    placeholderData: keepPreviousData,
  });
  const total = tail.data?.total ?? 0;
  const oldest = tail.data?.first ?? 0;
  const [first, last] = [oldest + top, oldest + bottom];
  const whole = Math.floor(total / BLOCK);
  const wanted: number[] = [];
  for (
    let block = Math.floor(Math.max(0, first) / BLOCK);
    block <= Math.floor(Math.min(last, total - 1) / BLOCK);
    block += 1
  ) {
    if (block < whole) wanted.push(block);
  }
  const blocks = useQueries({
    queries: wanted.map((block) => ({
      queryKey: ["log-block", task, block],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        call("logs.range", { task, start: block * BLOCK, count: BLOCK }, signal),
      staleTime: Number.POSITIVE_INFINITY,
    })),
  });
  const known = useMemo(() => {
    const map = new Map<number, ConsoleLine>();
    for (const reply of [...blocks.map((block) => block.data), tail.data]) {
      for (const line of reply?.lines ?? []) map.set(line.number, line);
    }
    return map;
  }, [blocks, tail.data]);
  return {
    total,
    first: oldest,
    at: (number) => known.get(number),
    pending: tail.isPending,
    error: tail.error,
    retry: () => void tail.refetch(),
  };
}

/** When the oldest kept line was written, wherever the view stands; null until it is known. */
export function useStart(task: string, first: number, wanted: boolean): number | null {
  const found = useQuery({
    queryKey: ["log-start", task, first],
    queryFn: ({ signal }) => call("logs.range", { task, start: first, count: 1 }, signal),
    enabled: wanted,
    staleTime: Number.POSITIVE_INFINITY,
  });
  return found.data?.lines[0]?.time ?? null;
}
