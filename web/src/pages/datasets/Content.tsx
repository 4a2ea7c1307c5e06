import { useDeferredValue, useEffect, useMemo, useRef, useState } from "react";

import type { DatasetVersion } from "~/api/types.gen";
import { formatBytes, formatCount, formatDate, MISSING } from "~/state/format";
import { Changes, MARKS } from "~/pages/datasets/Changes";
import { isOpen } from "~/pages/datasets/data";
import { FilePanel } from "~/pages/datasets/FilePanel";
import { join } from "~/pages/datasets/tree";
import { type TreeRow, useTree } from "~/pages/datasets/useTree";
import * as codec from "~/state/codec";
import { useKeys } from "~/state/keys";
import { taskPath } from "~/state/links";
import { legible } from "~/state/names";
import { usePreferences } from "~/state/preferences";
import { useView } from "~/state/view";
import { Icon } from "~/theme/icons";
import { Go } from "~/widgets/Go";
import { rowsNear, useViewport } from "~/widgets/scroll";
import { Empty, ErrorPanel, ProgressLine, Skeleton, Snippet } from "~/widgets/states";

const VIEW = {
  /** The folder that the tree starts from. */
  dir: codec.text(),
  open: codec.list(),
  /** The file, or folder, whose panel is shown. */
  at: codec.text(),
  q: codec.text(),
  /** Only what differs from the version that it is compared with. */
  changed: codec.flag(),
  /** Version to compare with; "parent" is the default, "none" is none. */
  vs: codec.text("parent"),
};
const ROW_HEIGHT = { compact: 24, normal: 28, roomy: 36 };
const HEAD = 28;

