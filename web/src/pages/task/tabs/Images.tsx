import "~/charts/react/plots.css";

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { type PointerEvent, useMemo, useRef, useState } from "react";

import { call } from "~/api/rpc";
import { matcher } from "~/charts/react/ChartGrid";
import { formatCount } from "~/state/format";
import { useTask } from "~/pages/task/context";
import * as codec from "~/state/codec";
import { downloadHref, filePlace } from "~/state/files";
import { useKeys } from "~/state/keys";
import { useView } from "~/state/view";
import { Icon } from "~/theme/icons";
import { isPicture, Media } from "~/widgets/Media";
import { useLayer } from "~/widgets/layer";
import { Empty, ErrorPanel, ProgressLine, Snippet } from "~/widgets/states";

const VIEW = { q: codec.text(), i: codec.number(-1), img: codec.text(), iters: codec.number(50) };

interface ImageEvent {
  metric: string;
  variant: string;
  iter: number;
  url: string;
  key?: string;
}

interface Sample {
  key: string;
  metric: string;
  variant: string;
  events: ImageEvent[];
}

function samplesOf(events: readonly ImageEvent[]): Sample[] {
  const found = new Map<string, Sample>();
  for (const event of events) {
    const key = `${event.metric}/${event.variant}`;
    const sample = found.get(key) ?? { key, metric: event.metric, variant: event.variant, events: [] };
    sample.events.push(event);
    found.set(key, sample);
  }
  for (const sample of found.values()) sample.events.sort((a, b) => a.iter - b.iter);
  return [...found.values()].sort((a, b) => a.key.localeCompare(b.key, undefined, { numeric: true }));
}

/** The newest image at or before an iteration. */
function eventAt(sample: Sample, iter: number): ImageEvent | undefined {
  if (iter < 0) return sample.events[sample.events.length - 1];
  return [...sample.events].reverse().find((event) => event.iter <= iter);
}

export default function Images() {
  const task = useTask();
  const [view, setView] = useView(VIEW);
  const search = useRef<HTMLInputElement>(null);
  const images = useQuery({
    queryKey: ["images", task.id, view.iters],
    queryFn: ({ signal }) => call("events.debug_images", { metrics: [{ task: task.id }], iters: view.iters }, signal),
    placeholderData: keepPreviousData,
  });
  const samples = useMemo(() => {
    const events = (images.data?.metrics ?? []).flatMap((one) =>
      one.iterations.flatMap((iteration) => iteration.events),
    );
    return samplesOf(events as unknown as ImageEvent[]);
  }, [images.data]);
  const iterations = useMemo(
    () => [...new Set(samples.flatMap((sample) => sample.events.map((event) => event.iter)))].sort((a, b) => a - b),
    [samples],
  );
  const place =
    view.i < 0
      ? iterations.length - 1
      : Math.max(
          0,
          iterations.findLastIndex((iter) => iter <= view.i),
        );
  const move = (by: number) => {
    const next = Math.max(0, Math.min(iterations.length - 1, place + by));
    setView({ i: next === iterations.length - 1 ? -1 : (iterations[next] ?? -1) });
  };
  const fits = matcher(view.q);
  const shown = samples.filter((sample) => fits(sample.key));
  const open = samples.find((sample) => sample.key === view.img);
  const opened = open && (eventAt(open, view.i < 0 ? -1 : (iterations[place] ?? -1)) ?? open.events[0]);
  // Who looks at one image goes through its own iterations, not through those of others.
  const turn = (by: number) => {
    if (!open || !opened) return;
    const next = open.events[open.events.indexOf(opened) + by];
    if (next) setView({ i: next.iter === iterations[iterations.length - 1] ? -1 : next.iter });
  };
  useKeys({
    "/": () => search.current?.focus(),
    arrowleft: () => (open ? turn(-1) : move(-1)),
    arrowright: () => (open ? turn(1) : move(1)),
    escape: () => setView({ img: "" }),
  });
  if (images.isError && !images.data) return <ErrorPanel error={images.error} retry={() => void images.refetch()} />;
  if (images.data && samples.length === 0) {
    return (
      <Empty title="No image was reported">
        <p>Report arrays, files or PIL images, and they appear here by metric and iteration:</p>
        <Snippet code={'task.get_logger().report_image("samples", "first", iteration=step, image=array)'} />
      </Empty>
    );
  }
  const metrics = [...new Set(shown.map((sample) => sample.metric))];
  const iter = view.i < 0 ? -1 : (iterations[place] ?? -1);
  return (
    <>
      <ProgressLine active={images.isFetching} />
      <div className="tab-bar">
        <label className="search" style={{ width: 240 }}>
          <Icon name="search" size={14} />
          <input
            ref={search}
            className="input"
            placeholder="Image, regex  ( / )"
            aria-label="Filter images"
            value={view.q}
            onChange={(event) => setView({ q: event.target.value })}
          />
        </label>
        <label className="ruler num">
          <span className="muted">iteration</span>
          <input
            type="range"
            min={0}
            max={Math.max(0, iterations.length - 1)}
            value={place}
            style={{ width: 240 }}
            aria-label="Iteration"
            onChange={(event) => move(Number(event.target.value) - place)}
          />
          <span>
            {formatCount(iterations[place] ?? 0)}
            {view.i < 0 ? " (newest)" : ""}
          </span>
        </label>
        <span className="grow" />
        {iterations.length >= view.iters && (
          <button type="button" className="button" onClick={() => setView({ iters: view.iters * 4 }, "push")}>
            Load earlier
          </button>
        )}
        <span className="muted num">
          {formatCount(shown.length)} {shown.length === 1 ? "image" : "images"}
        </span>
      </div>
      <div className="scroll">
        <div className="page stack">
          {metrics.map((metric) => (
            <section key={metric} className="stack" style={{ gap: 8 }}>
              <h2>{metric}</h2>
              <div className={shown.length <= 3 ? "image-grid few" : "image-grid"}>
                {shown
                  .filter((sample) => sample.metric === metric)
                  .map((sample) => {
                    const event = eventAt(sample, iter);
                    return (
                      event && <Tile key={sample.key} event={event} open={() => setView({ img: sample.key }, "push")} />
                    );
                  })}
              </div>
            </section>
          ))}
        </div>
      </div>
      {open && <Viewer sample={open} event={opened} close={() => setView({ img: "" })} turn={turn} />}
    </>
  );
}

