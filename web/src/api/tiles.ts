/** Decoder of `application/x-trialbook-tiles`; the layout is in docs/design/series-store.md. */

export interface TileKey {
  task: string;
  metric: string;
  variant: string;
}

/** The points of one series inside the asked range, at most one entry per used bucket. */
export interface Tile extends TileKey {
  count: number;
  nonfinite: number;
  version: number;
  last: number | null;
  lastIter: number | null;
  raw: boolean;
  length: number;
  xFirst: Float64Array;
  xLast: Float64Array;
  min: Float64Array;
  max: Float64Array;
  value: Float64Array;
  counts: Uint32Array;
  lost: Uint32Array;
}

export interface TileSet {
  x: string;
  range: [number, number];
  buckets: number;
  tiles: Tile[];
}

interface DirectoryEntry extends TileKey {
  count: number;
  nonfinite: number;
  version: number;
  last: number | null;
  last_iter: number | null;
  offset: number;
  length: number;
  raw: boolean;
}

const MAGIC = 0x31544254;
const HEADER = 8;

export function decodeTiles(body: ArrayBuffer): TileSet {
  const view = new DataView(body);
  if (body.byteLength < HEADER || view.getUint32(0, true) !== MAGIC) throw new Error("not a tile answer");
  const size = view.getUint32(4, true);
  const text = new TextDecoder().decode(new Uint8Array(body, HEADER, size));
  const directory = JSON.parse(text) as {
    x: string;
    range: [number, number] | null;
    buckets: number;
    series: DirectoryEntry[];
  };
  const start = HEADER + size;
  return {
    x: directory.x,
    range: directory.range ?? [0, 1],
    buckets: directory.buckets,
    tiles: directory.series.map((entry) => decodeOne(body, start, entry)),
  };
}

function decodeOne(body: ArrayBuffer, start: number, entry: DirectoryEntry): Tile {
  const n = entry.length;
  const at = start + entry.offset;
  const floats = (column: number) => new Float64Array(body.slice(at + column * 8 * n, at + (column + 1) * 8 * n));
  const counts = at + 5 * 8 * n;
  return {
    task: entry.task,
    metric: entry.metric,
    variant: entry.variant,
    count: entry.count,
    nonfinite: entry.nonfinite,
    version: entry.version,
    last: entry.last,
    lastIter: entry.last_iter,
    raw: entry.raw,
    length: n,
    xFirst: floats(0),
    xLast: floats(1),
    min: floats(2),
    max: floats(3),
    value: floats(4),
    counts: new Uint32Array(body.slice(counts, counts + 4 * n)),
    lost: new Uint32Array(body.slice(counts + 4 * n, counts + 8 * n)),
  };
}