/** The folder tree of a version, with sizes and what changed; only the rows on the screen are asked for. */
export function Content({ version, versions }: { version: DatasetVersion; versions: readonly DatasetVersion[] }) {
  const [view, setView] = useView(VIEW);
  const box = useRef<HTMLDivElement>(null);
  const search = useRef<HTMLInputElement>(null);
  const viewport = useViewport(box);
  const rowHeight = ROW_HEIGHT[usePreferences().density];
  const sought = useDeferredValue(view.q.trim());
  // How many there are is only known from the answers.
  const [first, last] = rowsNear(viewport, {
    total: Infinity,
    height: rowHeight,
    head: HEAD,
    spare: 6,
    unmeasured: 800,
  });
  const against = view.vs === "parent" ? undefined : view.vs === "none" ? "" : view.vs;
  const spec = useMemo(
    () => ({
      dataset: version.id,
      root: view.dir,
      against,
      search: sought,
      changed: view.changed,
      final: !isOpen(version),
      // What is found is a flat list of files.
      open: sought ? [] : view.open,
    }),
    [version, view.dir, view.open, against, sought, view.changed],
  );
  const tree = useTree(spec, [first, last]);
  const [place, setPlace] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another folder starts at its beginning.
  useEffect(() => {
    setPlace(0);
    if (box.current) box.current.scrollTop = 0;
  }, [view.dir, sought, view.changed]);

  const pathOf = (row: TreeRow | null) => (row?.entry ? join(row.folder, row.entry.name) : null);
  const goTo = (next: number) => {
    const target = Math.max(0, Math.min(tree.rows - 1, next));
    setPlace(target);
    const element = box.current;
    if (!element) return;
    const top = target * rowHeight;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + rowHeight + HEAD > element.scrollTop + element.clientHeight)
      element.scrollTop = top + rowHeight + HEAD - element.clientHeight;
  };
  const setOpen = (path: string, open: boolean) => {
    const rest = view.open.filter((one) => one !== path && (open || !one.startsWith(`${path}/`)));
    setView({ open: open ? [...rest, path] : rest });
  };
  const enter = (dir: string) =>
    setView({ dir, q: "", at: "", open: view.open.filter((one) => one.startsWith(dir ? `${dir}/` : "")) }, "push");
  const choose = (row: TreeRow | null) => {
    const path = pathOf(row);
    if (path !== null && row?.entry) setView({ at: row.entry.kind === "folder" ? `${path}/` : path });
  };
  const onKey = (event: React.KeyboardEvent) => {
    const row = tree.at(place);
    const path = pathOf(row);
    const folder = row?.entry?.kind === "folder";
    const acts: Record<string, () => void> = {
      ArrowDown: () => goTo(place + 1),
      ArrowUp: () => goTo(place - 1),
      PageDown: () => goTo(place + Math.floor(viewport.height / rowHeight) - 1),
      PageUp: () => goTo(place - Math.floor(viewport.height / rowHeight) + 1),
      Home: () => goTo(0),
      End: () => goTo(tree.rows - 1),
      ArrowRight: () => folder && path !== null && (view.open.includes(path) ? goTo(place + 1) : setOpen(path, true)),
      ArrowLeft: () => {
        if (folder && path !== null && view.open.includes(path)) setOpen(path, false);
        else if (row && row.depth > 0) goTo(place - row.place - 1);
        else if (view.dir) enter(view.dir.split("/").slice(0, -1).join("/"));
      },
      Enter: () => choose(row),
      " ": () => choose(row),
    };
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };
  useKeys({ "/": () => search.current?.focus(), escape: () => setView({ at: "" }) });

  if (isOpen(version) && !version.root && (version.files ?? 0) === 0) {
    return (
      <Empty title="This version is still being written">
        <p>Its content appears here when its writer finalizes it.</p>
      </Empty>
    );
  }
  if (tree.top && !tree.top.readable) return <Unreadable version={version} />;
  const shown = Array.from({ length: Math.max(0, Math.min(last, tree.rows) - first) }, (_, i) => first + i);
  const parts = view.dir ? view.dir.split("/") : [];
  const compared = view.vs === "parent" ? version.parents.length > 0 : view.vs !== "none";
  const others = versions.filter((one) => one.id !== version.id && !isOpen(one));
  const activeId = `entry-${place}`;
  return (
    <div className="content">
      <div className="content-tree">
        <ProgressLine active={tree.fetching} />
        <div className="tab-bar">
          <nav className="row cut" style={{ gap: 4 }} aria-label="Folder">
            <button type="button" className="link-button" onClick={() => enter("")} disabled={!view.dir}>
              {version.name}
            </button>
            {parts.map((part, i) => (
              <span key={`${part}${i.toString()}`} className="row cut" style={{ gap: 4 }}>
                <span className="muted">/</span>
                <button
                  type="button"
                  className="link-button cut"
                  onClick={() => enter(parts.slice(0, i + 1).join("/"))}
                >
                  {part}
                </button>
              </span>
            ))}
          </nav>
          <span className="grow" />
          {compared && view.dir === "" && tree.top && <Changes counts={tree.top} />}
          {others.length > 0 && (
            <label className="row">
              <span className="muted">against</span>
              <select
                className="select"
                aria-label="Compare with"
                value={view.vs}
                onChange={(event) => setView({ vs: event.target.value }, "push")}
              >
                {version.parents.length > 0 && (
                  <option value="parent">{version.parents.length > 1 ? "its parents" : "its parent"}</option>
                )}
                {version.parents.length === 0 && <option value="parent">nothing</option>}
                {version.parents.length > 0 && <option value="none">nothing</option>}
                {others.map((one) => (
                  <option key={one.id} value={one.id}>
                    {one.version || one.id.slice(0, 8)}
                  </option>
                ))}
              </select>
            </label>
          )}
          {(compared || view.changed) && (
            <label className="row">
              <input
                type="checkbox"
                checked={view.changed}
                onChange={(event) => setView({ changed: event.target.checked }, "push")}
              />
              changes only
            </label>
          )}
          <label className="search" style={{ width: 200 }}>
            <Icon name="search" size={14} />
            <input
              ref={search}
              className="input"
              placeholder="Find a path  ( / )"
              aria-label="Find a path below this folder"
              value={view.q}
              onChange={(event) => setView({ q: event.target.value })}
            />
          </label>
        </div>
        {tree.error !== null && <ErrorPanel error={tree.error} retry={tree.retry} />}
        {tree.pending && tree.error === null && (
          <div style={{ padding: 16 }}>
            <Skeleton height={160} />
          </div>
        )}
        {!tree.pending && tree.rows === 0 ? (
          <Empty
            title={
              sought ? "No path contains this text" : view.changed ? "Nothing has changed here" : "This folder is empty"
            }
            small
          >
            {(sought || view.changed) && (
              <button type="button" className="button" onClick={() => setView({ q: "", changed: false })}>
                Show everything
              </button>
            )}
          </Empty>
        ) : (
          <div
            className="tree"
            ref={box}
            role="treegrid"
            tabIndex={0}
            aria-label="Content"
            aria-rowcount={tree.rows}
            onKeyDown={onKey}
            aria-activedescendant={shown.includes(place) ? activeId : undefined}
          >
            <div className="tree-head" role="row" style={{ height: HEAD }}>
              <span role="columnheader" className="grow">
                Name
              </span>
              <span role="columnheader" className="change">
                Change
              </span>
              <span role="columnheader" className="count">
                Files
              </span>
              <span role="columnheader" className="size">
                Size
              </span>
              <span role="columnheader" className="date">
                Modified
              </span>
            </div>
            <div style={{ height: tree.rows * rowHeight, position: "relative" }} role="rowgroup">
              {shown.map((number) => {
                const row = tree.at(number);
                if (!row) return null;
                const path = pathOf(row);
                const folder = row.entry?.kind === "folder";
                const open = path !== null && view.open.includes(path);
                const chosen = path !== null && view.at === (folder ? `${path}/` : path);
                return (
                  // biome-ignore lint/a11y/useKeyWithClickEvents: the tree itself has the keyboard.
                  <div
                    key={number}
                    id={`entry-${number}`}
                    className="tree-row"
                    role="row"
                    style={{ top: number * rowHeight, height: rowHeight }}
                    aria-level={row.depth + 1}
                    aria-posinset={row.place + 1}
                    aria-setsize={row.total}
                    aria-rowindex={number + 2}
                    aria-expanded={folder ? open : undefined}
                    aria-selected={chosen}
                    data-at={number === place}
                    data-path={path ?? undefined}
                    onClick={() => {
                      setPlace(number);
                      choose(row);
                    }}
                    onDoubleClick={() => folder && path !== null && enter(path)}
                  >
                    {row.entry ? (
                      <Cells row={row} open={open} toggle={() => path !== null && setOpen(path, !open)} />
                    ) : (
                      <span role="gridcell" className="muted" style={{ paddingLeft: 24 + 16 * row.depth }}>
                        …
                      </span>
                    )}
                  </div>
                );
              })}
            </div>
          </div>
        )}
        {tree.top && (
          <div className="tree-foot num muted">
            {formatCount(tree.top.files)} {tree.top.files === 1 ? "file" : "files"}, {formatBytes(tree.top.bytes)}
            {view.dir && " in this folder"}
            {sought && ` · ${formatCount(tree.top.total)} paths contain “${sought}”`}
          </div>
        )}
      </div>
      {view.at && (
        <FilePanel
          key={view.at}
          version={version}
          path={view.at}
          against={against}
          close={() => setView({ at: "" })}
          enter={enter}
          show={(path) => setView({ at: path })}
        />
      )}
    </div>
  );
}

