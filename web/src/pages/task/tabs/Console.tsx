import "~/widgets/console.css";

import { useVirtualizer } from "@tanstack/react-virtual";
import { useDeferredValue, useEffect, useRef, useState } from "react";

import { callForBytes } from "~/api/rpc";
import type { ConsoleLine } from "~/api/types.gen";
import { formatClock, formatCount, formatDuration } from "~/state/format";
import { useLines, useStart } from "~/pages/task/consoleLines";
import { useConsoleSearch } from "~/pages/task/consoleSearch";
import { hasCurves, useTask } from "~/pages/task/context";
import * as codec from "~/state/codec";
import { saveFile } from "~/state/download";
import { useKept } from "~/state/kept";
import { useKeys } from "~/state/keys";
import { taskPath } from "~/state/links";
import { toastError } from "~/state/toasts";
import { useView } from "~/state/view";
import { Icon } from "~/theme/icons";
import { foldReturns, isPlain, parseAnsi } from "~/widgets/ansi";
import { Go } from "~/widgets/Go";
import { Empty, ErrorPanel, ProgressLine } from "~/widgets/states";

const VIEW = {
  q: codec.text(),
  re: codec.flag(),
  mc: codec.flag(),
  line: codec.number(-1),
  wrap: codec.flag(),
  time: codec.choice("off", ["off", "relative", "clock"] as const),
};
const ROW = 18;
const TIMES = { off: "no time", relative: "relative", clock: "clock" } as const;

