import { memo, type RefObject, useLayoutEffect, useMemo, useRef, useState } from "react";

import { formatNumber } from "~/state/format";
import { Lines, type LinesHandle } from "~/charts/react/Lines";
import type { CardData } from "~/charts/store";
import type { XKind } from "~/charts/axes";
import { csv, saveFile } from "~/state/download";
import { useKept } from "~/state/kept";
import { useKeys } from "~/state/keys";
import { toastError } from "~/state/toasts";
import { Icon } from "~/theme/icons";
import { lineStyle, type ThemeName } from "~/theme/palette";
import { useLayer } from "~/widgets/layer";
import { Skeleton } from "~/widgets/states";

/** One line of a card: its name, its colour, and its newest value. */
export interface CardLine {
  task: string;
  metric: string;
  variant: string;
  label: string;
  slot: number;
  last: number | null;
}

export interface Card {
  key: string;
  title: string;
  lines: CardLine[];
  version: string;
  span: number;
  /** Lines that the card leaves out; the card says so. */
  left: number;
}

export interface ChartLook {
  x: XKind;
  zoom: [number, number] | null;
  log: boolean;
  smoothing: number;
  theme: ThemeName;
}

interface Props {
  card: Card;
  data: CardData | undefined;
  look: ChartLook;
  stale?: boolean;
  onZoom: (range: [number, number] | null) => void;
  onFull?: (key: string | null) => void;
  /** Fetches every point, for the CSV. */
  exportPoints: (card: Card) => Promise<(string | number | null)[][]>;
  full?: boolean;
  style?: React.CSSProperties;
}

function labelled(card: Card): string {
  return card.lines
    .slice(0, 8)
    .map((line) => `${line.label} ${formatNumber(line.last)}`)
    .join(", ");
}

const NOTHING: readonly string[] = [];
const OVER = { role: "dialog", "aria-modal": true, tabIndex: -1 } as const;
const nameOf = (line: { task: string; metric: string; variant: string }) =>
  `${line.task}\0${line.metric}\0${line.variant}`;

