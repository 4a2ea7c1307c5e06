import "~/widgets/grid.css";

import {
  Fragment,
  type KeyboardEvent,
  type MouseEvent,
  type ReactNode,
  type RefObject,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";

import { useProjectNames, useUserNames } from "~/state/directory";
import { rowsNear, type Viewport } from "~/widgets/scroll";

/** What a row must have; the rest is its columns' business. */
export interface GridRow {
  id: string;
  name?: string;
  project?: string | null;
}

export interface CellContext {
  user: ReadonlyMap<string, string>;
  project: ReadonlyMap<string, string>;
  now: number;
}

export interface GridColumn<R extends GridRow> {
  id: string;
  label: string;
  title: string;
  width: number;
  right?: boolean;
  /** Dotted names for `only_fields`. */
  fields: string[];
  /** Name for `order_by`; absent: this column cannot be sorted. */
  order?: string;
  cell: (row: R, context: CellContext) => ReactNode;
  /** What `c` copies and a tooltip shows. */
  plain: (row: R, context: CellContext) => string;
}

interface Props<R extends GridRow> {
  label: string;
  box: RefObject<HTMLDivElement | null>;
  view: Viewport;
  rowHeight: number;
  rows: { total: number; at: (place: number) => R | undefined; touched: ReadonlyMap<string, number> };
  columns: readonly GridColumn<R>[];
  widths: Readonly<Record<string, number>>;
  /** `done`: nobody pulls at it any more. */
  setWidth: (id: string, width: number, done?: boolean) => void;
  sort: readonly string[];
  setSort: (id: string, add: boolean) => void;
  selected: ReadonlySet<string>;
  toggle: (row: R, place: number, range: boolean) => void;
  at: number;
  setAt: (place: number) => void;
  onHover: (inside: boolean) => void;
}

const HEAD = 32;
const BOX = 36;

/** A table of any length and width: only the rows and columns near the view are in the page. */
export function Grid<R extends GridRow>(props: Props<R>) {
  const { rows, columns, view, rowHeight, widths } = props;
  const now = useClock();
  const visible = useMemo(() => {
    const [first, last] = rowsNear(view, { total: rows.total, height: rowHeight });
    return Array.from({ length: last - first }, (_, i) => first + i);
  }, [view, rowHeight, rows.total]);
  const shown = visible.map((place) => rows.at(place));
  const context: CellContext = {
    user: useUserNames(),
    project: useProjectNames(shown.flatMap((row) => (row?.project ? [row.project] : []))),
    now,
  };
  const widthOf = (column: GridColumn<R>) => widths[column.id] ?? column.width;
  const total = columns.reduce((sum, column) => sum + widthOf(column), BOX);
  // On a phone a frozen column would leave no room for the others.
  const pinned = view.width < 700 ? 0 : columns[0]?.id === "type" ? 2 : 1;
  const { starts, first, last } = seen(columns.map(widthOf), pinned, view);
  const offset = (index: number) => starts[index] as number;
  // The columns to the left and right of the view are one empty cell each.
  const before = <Gap width={offset(first) - offset(pinned)} />;
  const after = <Gap width={total - offset(last)} />;
  const here = columns
    .map((column, index) => ({ column, index }))
    .filter(({ index }) => index < pinned || (index >= first && index < last));
  const place = (column: GridColumn<R>, index: number) => ({
    className: [column.right && "right", index < pinned && "pinned", index === pinned - 1 && "edge"]
      .filter(Boolean)
      .join(" "),
    style: { width: widthOf(column), flex: "none", left: index < pinned ? offset(index) : undefined },
  });
  return (
    <div
      ref={props.box}
      className="grid"
      role="grid"
      tabIndex={0}
      aria-rowcount={rows.total}
      aria-colcount={columns.length + 1}
      aria-label={props.label}
      onMouseEnter={() => props.onHover(true)}
      onMouseLeave={() => props.onHover(false)}
    >
      <div className="grid-inner" style={{ height: HEAD + rows.total * rowHeight, width: Math.max(total, view.width) }}>
        <div className="grid-head" role="row">
          <div className="pinned" style={{ width: BOX, flex: "none", left: 0 }} role="columnheader">
            <span className="hidden-text">Selected</span>
          </div>
          {here.map(({ column, index }) => (
            <Fragment key={column.id}>
              {index === first && before}
              <HeadCell
                column={column}
                index={index}
                sort={props.sort}
                setSort={props.setSort}
                place={place(column, index)}
                setWidth={(width, done) => props.setWidth(column.id, width, done)}
              />
            </Fragment>
          ))}
          {after}
          <div className="grow" aria-hidden="true" />
        </div>
        {visible.map((spot, i) => {
          const row = shown[i];
          return (
            <div
              key={spot}
              className="grid-row"
              role="row"
              aria-rowindex={spot + 1}
              aria-selected={row ? props.selected.has(row.id) : false}
              data-at={spot === props.at}
              data-task={row?.id}
              style={{ top: HEAD + spot * rowHeight }}
              onMouseDown={() => props.setAt(spot)}
            >
              <div className="pinned" style={{ width: BOX, flex: "none", left: 0 }} role="gridcell">
                {row && <SelectBox row={row} spot={spot} selected={props.selected.has(row.id)} toggle={props.toggle} />}
              </div>
              {here.map(({ column, index }) => (
                <Fragment key={column.id}>
                  {index === first && before}
                  <Cell
                    column={column}
                    index={index}
                    row={row}
                    context={context}
                    place={place(column, index)}
                    touched={row ? rows.touched.get(row.id) : undefined}
                  />
                </Fragment>
              ))}
              {after}
              <div className="grow" />
            </div>
          );
        })}
      </div>
    </div>
  );
}

// A table of fifty columns is read a screen at a time; what is just outside is there before it is scrolled to.
const MARGIN = 600;

/** Where each column starts, and which of those that scroll are near the view. */
function seen(
  widths: readonly number[],
  pinned: number,
  view: Viewport,
): { starts: number[]; first: number; last: number } {
  const starts = [BOX];
  for (const width of widths) starts.push((starts[starts.length - 1] as number) + width);
  let first = Math.min(pinned, widths.length);
  while (first < widths.length - 1 && (starts[first + 1] as number) < view.left + (starts[pinned] ?? 0) - MARGIN)
    first += 1;
  let last = first;
  while (last < widths.length && (starts[last] as number) < view.left + view.width + MARGIN) last += 1;
  return { starts, first, last };
}

function Gap({ width }: { width: number }) {
  return width > 0 ? <div aria-hidden="true" style={{ width, flex: "none", padding: 0 }} /> : null;
}

interface Place {
  className: string;
  style: { width: number; flex: string; left?: number | undefined };
}

const NARROWEST = 60;
const STEP: Record<string, number> = { ArrowLeft: -16, ArrowRight: 16 };

/** What a column's head shows; it knows no rows. */
type HeadColumn = Pick<GridColumn<GridRow>, "id" | "label" | "title" | "order">;

function HeadCell(props: {
  column: HeadColumn;
  index: number;
  sort: readonly string[];
  setSort: (id: string, add: boolean) => void;
  setWidth: (width: number, done: boolean) => void;
  place: Place;
}) {
  const { column, sort } = props;
  const rank = sort.findIndex((key) => key.replace(/^-/, "") === column.id);
  const down = rank >= 0 && sort[rank]?.startsWith("-");
  const drag = (event: MouseEvent) => {
    event.preventDefault();
    const [start, width] = [event.clientX, props.place.style.width];
    const at = (to: globalThis.MouseEvent) => Math.max(NARROWEST, width + to.clientX - start);
    const move = (to: globalThis.MouseEvent) => props.setWidth(at(to), false);
    const up = (to: globalThis.MouseEvent) => {
      if (to.clientX !== start) props.setWidth(at(to), true);
      document.removeEventListener("mousemove", move);
      document.removeEventListener("mouseup", up);
    };
    document.addEventListener("mousemove", move);
    document.addEventListener("mouseup", up);
  };
  const stepped = useRef(false);
  const key = (event: KeyboardEvent) => {
    const by = event.shiftKey ? STEP[event.key] : undefined;
    if (by === undefined) return;
    event.preventDefault();
    stepped.current = true;
    props.setWidth(Math.max(NARROWEST, props.place.style.width + by), false);
  };
  // Kept when the keys are let go, whichever first.
  const free = () => {
    if (stepped.current) props.setWidth(props.place.style.width, true);
    stepped.current = false;
  };
  return (
    <div
      {...props.place}
      role="columnheader"
      aria-colindex={props.index + 2}
      title={column.title}
      onKeyDown={key}
      onKeyUp={free}
      aria-sort={rank < 0 ? "none" : down ? "descending" : "ascending"}
    >
      {column.order ? (
        <button
          type="button"
          className={rank >= 0 ? "sorted" : undefined}
          onClick={(event) => props.setSort(column.id, event.shiftKey)}
        >
          <span className="cut">{column.label}</span>
          {rank >= 0 && (
            <span aria-hidden="true">
              {down ? "↓" : "↑"}
              {sort.length > 1 ? rank + 1 : ""}
            </span>
          )}
        </button>
      ) : (
        // Where the keyboard gives the column another width.
        <span className="cut" tabIndex={0}>
          {column.label}
        </span>
      )}
      {column.id.startsWith("m:") && <span className="caption">{column.id.split(":")[1]}</span>}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: by the keyboard the head itself gives the column another width. */}
      <span className="resize" onMouseDown={drag} />
    </div>
  );
}