export default function Console() {
  const task = useTask();
  const [view, setView] = useView(VIEW);
  const box = useRef<HTMLDivElement>(null);
  const search = useRef<HTMLInputElement>(null);
  const [window, setWindow] = useState<[number, number]>([0, 0]);
  const lines = useLines(task.id, window[0], window[1]);
  // The oldest lines may have been forgotten; numbers stay what they were.
  const rows = Math.max(0, lines.total - lines.first);
  const running = task.status === "in_progress";
  // The line at the top after a person has scrolled; -1 at the end.
  const [place, setPlace] = useKept("line", -1);
  const [follow, setFollow] = useState(running && view.line < 0 && place < 0);
  const [seen, setSeen] = useState(0);
  const virtual = useVirtualizer({
    count: rows,
    getScrollElement: () => box.current,
    estimateSize: () => ROW,
    overscan: 30,
    onChange: (instance) => {
      const { startIndex = 0, endIndex = 0 } = instance.range ?? {};
      setWindow((old) => (old[0] === startIndex && old[1] === endIndex ? old : [startIndex, endIndex]));
    },
  });

  const placed = useRef(false);
  useEffect(() => {
    if (placed.current || lines.total === 0) return;
    placed.current = true;
    if (place >= 0) virtual.scrollToIndex(Math.max(0, place - lines.first), { align: "start" });
    else if (view.line >= 0) virtual.scrollToIndex(Math.max(0, view.line - lines.first), { align: "center" });
    else virtual.scrollToIndex(rows - 1, { align: "end" });
  }, [lines.total, lines.first, rows, place, view.line, virtual]);
  useEffect(() => {
    if (follow && rows > 0) virtual.scrollToIndex(rows - 1, { align: "end" });
    if (follow) setSeen(lines.total);
  }, [follow, lines.total, rows, virtual]);

  // Only a person's own scrolling stops or starts the following; a growing list must not.
  const onScroll = () => {
    const element = box.current;
    if (!element) return;
    const atEnd = element.scrollHeight - element.scrollTop - element.clientHeight < 2 * ROW;
    if (touched.current)
      setPlace(atEnd ? -1 : lines.first + (virtual.getVirtualItemForOffset(element.scrollTop)?.index ?? 0));
    if (follow && !atEnd && touched.current) setFollow(false);
    else if (!follow && atEnd && running && touched.current) setFollow(true);
  };
  const touched = useRef(false);
  const untouch = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const touch = () => {
    touched.current = true;
    clearTimeout(untouch.current);
    untouch.current = setTimeout(() => {
      touched.current = false;
    }, 400);
  };
  // The scroll bar is held for as long as somebody likes.
  const hold = () => {
    touched.current = true;
    clearTimeout(untouch.current);
    document.addEventListener("mouseup", touch, { once: true });
  };

  const text = useDeferredValue(view.q.trim());
  const hits = useConsoleSearch(task.id, { text, regex: view.re, matchCase: view.mc });
  const found = hits.lines;
  const goTo = (number: number) => {
    setFollow(false);
    setPlace(-1);
    setView({ line: number });
    virtual.scrollToIndex(number - lines.first, { align: "center" });
  };
  const step = (by: number) => {
    const at = found.findIndex((line) => line.number === view.line);
    const next = found[(at + by + found.length) % Math.max(1, found.length)];
    if (next) goTo(next.number);
  };
  useKeys({ "/": () => search.current?.focus(), n: () => step(1), N: () => step(-1) });
  const download = () => {
    callForBytes("events.download_task_log", { task: task.id }, "text/plain").then(
      (bytes) => saveFile(`${task.name}.log`, new Blob([bytes], { type: "text/plain" })),
      toastError,
    );
  };
  const start = useStart(task.id, lines.first, view.time === "relative" && rows > 0);
  const [opened, setOpened] = useState<ReadonlySet<number>>(new Set());
  const fold = (number: number) =>
    setOpened((old) => {
      const next = new Set(old);
      if (!next.delete(number)) next.add(number);
      return next;
    });
  // A line that is wrapped, or no longer, has another height.
  // biome-ignore lint/correctness/useExhaustiveDependencies: `wrap` says when.
  useEffect(() => virtual.measure(), [virtual, view.wrap]);
  const next = TIME_ORDER[view.time];
  return (
    <>
      <ProgressLine active={lines.pending || hits.fetching} />
      <div className="tab-bar">
        <label className="search" style={{ width: 280 }}>
          <Icon name="search" size={14} />
          <input
            ref={search}
            className="input"
            placeholder="Search the whole console  ( / )"
            aria-label="Search the console"
            value={view.q}
            onChange={(event) => setView({ q: event.target.value })}
            onKeyDown={(event) => {
              if (event.key === "Enter") step(event.shiftKey ? -1 : 1);
              if (event.key === "Escape") event.currentTarget.blur();
            }}
          />
        </label>
        <button
          type="button"
          className="button"
          aria-pressed={view.re}
          onClick={() => setView({ re: !view.re })}
          title="Regular expression"
        >
          .*
        </button>
        <button
          type="button"
          className="button"
          aria-pressed={view.mc}
          onClick={() => setView({ mc: !view.mc })}
          title="Match upper and lower case"
        >
          Aa
        </button>
        {text && hits.error === null && (
          <span className="muted num" role="status">
            {formatCount(hits.count)} {hits.count === 1 ? "line" : "lines"}
            {hits.at !== null && ` so far, ${Math.floor((100 * hits.at) / Math.max(1, hits.total))} % searched`}
          </span>
        )}
        <span className="grow" />
        <span
          className="muted num"
          title={lines.first > 0 ? `the first ${formatCount(lines.first)} were forgotten after their time` : undefined}
        >
          {lines.pending
            ? ""
            : `${formatCount(rows)} lines${lines.first > 0 ? `, from ${formatCount(lines.first + 1)} on` : ""}`}
        </span>
        <button type="button" className="button" onClick={() => setView({ time: next })}>
          <Icon name="clock" size={13} />
          {TIMES[view.time]}
        </button>
        <button type="button" className="button" aria-pressed={view.wrap} onClick={() => setView({ wrap: !view.wrap })}>
          <Icon name="wrap" size={13} />
          wrap
        </button>
        {running && (
          <button type="button" className="button" aria-pressed={follow} onClick={() => setFollow(!follow)}>
            follow
          </button>
        )}
        <button type="button" className="button" onClick={download}>
          <Icon name="download" size={13} />
          Download
        </button>
      </div>
      {lines.error !== null && <ErrorPanel error={lines.error} retry={lines.retry} />}
      {hits.error !== null && <ErrorPanel error={hits.error} />}
      {!lines.pending && rows === 0 ? (
        <Empty title={running ? "Waiting for the first line" : "The console is empty"}>
          <p>What the script prints appears here.</p>
          {hasCurves(task) && (
            <p>
              <Go to={taskPath(task.project, task.id)}>The scalars of this run</Go>
            </p>
          )}
        </Empty>
      ) : (
        <div className={view.wrap ? "console wrap" : "console"}>
          <div
            className="console-lines"
            ref={box}
            onScroll={onScroll}
            onWheel={touch}
            onTouchMove={touch}
            onMouseDown={hold}
            onKeyDown={touch}
            tabIndex={0}
            role="log"
            aria-live="off"
            aria-label="Console"
          >
            <div style={{ height: virtual.getTotalSize(), position: "relative", minWidth: "max-content" }}>
              {virtual.getVirtualItems().map((item) => (
                <div
                  key={item.key}
                  data-index={item.index}
                  ref={virtual.measureElement}
                  className="console-line"
                  style={{ transform: `translateY(${item.start}px)`, minHeight: ROW }}
                  data-level={lines.at(lines.first + item.index)?.level}
                  data-at={lines.first + item.index === view.line}
                >
                  <button
                    type="button"
                    className="no"
                    tabIndex={-1}
                    title="Link to this line"
                    onClick={() => setView({ line: lines.first + item.index })}
                  >
                    {lines.first + item.index + 1}
                  </button>
                  <Line
                    line={lines.at(lines.first + item.index)}
                    time={view.time}
                    start={start}
                    mark={text}
                    regex={view.re}
                    matchCase={view.mc}
                    open={opened.has(lines.first + item.index)}
                    fold={() => fold(lines.first + item.index)}
                  />
                </div>
              ))}
            </div>
          </div>
          {running && !follow && lines.total > seen && seen > 0 && (
            <button type="button" className="button primary more" onClick={() => setFollow(true)}>
              {formatCount(lines.total - seen)} new ↓
            </button>
          )}
          {text && found.length > 0 && (
            <div className="hits" role="group" aria-label="Lines found">
              {found.map((line) => (
                <button
                  type="button"
                  key={line.number}
                  aria-pressed={line.number === view.line}
                  onClick={() => goTo(line.number)}
                >
                  <span className="muted">{line.number + 1} </span>
                  {foldReturns(line.text).text.slice(0, 300)}
                </button>
              ))}
              {hits.more && (
                <button type="button" disabled={hits.fetching} onClick={hits.loadMore}>
                  <strong>{formatCount(hits.count - found.length)} more</strong>
                </button>
              )}
            </div>
          )}
        </div>
      )}
    </>
  );
}

