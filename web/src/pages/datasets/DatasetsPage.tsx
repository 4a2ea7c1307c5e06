import "~/pages/datasets/datasets.css";

import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useDeferredValue, useRef } from "react";

import { useLive } from "~/api/live";
import { call } from "~/api/rpc";
import type { DatasetSummary } from "~/api/types.gen";
import { formatAgo, formatBytes, formatCount, MISSING } from "~/state/format";
import { useCrumbTrail } from "~/state/crumbs";
import * as codec from "~/state/codec";
import { useUserNames } from "~/state/directory";
import { useKeys } from "~/state/keys";
import { datasetPath } from "~/state/links";
import { legible, shownName } from "~/state/names";
import { useView } from "~/state/view";
import { Icon } from "~/theme/icons";
import { Choice } from "~/widgets/Choice";
import { Go } from "~/widgets/Go";
import { NothingHere } from "~/widgets/NothingHere";
import { FIRST_DATASET } from "~/widgets/snippets";
import { Status } from "~/widgets/Status";
import { ErrorPanel, ProgressLine, Skeleton, Snippet } from "~/widgets/states";

const VIEW = {
  q: codec.text(),
  t: codec.list(),
  view: codec.choice("cards", ["cards", "list"] as const),
  s: codec.choice("recent", ["recent", "name", "size"] as const),
};
const MOST = 500;

type Order = "recent" | "name" | "size";
const ORDERS: Record<Order, (a: DatasetSummary, b: DatasetSummary) => number> = {
  // As the server sends them.
  recent: () => 0,
  name: (a, b) => a.name.localeCompare(b.name) || a.project.localeCompare(b.project),
  size: (a, b) => (b.latest.bytes ?? 0) - (a.latest.bytes ?? 0),
};

/** All datasets, each with its newest version. */
export function DatasetsPage() {
  const [view, setView] = useView(VIEW);
  const text = useDeferredValue(view.q.trim());
  const client = useQueryClient();
  const box = useRef<HTMLInputElement>(null);
  const asked = { search_text: text || undefined, tags: [...view.t], page: 0, page_size: MOST };
  const datasets = useQuery({
    queryKey: ["datasets", "summaries", asked],
    queryFn: ({ signal }) => call("datasets.get_summaries", asked, signal),
    placeholderData: keepPreviousData,
  });
  useLive("tasks", () => void client.invalidateQueries({ queryKey: ["datasets", "summaries"] }));
  useCrumbTrail([{ label: "Datasets", to: "/datasets" }]);
  useKeys({ "/": () => box.current?.focus() });
  const found = [...(datasets.data?.datasets ?? [])].sort(ORDERS[view.s]);
  const total = datasets.data?.total ?? 0;
  const filtered = text !== "" || view.t.length > 0;
  const toggleTag = (tag: string) =>
    setView({ t: view.t.includes(tag) ? view.t.filter((one) => one !== tag) : [...view.t, tag] }, "push");
  const tags = [...new Set([...view.t, ...found.flatMap((one) => one.tags)])].sort();
  return (
    <div className="scroll">
      <ProgressLine active={datasets.isFetching && !datasets.isPending} />
      <div className="page stack">
        <div className="row wrap">
          <h1>Datasets</h1>
          <span className="muted num">{datasets.data ? formatCount(total) : ""}</span>
          {total > MOST && (
            <span className="caption num">the {MOST} that changed last; type a part of a name to see others</span>
          )}
          <span className="grow" />
          <label className="search" style={{ width: 260 }}>
            <Icon name="search" size={14} />
            <input
              ref={box}
              className="input"
              placeholder="Name, project, tag  ( / )"
              value={view.q}
              aria-label="Filter datasets"
              onChange={(event) => setView({ q: event.target.value })}
            />
          </label>
          <Choice value={view.s} options={["recent", "name", "size"]} set={(s) => setView({ s })} label="Order" />
          <Choice value={view.view} options={["cards", "list"]} set={(v) => setView({ view: v })} label="Layout" />
        </div>
        {tags.length > 0 && (
          <div className="row wrap" style={{ gap: 4 }} role="group" aria-label="Tags">
            {tags.slice(0, 30).map((tag) => (
              <button
                type="button"
                key={tag}
                className="chip"
                aria-pressed={view.t.includes(tag)}
                onClick={() => toggleTag(tag)}
              >
                <span className="cut">{tag}</span>
              </button>
            ))}
          </div>
        )}
        {datasets.isError && <ErrorPanel error={datasets.error} retry={() => void datasets.refetch()} />}
        {datasets.isPending && (
          <div className="dataset-cards">
            {[0, 1, 2, 3].map((i) => (
              <Skeleton key={i} height={132} />
            ))}
          </div>
        )}
        {datasets.data && found.length === 0 && (
          <NoDataset filtered={filtered} clear={() => setView({ q: "", t: [] }, "push")} />
        )}
        {view.view === "cards" ? (
          <div className="dataset-cards">
            {found.map((dataset) => (
              <Card key={dataset.id} dataset={dataset} />
            ))}
          </div>
        ) : (
          found.length > 0 && <List datasets={found} />
        )}
      </div>
    </div>
  );
}