function SelectBox<R extends GridRow>(props: { row: R; spot: number; selected: boolean; toggle: Props<R>["toggle"] }) {
  return (
    <input
      type="checkbox"
      tabIndex={-1}
      aria-label={`Select ${props.row.name ?? ""}`}
      checked={props.selected}
      onChange={() => undefined}
      onClick={(event) => props.toggle(props.row, props.spot, event.shiftKey)}
    />
  );
}

function Cell<R extends GridRow>(props: {
  column: GridColumn<R>;
  index: number;
  row: R | undefined;
  context: CellContext;
  place: Place;
  touched?: number;
}) {
  const { column, row, context, place } = props;
  if (!row) {
    return (
      <div {...place} role="gridcell">
        <span className="skeleton" style={{ height: 10, width: "60%" }} />
      </div>
    );
  }
  const plain = column.plain(row, context);
  const shown = column.cell(row, context);
  // A flex box cuts a bare text at its start when it is set to the right; a number without its head is another number.
  const inner = typeof shown === "string" || typeof shown === "number" ? <span className="cut">{shown}</span> : shown;
  const live = props.touched !== undefined && LIVE_COLUMNS.test(column.id);
  return (
    <div {...place} role="gridcell" aria-colindex={props.index + 2} title={plain}>
      {live ? (
        <span key={`${props.touched}`} className="touched cut">
          {shown}
        </span>
      ) : (
        inner
      )}
    </div>
  );
}

const LIVE_COLUMNS = /^(status|updated|iteration|m:)/;

/** Seconds since the epoch, moving every five seconds: "3 min ago" must not stand still. */
function useClock(): number {
  const [now, setNow] = useState(() => Date.now() / 1000);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now() / 1000), 5000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
