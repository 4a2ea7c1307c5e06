import type { Tile } from "~/api/tiles";
import { smooth } from "~/charts/smoothing";

/**
 * A value on the shared x grid. `null` breaks the line (a NaN was logged there); `undefined` says only that this
 * series has no point at that x, and the line goes on.
 */
export type Cell = number | null | undefined;

export interface Grid {
  x: number[];
  /** One row per tile: what the line goes through. */
  lines: Cell[][];
  /** With smoothing on: the values before it. */
  faint: Cell[][] | null;
  /** Per tile: x index of each of its entries. */
  index: Int32Array[];
}

export interface Buckets {
  range: [number, number];
  buckets: number;
}

/**
 * Puts tiles of one request on a common, strictly rising x axis.
 *
 * Points keep their exact x while the axis stays short. Series that were logged at thousands of different steps share
 * one x per bucket instead, which moves a point by less than a bucket.
 */
export function alignTiles(tiles: readonly Tile[], strength: number, shape?: Buckets): Grid {
  const positions = new Set<number>();
  for (const tile of tiles) for (let i = 0; i < tile.length; i += 1) positions.add(tile.xLast[i] as number);
  const snap = snapper(tiles, positions.size, shape);
  const x = Float64Array.from(snap ? new Set(snap.values()) : positions).sort();
  const place = new Map<number, number>();
  x.forEach((value, i) => place.set(value, i));
  if (snap) for (const [from, to] of snap) place.set(from, place.get(to) as number);
  const lines: Cell[][] = [];
  const faint: Cell[][] = [];
  const index: Int32Array[] = [];
  for (const tile of tiles) {
    const at = new Int32Array(tile.length);
    const values = strength > 0 ? smooth(tile.xLast, tile.value, strength) : tile.value;
    const line = new Array<Cell>(x.length);
    const before = new Array<Cell>(strength > 0 ? x.length : 0);
    for (let i = 0; i < tile.length; i += 1) {
      const spot = place.get(tile.xLast[i] as number) as number;
      at[i] = spot;
      line[spot] = cell(values[i] as number);
      if (strength > 0) before[spot] = cell(tile.value[i] as number);
    }
    lines.push(line);
    faint.push(before);
    index.push(at);
  }
  return { x: Array.from(x), lines, faint: strength > 0 ? faint : null, index };
}

function snapper(tiles: readonly Tile[], distinct: number, shape?: Buckets): Map<number, number> | null {
  if (!shape || distinct <= 2 * shape.buckets) return null;
  const [a, b] = shape.range;
  const width = (b - a) / shape.buckets || 1;
  const highest = new Map<number, number>();
  const bucket = (x: number) => Math.min(shape.buckets - 1, Math.max(0, Math.floor((x - a) / width)));
  const each = (visit: (x: number) => void) => {
    for (const tile of tiles) for (let i = 0; i < tile.length; i += 1) visit(tile.xLast[i] as number);
  };
  each((x) => highest.set(bucket(x), Math.max(highest.get(bucket(x)) ?? Number.NEGATIVE_INFINITY, x)));
  const moved = new Map<number, number>();
  each((x) => moved.set(x, highest.get(bucket(x)) as number));
  return moved;
}

function cell(value: number): Cell {
  return Number.isFinite(value) ? value : null;
}

/** Lowest and highest value that any tile holds, band included. */
export function valueRange(tiles: readonly Tile[]): [number, number] | null {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const tile of tiles) {
    for (let i = 0; i < tile.length; i += 1) {
      const min = tile.min[i] as number;
      const max = tile.max[i] as number;
      if (min < low) low = min;
      if (max > high) high = max;
    }
  }
  return low <= high ? [low, high] : null;
}

/** Lowest positive value, for a logarithmic axis. */
export function smallestPositive(tiles: readonly Tile[]): number | null {
  let low = Number.POSITIVE_INFINITY;
  for (const tile of tiles) {
    for (let i = 0; i < tile.length; i += 1) {
      for (const value of [tile.min[i] as number, tile.value[i] as number]) if (value > 0 && value < low) low = value;
    }
  }
  return Number.isFinite(low) ? low : null;
}

const BUDGETS = [64, 128, 256, 384, 512, 768, 1024];

/** The bucket count for a plot of `width` CSS pixels: steps, so that caches hit, and fewer when series are many. */
export function bucketCount(width: number, series: number): number {
  const near = BUDGETS.reduce((best, n) => (Math.abs(n - width) < Math.abs(best - width) ? n : best));
  const cap = Math.max(64, Math.floor(200_000 / Math.max(1, series)));
  return [...BUDGETS].reverse().find((n) => n <= Math.min(near, cap)) ?? 64;
}

/** The entry whose x is closest, by bisection; -1 for an empty tile. */
export function nearest(tile: Tile, x: number): number {
  if (tile.length === 0) return -1;
  let low = 0;
  let high = tile.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((tile.xLast[middle] as number) < x) low = middle + 1;
    else high = middle;
  }
  const before = Math.max(0, low - 1);
  return Math.abs((tile.xLast[before] as number) - x) <= Math.abs((tile.xLast[low] as number) - x) ? before : low;
}