/** A chart with its head and legend. The same card serves the grid and the full screen. */
export const ChartCard = memo(function ChartCard(props: Props) {
  const { card, data, look, full } = props;
  const [hiddenNames, setHiddenNames] = useKept<readonly string[]>(`hidden ${card.key}`, NOTHING);
  const picture = useRef<LinesHandle>(null);
  const legend = useRef<HTMLDivElement>(null);
  const [legendOpen, setLegendOpen] = useState(false);
  const over = useOverflow(legend, card.lines, legendOpen || Boolean(full));
  const box = useRef<HTMLElement>(null);
  useLayer(box, full ?? false);
  useKeys({ escape: () => props.onFull?.(null) }, full);
  const byLine = useMemo(
    () => new Map(card.lines.map((line) => [`${line.task}\0${line.metric}\0${line.variant}`, line])),
    [card.lines],
  );
  const lines = useMemo(
    () => (data?.tiles ?? []).map((tile) => byLine.get(`${tile.task}\0${tile.metric}\0${tile.variant}`)),
    [data, byLine],
  );
  const slotText = lines.map((line) => line?.slot ?? 0).join(",");
  const slots = useMemo(() => (slotText ? slotText.split(",").map(Number) : []), [slotText]);
  const labels = lines.map((line) => line?.label ?? "");
  const hidden = useMemo(
    () => new Set((data?.tiles ?? []).flatMap((tile, i) => (hiddenNames.includes(nameOf(tile)) ? [i] : []))),
    [data, hiddenNames],
  );
  const toggle = (line: CardLine) => {
    const name = nameOf(line);
    setHiddenNames(hiddenNames.includes(name) ? hiddenNames.filter((one) => one !== name) : [...hiddenNames, name]);
  };
  const saveCsv = () => {
    props
      .exportPoints(card)
      .then(
        (rows) => saveFile(`${card.title}.csv`, csv([["series", "iteration", "time", "value"], ...rows]), "text/csv"),
        toastError,
      );
  };
  const savePng = () => void picture.current?.picture().then((blob) => blob && saveFile(`${card.title}.png`, blob));
  const points = data?.tiles.reduce((sum, tile) => sum + tile.length, 0) ?? 0;
  const exact = data?.tiles.every((tile) => tile.raw);
  return (
    <section
      ref={box}
      className={full ? "full-chart" : "chart-card"}
      {...(full ? OVER : {})}
      style={props.style}
      data-stale={props.stale}
      data-chart={card.title}
      aria-label={`Chart of ${card.title}: ${labelled(card)}`}
    >
      <header>
        <h2 className="h3 cut grow" title={card.title}>
          {card.title}
        </h2>
        {card.left > 0 && (
          <span className="caption num" title="Filter the metric, or take the values view, to see the others">
            first {card.lines.length} of {card.lines.length + card.left}
          </span>
        )}
        {data && !exact && (
          <span className="caption" title="Each pixel shows the range from lowest to highest value in it">
            min–max
          </span>
        )}
        <span className="tools">
          {look.zoom && (
            <button
              type="button"
              className="icon-button"
              title="Reset the zoom"
              aria-label="Reset the zoom"
              onClick={() => props.onZoom(null)}
            >
              <Icon name="reset" size={14} />
            </button>
          )}
          <button
            type="button"
            className="icon-button"
            title="Every point as CSV"
            aria-label="Download CSV"
            onClick={saveCsv}
          >
            <Icon name="download" size={14} />
          </button>
          <button
            type="button"
            className="icon-button"
            title="Picture as PNG"
            aria-label="Download PNG"
            onClick={savePng}
          >
            <Icon name="file" size={14} />
          </button>
          {props.onFull && (
            <button
              type="button"
              className="icon-button"
              title={full ? "Close (Esc)" : "Full screen"}
              aria-label={full ? "Close the full screen" : "Full screen"}
              onClick={() => props.onFull?.(full ? null : card.key)}
            >
              <Icon name={full ? "close" : "expand"} size={14} />
            </button>
          )}
        </span>
      </header>
      {data ? (
        <Lines
          tiles={data.tiles}
          shape={data.shape}
          slots={slots}
          hidden={hidden}
          labels={labels}
          group="charts"
          x={look.x}
          zoom={look.zoom}
          log={look.log}
          smoothing={look.smoothing}
          theme={look.theme}
          onZoom={props.onZoom}
          handle={picture}
        />
      ) : (
        <div className="plot" style={{ padding: "8px 12px" }}>
          <Skeleton height={full ? 400 : 150} />
        </div>
      )}
      <div className="legend-box" data-open={legendOpen}>
        <div className="legend" data-points={points} ref={legend}>
          {card.lines.map((line) => (
            <button
              type="button"
              key={`${line.task}${line.variant}`}
              aria-pressed={!hiddenNames.includes(nameOf(line))}
              title={`${line.label}: click to hide or show`}
              onClick={() => toggle(line)}
            >
              <i
                style={{
                  borderColor: lineStyle(line.slot, look.theme).colour,
                  borderTopStyle: line.slot > 11 ? "dashed" : "solid",
                }}
              />
              <span className="cut">{line.label}</span>
              <span className="num">{formatNumber(line.last)}</span>
            </button>
          ))}
        </div>
        {(over > 0 || legendOpen) && (
          <button
            type="button"
            className="chip legend-more"
            aria-expanded={legendOpen}
            onClick={() => setLegendOpen(!legendOpen)}
            title={legendOpen ? "Fold the legend" : "Show the whole legend"}
          >
            {legendOpen ? "fold" : `+${over}`}
          </button>
        )}
      </div>
    </section>
  );
});

const LEGEND_ROW = 18;
const LEGEND_ROWS = 2;

/** How many entries of a legend do not fit into its two rows. */
function useOverflow(legend: RefObject<HTMLDivElement | null>, lines: readonly CardLine[], all: boolean): number {
  const [over, setOver] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: other lines are other entries.
  useLayoutEffect(() => {
    const box = legend.current;
    if (!box || all) return;
    const count = () => {
      const entries = [...box.children] as HTMLElement[];
      const top = entries[0]?.offsetTop ?? 0;
      setOver(entries.filter((entry) => entry.offsetTop - top >= LEGEND_ROWS * LEGEND_ROW).length);
    };
    count();
    const observer = new ResizeObserver(count);
    observer.observe(box);
    return () => observer.disconnect();
  }, [legend, lines, all]);
  return all ? 0 : over;
}
