import "uplot/dist/uPlot.min.css";

import uPlot from "uplot";

import type { Tile } from "~/api/tiles";
import { axisSize, keepAll, logTicks, STEPS, type XKind } from "~/charts/axes";
import { alignTiles, type Buckets, type Cell, type Grid, nearest, smallestPositive, valueRange } from "~/charts/grid";
import { formatDuration, formatTicks } from "~/state/format";
import { type LineStyle, lineStyle, type ThemeName } from "~/theme/palette";

export interface LineOptions {
  tiles: readonly Tile[];
  shape: Buckets;
  /** Palette slot of each tile. */
  slots: readonly number[];
  hidden: ReadonlySet<number>;
  x: XKind;
  zoom: [number, number] | null;
  log: boolean;
  smoothing: number;
  theme: ThemeName;
}

export interface Reading {
  tile: number;
  x: number;
  value: number;
  raw: number;
  low: number;
  high: number;
  count: number;
  lost: number;
  distance: number;
}

export interface Hover {
  left: number;
  top: number;
  width: number;
  readings: Reading[];
}

interface Callbacks {
  onZoom: (range: [number, number] | null) => void;
  onHover: (hover: Hover | null) => void;
}

const CHROME = {
  light: { axis: "#5A6472", grid: "#E6EAF0" },
  dark: { axis: "#9AA5B4", grid: "#232B36" },
} as const;
const FONT = "11px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";

/** One chart of lines: uPlot for axes, cursor and lines; bands, NaN ticks and the unsmoothed line are drawn here. */
export class LinesChart {
  private plot: uPlot | null = null;
  private built = "";
  private grid: Grid = { x: [], lines: [], faint: null, index: [] };
  private options: LineOptions | null = null;
  private styles: LineStyle[] = [];
  private focused: number | null = null;
  /** The place on the grid that the keyboard has reached. */
  private standing: number | null = null;

  constructor(
    private readonly root: HTMLElement,
    private readonly group: string,
    private readonly callbacks: Callbacks,
  ) {}

  draw(options: LineOptions, width: number, height: number): void {
    if (width < 20 || height < 20) return;
    this.options = options;
    this.styles = options.slots.map((slot) => lineStyle(slot, options.theme));
    this.grid = alignTiles(options.tiles, options.smoothing, options.shape);
    const data = [this.grid.x, ...this.grid.lines] as unknown as uPlot.AlignedData;
    const key = [options.theme, options.x, options.log, options.slots.join(",")].join("|");
    if (!this.plot || key !== this.built) {
      this.plot?.destroy();
      this.built = key;
      this.plot = new uPlot(this.config(options, width, height), data, this.root);
    } else {
      if (this.plot.width !== width || this.plot.height !== height) this.plot.setSize({ width, height });
      this.plot.setData(data, true);
    }
    options.tiles.forEach((_, i) => {
      const show = !options.hidden.has(i);
      if (this.plot?.series[i + 1]?.show !== show) this.plot?.setSeries(i + 1, { show });
    });
  }

  /** Lets one tile's line stand out from the others; null lets none. The hovered chart does so by itself. */
  focus(tile: number | null): void {
    if (tile === this.focused) return;
    this.focused = tile;
    if (this.plot && !this.plot.root.matches(":hover"))
      this.plot.setSeries(tile === null ? null : tile + 1, { focus: tile !== null });
  }

  /** The keyboard's way through a chart: one step of so many drawn points, or to an end. Returns whether it was shown. */
  step(by: number): boolean {
    const { plot, grid } = this;
    if (!plot || grid.x.length === 0) return false;
    const first = grid.x.findIndex((x) => x >= (plot.scales["x"]?.min ?? x));
    const last = grid.x.findLastIndex((x) => x <= (plot.scales["x"]?.max ?? x));
    const from = this.standing ?? (by > 0 ? first - 1 : last + 1);
    const to = Math.max(first, Math.min(last, from + by));
    this.standing = to;
    plot.setCursor({ left: plot.valToPos(grid.x[to] as number, "x"), top: plot.over.clientHeight / 2 });
    return true;
  }

  /** Zooms by this factor around where the keyboard stands, or the middle. */
  zoom(factor: number): void {
    const [low, high] = this.xRange();
    const at = this.standing === null ? (low + high) / 2 : (this.grid.x[this.standing] ?? (low + high) / 2);
    this.callbacks.onZoom([at - (at - low) * factor, at + (high - at) * factor]);
  }

  /** The keyboard leaves the chart. */
  leave(): void {
    this.standing = null;
    this.plot?.setCursor({ left: -10, top: -10 });
  }

