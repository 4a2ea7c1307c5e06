import { callForBytes } from "~/api/rpc";
import { decodeTiles, type Tile, type TileKey } from "~/api/tiles";
import type { XKind } from "~/charts/axes";
import type { Buckets } from "~/charts/grid";

/** One chart card: the series that it shows and how far they have come. */
export interface CardSpec {
  key: string;
  series: readonly TileKey[];
  /** Changes when any of the series does. */
  version: string;
  /** Length of the card's own x range, to put cards of one scale into one request. */
  span: number;
}

export interface CardData {
  signature: string;
  shape: Buckets;
  tiles: Tile[];
  at: number;
}

export interface TileQuery {
  x: XKind;
  zoom: [number, number] | null;
  buckets: number;
}

const PAUSE = 450;

/**
 * Tiles of the cards on the screen. One request per screen, at most two a second; a card keeps what it shows until
 * something newer is here, so nothing ever blinks.
 */
export class TileStore {
  private readonly entries = new Map<string, CardData>();
  private readonly watchers = new Set<() => void>();
  private wanted: readonly CardSpec[] = [];
  private query: TileQuery = { x: "iter", zoom: null, buckets: 256 };
  private flying: AbortController | null = null;
  private flyingFor = "";
  private timer: ReturnType<typeof setTimeout> | undefined;
  private nextAt = 0;
  private stamp = 0;
  error: unknown = null;

  readonly watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  readonly version = (): number => this.stamp;

  get(key: string): CardData | undefined {
    return this.entries.get(key);
  }

  busy(): boolean {
    return this.flying !== null;
  }

  /** Says what is on the screen now; fetches what is missing or old. */
  want(cards: readonly CardSpec[], query: TileQuery): void {
    this.wanted = cards;
    const asked = JSON.stringify(query);
    if (this.flying && asked !== this.flyingFor) {
      this.flying.abort();
      this.flying = null;
      this.nextAt = 0;
    }
    this.query = query;
    this.schedule();
  }

  retry(): void {
    this.error = null;
    this.schedule();
  }

  close(): void {
    this.wanted = [];
    clearTimeout(this.timer);
    this.flying?.abort();
    this.flying = null;
  }

  private signature(card: CardSpec): string {
    return `${JSON.stringify(this.query)}|${card.version}`;
  }

  private schedule(): void {
    if (this.flying || this.error !== null) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.fetch(), Math.max(0, this.nextAt - performance.now()));
  }

  private changed(): void {
    this.stamp += 1;
    for (const watcher of this.watchers) watcher();
  }

  private async fetch(): Promise<void> {
    const missing = this.wanted.filter((card) => this.entries.get(card.key)?.signature !== this.signature(card));
    if (missing.length === 0 || this.flying) return;
    const abort = new AbortController();
    const { query } = this;
    this.flying = abort;
    this.flyingFor = JSON.stringify(query);
    const signatures = missing.map((card) => this.signature(card));
    this.changed();
    try {
      // Cards whose x ranges differ by more than four times would share too coarse a grid.
      const groups = query.zoom ? [missing] : bySpan(missing);
      await Promise.all(groups.map((group) => this.fetchGroup(group, missing, signatures, query, abort.signal)));
      this.nextAt = performance.now() + PAUSE;
    } catch (error) {
      if (!abort.signal.aborted) this.error = error;
    }
    // Given up for another query, whose own request may be on its way by now.
    if (this.flying !== abort) return;
    this.flying = null;
    this.changed();
    this.schedule();
  }

  private async fetchGroup(
    group: CardSpec[],
    all: readonly CardSpec[],
    signatures: readonly string[],
    query: TileQuery,
    signal: AbortSignal,
  ): Promise<void> {
    const series = group.flatMap((card) => card.series.map(({ task, metric, variant }) => ({ task, metric, variant })));
    const ask = { series, x: query.x, range: query.zoom, buckets: query.buckets };
    const set = decodeTiles(await callForBytes("series.tiles", ask, "application/x-trialbook-tiles", signal));
    const byKey = new Map(set.tiles.map((tile) => [keyOf(tile), tile]));
    for (const card of group) {
      const tiles = card.series.map((one) => byKey.get(keyOf(one))).filter((tile): tile is Tile => tile !== undefined);
      const signature = signatures[all.indexOf(card)] as string;
      this.entries.set(card.key, {
        signature,
        shape: { range: set.range, buckets: set.buckets },
        tiles,
        at: Date.now(),
      });
    }
    this.changed();
  }
}

function keyOf(key: TileKey): string {
  return `${key.task}\0${key.metric}\0${key.variant}`;
}

function bySpan(cards: readonly CardSpec[]): CardSpec[][] {
  const sorted = [...cards].sort((a, b) => b.span - a.span);
  const groups: CardSpec[][] = [];
  for (const card of sorted) {
    const group = groups[groups.length - 1];
    if (group && (group[0] as CardSpec).span <= 4 * card.span) group.push(card);
    else groups.push([card]);
  }
  return groups;
}
