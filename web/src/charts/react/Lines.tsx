import "~/charts/react/chart.css";

import { type KeyboardEvent, type Ref, useContext, useEffect, useImperativeHandle, useRef, useState } from "react";

import { formatCount, formatNumber, formatShort } from "~/state/format";
import { HighlightContext } from "~/charts/highlight";
import { formatX } from "~/charts/axes";
import { type Hover, type LineOptions, LinesChart } from "~/charts/lines";
import { lineStyle } from "~/theme/palette";

export interface LinesHandle {
  picture: () => Promise<Blob | null>;
}

interface Props extends LineOptions {
  labels: readonly string[];
  group: string;
  onZoom: (range: [number, number] | null) => void;
  handle?: Ref<LinesHandle>;
}

const MOST_ROWS = 14;
// As near to a line as uPlot itself wants the pointer to be.
const NEAR = 24;

const FAR = 10;
const KEYS: Record<string, (chart: LinesChart, by: number) => unknown> = {
  ArrowLeft: (chart, by) => chart.step(-by),
  ArrowRight: (chart, by) => chart.step(by),
  Home: (chart) => chart.step(Number.NEGATIVE_INFINITY),
  End: (chart) => chart.step(Number.POSITIVE_INFINITY),
  "+": (chart) => chart.zoom(0.5),
  "-": (chart) => chart.zoom(2),
  "0": (chart) => chart.leave(),
};

/** What the tooltip shows, in words. */
function spoken(hover: Hover, options: LineOptions, labels: readonly string[]): string {
  const x = hover.readings[0]?.x;
  const values = hover.readings.slice(0, MOST_ROWS).map((one) => `${labels[one.tile]} ${formatShort(one.value)}`);
  return `${options.x === "iter" ? "iteration " : ""}${x === undefined ? "" : formatX(options.x, x)}: ${values.join(", ")}`;
}

/** The drawing area of a chart card, with its tooltip. */
export function Lines({ labels, group, onZoom, handle, ...options }: Props) {
  const root = useRef<HTMLDivElement>(null);
  const chart = useRef<LinesChart | null>(null);
  const [hover, setHover] = useState<Hover | null>(null);
  const [size, setSize] = useState<[number, number]>([0, 0]);
  const zoom = useRef(onZoom);
  useEffect(() => {
    zoom.current = onZoom;
  });
  // Which task is under the pointer: told by the hovered chart, shown by all others.
  const highlight = useContext(HighlightContext);
  const nearest = hover?.readings[0];
  const under = nearest && nearest.distance < NEAR ? (options.tiles[nearest.tile]?.task ?? null) : null;
  const hovered = hover !== null;
  useEffect(() => {
    if (!highlight || !hovered) return;
    highlight.set(under);
    return () => highlight.set(null);
  }, [highlight, hovered, under]);
  useImperativeHandle(handle, () => ({ picture: () => chart.current?.picture() ?? Promise.resolve(null) }));
  useEffect(() => {
    const box = root.current as HTMLDivElement;
    const made = new LinesChart(box, group, { onZoom: (range) => zoom.current(range), onHover: setHover });
    chart.current = made;
    // The observer reports once at its start too; the same size must not draw the chart a second time.
    const measure = () =>
      setSize((old) =>
        old[0] === box.clientWidth && old[1] === box.clientHeight ? old : [box.clientWidth, box.clientHeight],
      );
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(box);
    return () => {
      observer.disconnect();
      made.destroy();
      chart.current = null;
    };
  }, [group]);
  const { tiles, shape, slots, hidden, x, zoom: range, log, smoothing, theme } = options;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another group is another chart, and must be drawn.
  useEffect(() => {
    chart.current?.draw({ tiles, shape, slots, hidden, x, zoom: range, log, smoothing, theme }, size[0], size[1]);
  }, [group, tiles, shape, slots, hidden, x, range, log, smoothing, theme, size]);
  useEffect(() => {
    if (!highlight) return;
    const show = () => {
      const task = highlight.get();
      const at = task === null ? -1 : tiles.findIndex((tile) => tile.task === task);
      chart.current?.focus(at < 0 ? null : at);
    };
    show();
    return highlight.watch(show);
  }, [highlight, tiles]);
  const press = (event: KeyboardEvent) => {
    const action = KEYS[event.key];
    if (!action || !chart.current || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action(chart.current, event.shiftKey ? FAR : 1);
    if (event.key === "0") zoom.current(null);
  };
  return (
    <div
      className="plot"
      ref={root}
      data-painted={tiles.length > 0 && size[0] > 0}
      tabIndex={0}
      role="application"
      aria-roledescription="chart"
      aria-label="Arrow keys read the values, plus and minus zoom, 0 shows everything"
      onKeyDown={press}
      onBlur={() => chart.current?.leave()}
    >
      {hover && <Tooltip hover={hover} options={options} labels={labels} />}
      <p className="hidden-text" aria-live="polite">
        {hover && spoken(hover, options, labels)}
      </p>
    </div>
  );
}

function Tooltip({ hover, options, labels }: { hover: Hover; options: LineOptions; labels: readonly string[] }) {
  const right = hover.left > hover.width / 2;
  const place = right ? { right: hover.width - hover.left + 12 } : { left: hover.left + 12 };
  const [first] = hover.readings;
  return (
    <div className="tooltip" style={{ top: Math.max(0, Math.min(hover.top, 60)), ...place }}>
      <div className="muted num">
        {options.x === "iter" ? "iteration " : ""}
        {first ? formatX(options.x, first.x) : ""}
        {first && first.count > 1 ? ` · ${formatCount(first.count)} points` : ""}
      </div>
      <table>
        <tbody>
          {hover.readings.slice(0, MOST_ROWS).map((reading) => {
            const style = lineStyle(options.slots[reading.tile] ?? 0, options.theme);
            return (
              <tr key={reading.tile}>
                <td style={{ color: style.colour }}>●</td>
                <td className="name">{labels[reading.tile]}</td>
                <td className="num">{formatShort(reading.value)}</td>
                {options.smoothing > 0 && <td className="num muted">{formatShort(reading.raw)}</td>}
                <td className="num muted">
                  {reading.count > 1 ? `${formatNumber(reading.low)} – ${formatNumber(reading.high)}` : ""}
                  {reading.lost > 0 ? ` ${formatCount(reading.lost)} × NaN` : ""}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {hover.readings.length > MOST_ROWS && <div className="muted">{hover.readings.length - MOST_ROWS} more</div>}
    </div>
  );
}