  destroy(): void {
    this.plot?.destroy();
    this.plot = null;
  }

  /** The chart as a picture, on the theme's surface. */
  picture(): Promise<Blob | null> {
    const source = this.plot?.ctx.canvas;
    if (!source) return Promise.resolve(null);
    const copy = document.createElement("canvas");
    copy.width = source.width;
    copy.height = source.height;
    const pen = copy.getContext("2d") as CanvasRenderingContext2D;
    pen.fillStyle = this.options?.theme === "dark" ? "#14181F" : "#FFFFFF";
    pen.fillRect(0, 0, copy.width, copy.height);
    pen.drawImage(source, 0, 0);
    return new Promise((done) => copy.toBlob(done));
  }

  private config(options: LineOptions, width: number, height: number): uPlot.Options {
    const chrome = CHROME[options.theme];
    const axis: uPlot.Axis = {
      stroke: chrome.axis,
      font: FONT,
      grid: { stroke: chrome.grid, width: 1 },
      ticks: { show: false },
      border: { show: false },
    };
    const relative: Partial<uPlot.Axis> = { values: (_, splits) => splits.map((s) => formatDuration(s)) };
    const iter: Partial<uPlot.Axis> = { values: (_, splits) => formatTicks(splits), incrs: STEPS };
    const xAxis = options.x === "iter" ? iter : options.x === "relative" ? relative : {};
    return {
      width,
      height,
      padding: [10, 12, 0, 0],
      legend: { show: false },
      focus: { alpha: 0.35 },
      cursor: {
        points: { show: false },
        drag: { x: true, y: false, uni: 8, setScale: false },
        focus: { prox: 24 },
        sync: { key: this.group, scales: ["x", null] },
        bind: {
          dblclick: () => () => {
            this.callbacks.onZoom(null);
            return null;
          },
        },
      },
      scales: {
        x: { time: options.x === "time", range: () => this.xRange() },
        y: { distr: options.log ? 3 : 1, range: () => this.yRange() },
      },
      axes: [
        { ...axis, grid: { show: false }, size: 26, space: 60, ...xAxis },
        {
          ...axis,
          size: axisSize,
          space: 32,
          gap: 4,
          values: (_, splits) => formatTicks(splits),
          ...(options.log
            ? { splits: (_: uPlot, __: number, low: number, high: number) => logTicks(low, high), filter: keepAll }
            : {}),
        },
      ],
      series: [
        {},
        ...this.styles.map((style) => ({
          stroke: style.colour,
          width: 1.5,
          dash: style.dash.length ? style.dash : undefined,
          points: { show: (plot: uPlot, i: number) => this.lonely(plot, i), size: 4, fill: style.colour },
          spanGaps: false,
        })),
      ],
      hooks: {
        drawAxes: [(plot) => this.under(plot)],
        draw: [(plot) => this.over(plot)],
        setCursor: [(plot) => this.hover(plot)],
        setSelect: [(plot) => this.selected(plot)],
      },
    };
  }

  /** Few points are shown as points; a single one would be invisible as a line. */
  private lonely(_: uPlot, series: number): boolean {
    return (this.options?.tiles[series - 1]?.length ?? 0) <= 2;
  }

  private xRange(): [number, number] {
    if (this.options?.zoom) return this.options.zoom;
    const { x } = this.grid;
    const [a, b] = [x[0] ?? 0, x[x.length - 1] ?? 1];
    return a === b ? [a - 0.5, b + 0.5] : [a, b];
  }

  private yRange(): [number, number] {
    const shown = (this.options?.tiles ?? []).filter((_, i) => !this.options?.hidden.has(i));
    const range = valueRange(shown);
    if (this.options?.log) {
      const low = smallestPositive(shown) ?? 0.1;
      const high = Math.max(range?.[1] ?? 1, low);
      return low === high ? [low / 2, high * 2] : [low / 1.1, high * 1.1];
    }
    if (!range) return [0, 1];
    const [low, high] = range;
    const pad = high === low ? Math.abs(high) * 0.1 || 1 : (high - low) * 0.05;
    return [low - pad, high + pad];
  }

  private each(visit: (tile: Tile, i: number, style: LineStyle) => void): void {
    this.options?.tiles.forEach((tile, i) => {
      if (!this.options?.hidden.has(i)) visit(tile, i, this.styles[i] as LineStyle);
    });
  }

  private clipped(plot: uPlot, paint: (pen: CanvasRenderingContext2D) => void): void {
    const { ctx: pen, bbox } = plot;
    pen.save();
    pen.beginPath();
    pen.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    pen.clip();
    paint(pen);
    pen.restore();
  }