const TIME_ORDER = { off: "relative", relative: "clock", clock: "off" } as const;

interface LineProps {
  line: ConsoleLine | undefined;
  time: "off" | "relative" | "clock";
  /** When the first line was written; null until it is known. */
  start: number | null;
  mark: string;
  regex: boolean;
  matchCase: boolean;
  /** Each state of a line that was rewritten in place is shown. Kept by the console: a line out of sight is unmounted. */
  open: boolean;
  fold: () => void;
}

function Line({ line, time, start, mark, regex, matchCase, open, fold }: LineProps) {
  if (!line) return <span className="text muted">…</span>;
  const folded = foldReturns(line.text);
  return (
    <>
      {time !== "off" && (
        <span className="time">
          {time === "clock"
            ? formatClock(line.time)
            : start === null
              ? "…"
              : formatDuration(Math.max(0, line.time - start))}
        </span>
      )}
      <span className="text">
        {open
          ? line.text.split("\r").map((part, i) => <div key={`${i.toString()}`}>{part}</div>)
          : parseAnsi(folded.text).map((span, i) => {
              const inner = mark ? (
                <Marked text={span.text} mark={mark} regex={regex} matchCase={matchCase} />
              ) : (
                span.text
              );
              if (isPlain(span)) return <span key={`${i.toString()}`}>{inner}</span>;
              return (
                <span
                  key={`${i.toString()}`}
                  style={{
                    color: span.colour ?? undefined,
                    background: span.back ?? undefined,
                    fontWeight: span.bold ? 600 : undefined,
                    opacity: span.dim ? 0.7 : undefined,
                    fontStyle: span.italic ? "italic" : undefined,
                    textDecoration: span.underline ? "underline" : undefined,
                  }}
                >
                  {inner}
                </span>
              );
            })}
        {folded.rewrites > 0 && (
          <button
            type="button"
            className="rewrites"
            aria-expanded={open}
            onClick={fold}
            title="This line was rewritten in place"
          >
            {open ? "fold" : `× ${folded.rewrites + 1}`}
          </button>
        )}
      </span>
    </>
  );
}

function Marked({ text, mark, regex, matchCase }: { text: string; mark: string; regex: boolean; matchCase: boolean }) {
  let pattern: RegExp;
  try {
    pattern = new RegExp(`(${regex ? mark : mark.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")})`, matchCase ? "g" : "gi");
  } catch {
    return text;
  }
  const parts: React.ReactNode[] = [];
  let from = 0;
  for (const hit of text.matchAll(pattern)) {
    if (!hit[0]) continue;
    parts.push(text.slice(from, hit.index), <mark key={hit.index}>{hit[0]}</mark>);
    from = hit.index + hit[0].length;
  }
  parts.push(text.slice(from));
  return parts;
}