function Cells({ row, open, toggle }: { row: TreeRow; open: boolean; toggle: () => void }) {
  const entry = row.entry;
  if (!entry) return null;
  const folder = entry.kind === "folder";
  const gone = entry.change === "removed";
  return (
    <>
      <span role="gridcell" className="grow name" data-gone={gone} style={{ paddingLeft: 4 + 16 * row.depth }}>
        {folder ? (
          <button
            type="button"
            className="twist"
            tabIndex={-1}
            aria-label={open ? "Fold" : "Unfold"}
            onClick={(event) => {
              event.stopPropagation();
              toggle();
            }}
          >
            <Icon name={open ? "down" : "right"} size={12} />
          </button>
        ) : (
          <span className="twist" />
        )}
        <Icon name={folder ? "folder" : entry.kind === "link" ? "link" : "file"} size={14} />
        <span className="cut" title={legible(entry.link || entry.name)}>
          {legible(entry.name)}
        </span>
      </span>
      <span role="gridcell" className="change" data-change={entry.change || undefined}>
        {MARKS[entry.change] ?? ""}
      </span>
      <span role="gridcell" className="count num">
        {folder && !gone ? formatCount(entry.files) : ""}
      </span>
      <span role="gridcell" className="size num" title={entry.bytes >= 0 ? `${entry.bytes} bytes` : undefined}>
        {gone ? "" : entry.bytes >= 0 ? formatBytes(entry.bytes) : MISSING}
      </span>
      <span role="gridcell" className="date num">
        {entry.modified > 0 ? formatDate(entry.modified).slice(0, 16) : ""}
      </span>
    </>
  );
}

function Unreadable({ version }: { version: DatasetVersion }) {
  const why = version.root
    ? "Its files lie in a storage that this server cannot read, so only a client with access can list them."
    : "It was written in the layout of the clearml SDK, whose content only a client reads.";
  return (
    <Empty title="The content cannot be listed here">
      <p>{why}</p>
      <Snippet code={`from trialbook import Dataset\n\nDataset.get(dataset_id="${version.id}").list_files()`} />
      <p>
        <Go to={taskPath(version.project_id, version.id, "artifacts")}>Show its stored artifacts</Go>
      </p>
    </Empty>
  );
}