  private under(plot: uPlot): void {
    this.clipped(plot, (pen) => {
      this.each((tile, i, style) => {
        pen.globalAlpha = plot.series[i + 1]?.alpha ?? 1;
        this.band(plot, pen, tile, style);
      });
      pen.globalAlpha = 1;
      const { faint } = this.grid;
      if (faint) this.each((_, i, style) => this.trace(plot, pen, faint[i] as Cell[], style));
    });
  }

  private y(plot: uPlot, value: number): number {
    return plot.valToPos(this.options?.log ? Math.max(value, 1e-300) : value, "y", true);
  }

  private band(plot: uPlot, pen: CanvasRenderingContext2D, tile: Tile, style: LineStyle): void {
    if (tile.raw) return;
    pen.fillStyle = `${style.colour}2E`;
    let run: number[] = [];
    const flush = () => {
      if (run.length > 0) {
        pen.beginPath();
        for (const i of run) pen.lineTo(this.px(plot, tile, i), this.y(plot, tile.max[i] as number));
        for (const i of run.reverse()) pen.lineTo(this.px(plot, tile, i), this.y(plot, tile.min[i] as number));
        pen.closePath();
        pen.fill();
        // A band of one bucket has no area, so its spike would vanish.
        pen.lineWidth = 1;
        pen.strokeStyle = `${style.colour}2E`;
        pen.stroke();
      }
      run = [];
    };
    for (let i = 0; i < tile.length; i += 1) {
      if (Number.isFinite(tile.min[i] as number)) run.push(i);
      else flush();
    }
    flush();
  }

  private px(plot: uPlot, tile: Tile, i: number): number {
    return plot.valToPos(tile.xLast[i] as number, "x", true);
  }

  private trace(plot: uPlot, pen: CanvasRenderingContext2D, cells: Cell[], style: LineStyle): void {
    pen.strokeStyle = `${style.colour}50`;
    pen.lineWidth = devicePixelRatio;
    pen.beginPath();
    let open = false;
    cells.forEach((cell, i) => {
      if (cell === undefined) return;
      if (cell === null) {
        open = false;
        return;
      }
      const [x, y] = [plot.valToPos(this.grid.x[i] as number, "x", true), this.y(plot, cell)];
      if (open) pen.lineTo(x, y);
      else pen.moveTo(x, y);
      open = true;
    });
    pen.stroke();
  }

  /** NaN and infinities: a tick on the top edge where they were logged. */
  private over(plot: uPlot): void {
    const size = 7 * devicePixelRatio;
    this.clipped(plot, (pen) => {
      this.each((tile, _, style) => {
        pen.fillStyle = style.colour;
        for (let i = 0; i < tile.length; i += 1) {
          if (!tile.lost[i]) continue;
          const x = this.px(plot, tile, i);
          pen.beginPath();
          pen.moveTo(x - size / 2, plot.bbox.top);
          pen.lineTo(x + size / 2, plot.bbox.top);
          pen.lineTo(x, plot.bbox.top + size);
          pen.fill();
        }
      });
    });
  }

  private selected(plot: uPlot): void {
    const { left, width } = plot.select;
    if (width < 4) return;
    const range: [number, number] = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
    plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    this.callbacks.onZoom(range);
  }

  private hover(plot: uPlot): void {
    const { left, top, idx } = plot.cursor;
    const own = plot.root.matches(":hover") || this.standing !== null;
    if (!own || left === undefined || top === undefined || left < 0 || idx === null || idx === undefined) {
      this.callbacks.onHover(null);
      return;
    }
    const at = plot.posToVal(left, "x");
    const readings: Reading[] = [];
    this.each((tile, i) => {
      const entry = nearest(tile, at);
      if (entry < 0) return;
      const spot = this.grid.index[i]?.[entry] as number;
      const drawn = this.grid.lines[i]?.[spot];
      const value = drawn ?? (tile.value[entry] as number);
      readings.push({
        tile: i,
        x: tile.xLast[entry] as number,
        value,
        raw: tile.value[entry] as number,
        low: tile.min[entry] as number,
        high: tile.max[entry] as number,
        count: tile.counts[entry] as number,
        lost: tile.lost[entry] as number,
        distance: Number.isFinite(value) ? Math.abs(plot.valToPos(value, "y") - top) : Number.POSITIVE_INFINITY,
      });
    });
    readings.sort((a, b) => a.distance - b.distance);
    this.callbacks.onHover(
      readings.length ? { left: left + plot.bbox.left / devicePixelRatio, top, width: plot.width, readings } : null,
    );
  }
}
