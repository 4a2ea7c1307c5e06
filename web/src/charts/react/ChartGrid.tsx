import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";

import { bucketCount } from "~/charts/grid";
import { type Card, ChartCard, type ChartLook } from "~/charts/react/ChartCard";
import { type CardSpec, TileStore } from "~/charts/store";
import { Icon } from "~/theme/icons";
import { useViewport } from "~/widgets/scroll";
import { ErrorPanel } from "~/widgets/states";

export interface Section {
  name: string;
  cards: Card[];
}

interface Props {
  sections: readonly Section[];
  look: ChartLook;
  perRow: number;
  folded: (section: Section) => boolean;
  setFolded: (section: Section, folded: boolean) => void;
  onZoom: (range: [number, number] | null) => void;
  exportPoints: (card: Card) => Promise<(string | number | null)[][]>;
  /** Without section heads: one chart as large as its place. */
  bare?: boolean;
  /** Shown above the charts, and part of what scrolls. */
  head?: { height: number; node: React.ReactNode };
}

const CARD = 272;
const GAP = 12;
const HEAD = 30;
const SIDE = 16;
const LEAST = 360;

interface Placed {
  card: Card;
  top: number;
  left: number;
  width: number;
}

/** Charts by section. Positions are computed, never measured; only what is near the screen is mounted. */
export function ChartGrid(props: Props) {
  const box = useRef<HTMLDivElement>(null);
  const view = useViewport(box);
  const [store] = useState(() => new TileStore());
  useEffect(() => () => store.close(), [store]);
  useSyncExternalStore(store.watch, store.version);
  const [filters, setFilters] = useState<Record<string, string>>({});
  const [full, setFull] = useState<string | null>(null);
  const width = Math.max(0, view.width - 2 * SIDE);
  const perRow = props.perRow || Math.max(1, Math.min(6, Math.floor((width + GAP) / (LEAST + GAP))));
  const { placed, heads, height } = useMemo(
    () => layOut(props.sections, props.folded, filters, perRow, width, props.bare ? -HEAD : (props.head?.height ?? 0)),
    [props.sections, props.folded, filters, perRow, width, props.bare, props.head?.height],
  );
  const near = placed.filter((one) => one.top < view.top + 2 * view.height && one.top + CARD > view.top - view.height);
  const fullCard =
    full === null ? undefined : props.sections.flatMap((section) => section.cards).find((card) => card.key === full);
  const cardWidth = placed[0]?.width ?? 0;
  const { look } = props;
  useEffect(() => {
    if (cardWidth === 0) return;
    const cards = fullCard ? [fullCard] : near.map((one) => one.card);
    const count = cards.reduce((sum, card) => sum + card.lines.length, 0);
    const buckets = bucketCount(fullCard ? window.innerWidth : cardWidth, count);
    store.want(cards.map(specOf), { x: look.x, zoom: look.zoom, buckets });
  });
  return (
    <div className="scroll" ref={box} style={{ position: "relative" }}>
      <div style={{ position: "relative", height }}>
        {props.head?.node}
        {store.error !== null && <ErrorPanel error={store.error} retry={() => store.retry()} />}
        {!props.bare &&
          heads.map(({ section, top, shown }) => (
            <div key={section.name} className="section-head" style={{ top, left: SIDE, right: SIDE, height: HEAD }}>
              <button
                type="button"
                className="fold"
                aria-expanded={!props.folded(section)}
                onClick={() => props.setFolded(section, !props.folded(section))}
              >
                <Icon name={props.folded(section) ? "right" : "down"} size={14} />
                {section.name}
                <span className="muted num">
                  {shown === section.cards.length ? section.cards.length : `${shown} of ${section.cards.length}`}
                </span>
              </button>
              {section.cards.length > 3 && !props.folded(section) && (
                <input
                  className="input"
                  placeholder="filter, regex"
                  aria-label={`Filter ${section.name}`}
                  value={filters[section.name] ?? ""}
                  onChange={(event) => setFilters({ ...filters, [section.name]: event.target.value })}
                />
              )}
            </div>
          ))}
        {near.map(({ card, top, left, width: cardSize }) => (
          <ChartCard
            key={card.key}
            card={card}
            data={store.get(card.key)}
            look={look}
            onZoom={props.onZoom}
            onFull={setFull}
            exportPoints={props.exportPoints}
            style={{ top, left, width: cardSize, height: CARD }}
          />
        ))}
      </div>
      {fullCard && (
        <ChartCard
          key={`full-${fullCard.key}`}
          full
          card={fullCard}
          data={store.get(fullCard.key)}
          look={look}
          onZoom={props.onZoom}
          onFull={setFull}
          exportPoints={props.exportPoints}
        />
      )}
    </div>
  );
}

function specOf(card: Card): CardSpec {
  return { key: card.key, series: card.lines, version: card.version, span: card.span };
}

export function matcher(text: string): (name: string) => boolean {
  if (!text.trim()) return () => true;
  try {
    const pattern = new RegExp(text.trim(), "i");
    return (name) => pattern.test(name);
  } catch {
    const plain = text.trim().toLowerCase();
    return (name) => name.toLowerCase().includes(plain);
  }
}

function layOut(
  sections: readonly Section[],
  folded: (section: Section) => boolean,
  filters: Record<string, string>,
  perRow: number,
  width: number,
  start: number,
) {
  const placed: Placed[] = [];
  const heads: { section: Section; top: number; shown: number }[] = [];
  const cardWidth = Math.floor((width - (perRow - 1) * GAP) / perRow);
  let top = start + GAP;
  for (const section of sections) {
    const fits = matcher(filters[section.name] ?? "");
    const cards = section.cards.filter((card) => fits(card.title));
    heads.push({ section, top, shown: cards.length });
    top += HEAD + 4;
    if (!folded(section) && width > 0) {
      cards.forEach((card, i) => {
        const row = Math.floor(i / perRow);
        placed.push({
          card,
          top: top + row * (CARD + GAP),
          left: SIDE + (i % perRow) * (cardWidth + GAP),
          width: cardWidth,
        });
      });
      top += Math.ceil(cards.length / perRow) * (CARD + GAP);
    }
    top += 8;
  }
  return { placed, heads, height: top + GAP };
}
