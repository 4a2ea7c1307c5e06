import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { assignInOrder, assignSlots, lineStyle, SERIES, SLOTS, type ThemeName } from "~/theme/palette";

// Machado, Oliveira & Fernandes 2009, severity 1.0, in linear RGB; OKLab after Ottosson 2020.
const SIGHT: Record<string, number[][]> = {
  normal: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protan: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deutan: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritan: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

const times = (m: number[][], v: number[]) => m.map((row) => row.reduce((sum, a, i) => sum + a * (v[i] as number), 0));

function linear(hex: string): number[] {
  return [1, 3, 5].map((at) => {
    const c = parseInt(hex.slice(at, at + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
}

function oklab(rgb: number[]): number[] {
  const lms = times(
    [
      [0.4122214708, 0.5363325363, 0.0514459929],
      [0.2119034982, 0.6806995451, 0.1073969566],
      [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    rgb.map((c) => Math.min(1, Math.max(0, c))),
  ).map(Math.cbrt);
  return times(
    [
      [0.2104542553, 0.793617785, -0.0040720468],
      [1.9779984951, -2.428592205, 0.4505937099],
      [0.0259040371, 0.7827717662, -0.808675766],
    ],
    lms,
  );
}

const luminance = (hex: string) => times([[0.2126, 0.7152, 0.0722]], linear(hex))[0] as number;

function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

describe.each(["light", "dark"] as ThemeName[])("the %s palette", (theme) => {
  it.each(Object.keys(SIGHT))("keeps every pair apart for %s sight", (sight) => {
    const colours = SERIES[theme].map((hex) => oklab(times(SIGHT[sight] as number[][], linear(hex))));
    const distances = colours.flatMap((a, i) =>
      colours.slice(i + 1).map((b) => Math.hypot(...a.map((v, k) => v - (b[k] as number)))),
    );
    expect(Math.min(...distances)).toBeGreaterThanOrEqual(0.06);
  });

  it("stands out from the surface", () => {
    const surface = theme === "light" ? "#FFFFFF" : "#14181F";
    for (const colour of SERIES[theme]) expect(contrast(colour, surface)).toBeGreaterThanOrEqual(3);
  });
});

describe("slots", () => {
  it("do not depend on order and never repeat among the first twelve", () => {
    const names = ["train", "val", "a", "b", "c", "d", "e"];
    const slots = assignSlots(names);
    expect(new Set(slots.values()).size).toBe(names.length);
    expect(assignSlots([...names].reverse())).toEqual(slots);
  });

  it("differ by dash from the thirteenth on", () => {
    const slots = [...assignSlots(Array.from({ length: 40 }, (_, i) => `run ${i}`)).values()];
    const styles = new Set(slots.map((slot) => JSON.stringify(lineStyle(slot, "light"))));
    expect(styles.size).toBe(40);
    expect(Math.max(...slots)).toBeLessThan(4 * SLOTS);
  });
});

describe("a list that grows at its end", () => {
  it("keeps the colours that are there", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ minLength: 4 }), { minLength: 1, maxLength: 30 }), (ids) => {
        const all = assignInOrder(ids);
        for (let n = 1; n < ids.length; n += 1) {
          for (const [id, slot] of assignInOrder(ids.slice(0, n))) expect(all.get(id)).toBe(slot);
        }
        expect(new Set(all.values()).size).toBe(ids.length);
      }),
    );
  });
});