function NoDataset({ filtered, clear }: { filtered: boolean; clear: () => void }) {
  return (
    <NothingHere noun="dataset" filtered={filtered} clear={clear}>
      <p>A dataset is a folder with versions: each is kept whole, and files that stay the same are stored once.</p>
      <Snippet code={FIRST_DATASET} />
    </NothingHere>
  );
}

function files(count: number | null): string {
  return count === null ? MISSING : `${formatCount(count)} ${count === 1 ? "file" : "files"}`;
}

function Card({ dataset }: { dataset: DatasetSummary }) {
  const users = useUserNames();
  const { latest } = dataset;
  return (
    <Go
      to={datasetPath(dataset.id)}
      className="panel dataset-card"
      title={legible(`${dataset.project} / ${dataset.name}`)}
    >
      <div>
        <div className="row path">
          <span className="cut grow">{dataset.project} /</span>
          <span className="num">{formatAgo(dataset.last_update)}</span>
        </div>
        <h2 className="row">
          <Icon name="dataset" />
          <span className="cut">{shownName(dataset.name)}</span>
        </h2>
      </div>
      <div className="row num">
        <strong>{latest.version || MISSING}</strong>
        <Status status={latest.status} />
        <span className="grow" />
        <span className="muted">
          {dataset.versions} {dataset.versions === 1 ? "version" : "versions"}
        </span>
      </div>
      <div className="row wrap num muted" style={{ gap: "2px 12px" }}>
        <span>{files(latest.files)}</span>
        <span title={latest.bytes === null ? undefined : `${latest.bytes} bytes`}>{formatBytes(latest.bytes)}</span>
        {latest.user && <span className="cut">by {users.get(latest.user) ?? MISSING}</span>}
      </div>
      {dataset.tags.length > 0 && (
        <div className="row foot" style={{ gap: 4, overflow: "hidden" }}>
          {dataset.tags.slice(0, 5).map((tag) => (
            <span key={tag} className="chip" title={tag}>
              <span className="cut">{tag}</span>
            </span>
          ))}
          {dataset.tags.length > 5 && <span className="caption num">+{dataset.tags.length - 5}</span>}
        </div>
      )}
    </Go>
  );
}

function List({ datasets }: { datasets: DatasetSummary[] }) {
  const users = useUserNames();
  return (
    <div className="panel" style={{ overflowX: "auto" }}>
      <table className="plain">
        <thead>
          <tr>
            <th>Dataset</th>
            <th>Newest</th>
            <th>Status</th>
            <th className="right">Versions</th>
            <th className="right">Files</th>
            <th className="right">Size</th>
            <th>Tags</th>
            <th>By</th>
            <th>Updated</th>
          </tr>
        </thead>
        <tbody>
          {datasets.map(({ id, name, project, latest, versions, tags, last_update }) => (
            <tr key={id}>
              <td className="cut" style={{ maxWidth: 420 }}>
                <Go to={datasetPath(id)} title={legible(`${project} / ${name}`)}>
                  <span className="muted">{project} / </span>
                  {shownName(name)}
                </Go>
              </td>
              <td className="num">{latest.version || MISSING}</td>
              <td>
                <Status status={latest.status} />
              </td>
              <td className="right">{formatCount(versions)}</td>
              <td className="right">{latest.files === null ? MISSING : formatCount(latest.files)}</td>
              <td className="right" title={latest.bytes === null ? undefined : `${latest.bytes} bytes`}>
                {formatBytes(latest.bytes)}
              </td>
              <td className="cut" style={{ maxWidth: 180 }} title={tags.join(", ")}>
                {tags.slice(0, 3).map((tag) => (
                  <span key={tag} className="chip" title={tag}>
                    <span className="cut">{tag}</span>
                  </span>
                ))}
              </td>
              <td className="cut" style={{ maxWidth: 120 }}>
                {users.get(latest.user ?? "") ?? MISSING}
              </td>
              <td className="num" title={last_update}>
                {formatAgo(last_update)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