function Tile({ event, open }: { event: ImageEvent; open: () => void }) {
  const { href, why } = filePlace(event.url);
  const [gone, setGone] = useState<string | null>(null);
  const [small, setSmall] = useState(false);
  return (
    <button type="button" className="image-tile" onClick={open} title={`${event.metric} / ${event.variant}`}>
      <span className="frame">
        {href && gone !== href ? (
          <Media
            href={href}
            alt={`${event.metric} ${event.variant}`}
            small={small}
            failed={() => setGone(href)}
            sized={(width) => setSmall(width < 150)}
          />
        ) : (
          <span className="caption" style={{ padding: 12, overflowWrap: "anywhere" }}>
            {href ? "the file is gone" : why}
          </span>
        )}
      </span>
      <span className="foot">
        <span className="cut grow">{event.variant}</span>
        <span className="muted num">{formatCount(event.iter)}</span>
      </span>
    </button>
  );
}

function Viewer({
  sample,
  event,
  close,
  turn,
}: {
  sample: Sample;
  event: ImageEvent | undefined;
  close: () => void;
  turn: (by: number) => void;
}) {
  const [zoom, setZoom] = useState(0);
  const [pan, setPan] = useState<[number, number]>([0, 0]);
  const [natural, setNatural] = useState<[number, number]>([0, 0]);
  const box = useRef<HTMLDivElement>(null);
  const stage = useRef<HTMLDivElement>(null);
  useLayer(box);
  const drag = useRef<{ x: number; y: number; pan: [number, number] } | null>(null);
  useKeys({ "+": () => scale(1.4), "-": () => scale(1 / 1.4), "0": () => reset() });
  const place = filePlace(event?.url);
  const fit = natural[0]
    ? Math.min((stage.current?.clientWidth ?? 800) / natural[0], (stage.current?.clientHeight ?? 600) / natural[1]) *
      0.96
    : 1;
  const shown = zoom || fit;
  const scale = (by: number) => setZoom(Math.min(64, Math.max(0.05, shown * by)));
  const reset = () => {
    setZoom(0);
    setPan([0, 0]);
  };
  const down = (pointer: PointerEvent) => {
    drag.current = { x: pointer.clientX, y: pointer.clientY, pan };
    pointer.currentTarget.setPointerCapture(pointer.pointerId);
  };
  const slide = (pointer: PointerEvent) => {
    const from = drag.current;
    if (from) setPan([from.pan[0] + pointer.clientX - from.x, from.pan[1] + pointer.clientY - from.y]);
  };
  const picture = place.href && isPicture(place.href);
  return (
    <div ref={box} className="viewer" role="dialog" aria-modal="true" tabIndex={-1} aria-label="Image viewer">
      <header>
        <strong className="cut">
          {sample.metric} / {sample.variant}
        </strong>
        <span className="muted num">iteration {formatCount(event?.iter ?? 0)}</span>
        {natural[0] > 0 && (
          <span className="muted num">
            {natural[0]} × {natural[1]} px · {Math.round(shown * 100)} %
          </span>
        )}
        <span className="grow" />
        <button
          type="button"
          className="button"
          onClick={() => turn(-1)}
          disabled={event === sample.events[0]}
          title="Earlier (←)"
        >
          ←
        </button>
        <button
          type="button"
          className="button"
          onClick={() => turn(1)}
          disabled={event === sample.events[sample.events.length - 1]}
          title="Later (→)"
        >
          →
        </button>
        <button type="button" className="button" onClick={() => scale(1.4)} title="Larger (+)">
          +
        </button>
        <button type="button" className="button" onClick={() => scale(1 / 1.4)} title="Smaller (−)">
          −
        </button>
        <button type="button" className="button" onClick={reset}>
          fit
        </button>
        {place.href && (
          <a className="button" href={downloadHref(place.href)} download aria-label="Download">
            <Icon name="download" size={13} />
          </a>
        )}
        <button type="button" className="icon-button" aria-label="Close" onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      <div
        className="stage"
        ref={stage}
        onPointerDown={down}
        onPointerMove={slide}
        onPointerUp={() => {
          drag.current = null;
        }}
        onWheel={(wheel) => scale(wheel.deltaY < 0 ? 1.15 : 1 / 1.15)}
      >
        {picture ? (
          <img
            src={place.href ?? ""}
            alt={sample.key}
            draggable={false}
            className={shown > 2 ? "sharp" : undefined}
            style={{
              width: natural[0] ? natural[0] * shown : undefined,
              transform: `translate(${pan[0]}px, ${pan[1]}px)`,
            }}
            onLoad={(loaded) => setNatural([loaded.currentTarget.naturalWidth, loaded.currentTarget.naturalHeight])}
          />
        ) : place.href ? (
          <Media href={place.href} alt={sample.key} failed={() => undefined} />
        ) : (
          <p className="muted">It cannot be opened here: {place.why}.</p>
        )}
      </div>
    </div>
  );
}
