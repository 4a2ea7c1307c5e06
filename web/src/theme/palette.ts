/**
 * Twelve series colours per theme. They were chosen so that any two differ for normal, protan, deutan and tritan
 * sight (test/palette.test.ts holds the distance); reorder them if you like, replace none without that test.
 */

export const SERIES = {
  light: [
    "#0B62C4",
    "#41380D",
    "#8C7CEA",
    "#A68A67",
    "#2A2F6F",
    "#A26093",
    "#5F6841",
    "#7D2E3D",
    "#72009D",
    "#548C03",
    "#24A592",
    "#AF0078",
  ],
  dark: [
    "#6CB0FF",
    "#E6D17A",
    "#8567FA",
    "#C9934B",
    "#C6CEF9",
    "#EA60CF",
    "#D4F729",
    "#D4556C",
    "#927CA1",
    "#82D11A",
    "#8AFDE7",
    "#EC9AC4",
  ],
} as const;

export type ThemeName = keyof typeof SERIES;

export const SLOTS = SERIES.light.length;

/** Slot → how the line is drawn: the colour, and from the thirteenth on a dash. */
export interface LineStyle {
  colour: string;
  dash: number[];
}

const DASHES = [[], [6, 4], [2, 3], [10, 3, 2, 3]];

export function lineStyle(slot: number, theme: ThemeName): LineStyle {
  const colour = SERIES[theme][slot % SLOTS] as string;
  return { colour, dash: DASHES[Math.floor(slot / SLOTS) % DASHES.length] as number[] };
}

/** The colours for a figure that only counts its lines: the strong ones first. */
export function colourway(theme: ThemeName): string[] {
  return ORDER.map((slot) => SERIES[theme][slot] as string);
}

/** FNV-1a: small, and the same in every browser, so a name has one colour everywhere. */
export function hashText(value: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < value.length; i += 1) {
    hash ^= value.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  return hash >>> 0;
}

// The two names that are on nearly every chart get the two colours that are easiest to tell apart.
const HABIT: Record<string, number> = {
  train: 0,
  training: 0,
  val: 11,
  valid: 11,
  validation: 11,
  eval: 11,
  test: 10,
};

// Few lines get the strongest colours; the quiet ones come when there are more.
const ORDER = [0, 11, 9, 2, 10, 7, 3, 8, 6, 5, 1, 4];
const STRONG = 6;

/**
 * Gives each name a slot: its own hash picks one of the strong colours, and a taken one moves to the next free in
 * `ORDER`. The answer depends on the set of names alone, never on filters or on the order in which they arrived.
 */
export function assignSlots(names: Iterable<string>): Map<string, number> {
  const sorted = [...new Set(names)].sort();
  const habitual = sorted.filter((name) => HABIT[name.toLowerCase()] !== undefined);
  return assignInOrder([...habitual, ...sorted.filter((name) => !habitual.includes(name))]);
}

/** The same for a list that grows at its end: what is added later never changes a colour that is already there. */
export function assignInOrder(names: Iterable<string>): Map<string, number> {
  const slots = new Map<string, number>();
  const taken = new Set<number>();
  for (const name of new Set(names)) {
    const round = Math.floor(taken.size / SLOTS) * SLOTS;
    const habit = HABIT[name.toLowerCase()];
    const wish = habit === undefined ? hashText(name) % STRONG : ORDER.indexOf(habit);
    const free = [...ORDER.slice(wish, STRONG), ...ORDER.slice(0, wish), ...ORDER.slice(Math.max(STRONG, wish))];
    const slot = round + (free.find((one) => !taken.has(round + one)) as number);
    taken.add(slot);
    slots.set(name, slot);
  }
  return slots;
}
