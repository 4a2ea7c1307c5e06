import type uPlot from "uplot";

import { formatClock, formatDuration, formatNumber } from "~/state/format";

export type XKind = "iter" | "time" | "relative";

/** What one reads at a place of the x axis. */
export function formatX(kind: XKind, x: number): string {
  if (kind === "time") return formatClock(x);
  return kind === "relative" ? formatDuration(x) : formatNumber(x, 15);
}

/** The distances between two ticks of iterations: round ones, up to ten to the twelfth. */
export const STEPS = [1, 2, 5]
  .flatMap((n) => Array.from({ length: 13 }, (_, power) => n * 10 ** power))
  .sort((a, b) => a - b);

export const keepAll = (_: uPlot, splits: number[]): number[] => splits;

/** Room for the longest number beside the y axis. */
export function axisSize(_: uPlot, values: string[] | null): number {
  const longest = (values ?? []).reduce((most, value) => Math.max(most, value.length), 3);
  return Math.min(72, 14 + longest * 6);
}

/** Powers of ten; within few decades also 2 and 5, within one every digit. */
export function logTicks(low: number, high: number): number[] {
  const [from, to] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const decades = Math.log10(high / low);
  const every = Math.max(1, Math.ceil(decades / 6));
  const digits = decades < 1 ? [1, 2, 3, 4, 5, 7] : decades < 3 ? [1, 2, 5] : [1];
  const ticks: number[] = [];
  for (let power = from; power <= to; power += every) {
    for (const digit of digits) ticks.push(Number(`${digit}e${power}`));
  }
  return ticks.filter((tick) => tick >= low && tick <= high);
}
