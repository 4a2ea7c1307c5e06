import type { ReactNode, RefObject } from "react";

import * as codec from "~/state/codec";
import type { SetView } from "~/state/view";
import { Icon } from "~/theme/icons";

/** What a page of charts keeps in the address. */
export const SCALAR_VIEW = {
  x: codec.choice("iter", ["iter", "relative", "time"] as const),
  log: codec.flag(),
  sm: codec.number(0),
  z: codec.span(),
  q: codec.text(),
  n: codec.number(0),
  fold: codec.list(),
  open: codec.list(),
  view: codec.choice("charts", ["charts", "values"] as const),
};
export type ScalarView = codec.ViewOf<typeof SCALAR_VIEW>;

const X_WORDS = { iter: "iteration", relative: "relative", time: "wall time" } as const;

interface Props {
  view: ScalarView;
  setView: SetView<typeof SCALAR_VIEW>;
  search: RefObject<HTMLInputElement | null>;
  children?: ReactNode;
}

/** The controls above charts; each takes one click. */
export function ScalarBar({ view, setView, search, children }: Props) {
  return (
    <div className="tab-bar">
      <label className="search" style={{ width: 200 }}>
        <Icon name="search" size={14} />
        <input
          ref={search}
          className="input"
          placeholder="Metric, regex  ( / )"
          aria-label="Filter metrics"
          value={view.q}
          onChange={(event) => setView({ q: event.target.value })}
        />
      </label>
      <span className="segments" role="group" aria-label="Horizontal axis">
        {(["iter", "relative", "time"] as const).map((x) => (
          <button type="button" key={x} aria-pressed={view.x === x} onClick={() => setView({ x, z: null }, "push")}>
            {X_WORDS[x]}
          </button>
        ))}
      </span>
      <button
        type="button"
        className="button"
        aria-pressed={view.log}
        onClick={() => setView({ log: !view.log }, "push")}
      >
        log
      </button>
      <label className="row num" title="Exponential moving average, weighted by distance on the horizontal axis">
        smooth
        <input
          type="range"
          min={0}
          max={0.99}
          step={0.01}
          value={view.sm}
          style={{ width: 110 }}
          aria-label="Smoothing"
          onChange={(event) => setView({ sm: Number(event.target.value) })}
        />
        <span style={{ width: 28 }}>{view.sm.toFixed(2)}</span>
      </label>
      <label className="row">
        <span className="muted">per row</span>
        <select
          className="select"
          value={view.n}
          aria-label="Charts per row"
          onChange={(event) => setView({ n: Number(event.target.value) })}
        >
          {[0, 1, 2, 3, 4, 5, 6].map((n) => (
            <option key={n} value={n}>
              {n === 0 ? "fit" : n}
            </option>
          ))}
        </select>
      </label>
      {view.z && (
        <button type="button" className="button" onClick={() => setView({ z: null }, "push")}>
          <Icon name="reset" size={13} />
          Reset zoom
        </button>
      )}
      <span className="grow" />
      {children}
      <span className="segments" role="group" aria-label="View">
        {(["charts", "values"] as const).map((one) => (
          <button
            type="button"
            key={one}
            aria-pressed={view.view === one}
            onClick={() => setView({ view: one }, "push")}
          >
            {one}
          </button>
        ))}
      </span>
    </div>
  );
}

/** Keys that every page of charts has. */
export function scalarKeys(
  view: ScalarView,
  setView: SetView<typeof SCALAR_VIEW>,
  search: RefObject<HTMLInputElement | null>,
) {
  const step = (by: number) => setView({ sm: Math.round(Math.min(0.99, Math.max(0, view.sm + by)) * 100) / 100 });
  return {
    "/": () => search.current?.focus(),
    l: () => setView({ log: !view.log }, "push"),
    m: () => step(0.1),
    n: () => step(-0.1),
  };
}
