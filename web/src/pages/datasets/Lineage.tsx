import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef } from "react";

import { call } from "~/api/rpc";
import type { DatasetNode, DatasetVersion } from "~/api/types.gen";
import { formatAgo, formatBytes, formatCount, MISSING } from "~/state/format";
import { Changes } from "~/pages/datasets/Changes";
import { datasetPath, taskPath } from "~/state/links";
import { shownName } from "~/state/names";
import { Go } from "~/widgets/Go";
import { inOrder, laneRows, type LaneRow } from "~/widgets/lanes";
import { Lanes, lanesWidth } from "~/widgets/Lanes";
import { rowsNear, useViewport } from "~/widgets/scroll";
import { Status } from "~/widgets/Status";
import { ErrorPanel, Skeleton } from "~/widgets/states";

const ROW = 34;
const HEAD = 28;

interface UsingTask {
  id: string;
  name: string;
  status: string;
  type: string;
  project: string | null;
}

function newer(a: DatasetNode, b: DatasetNode): number {
  const time = (node: DatasetNode) => (node.version ? Date.parse(node.version.created) : 0);
  return time(b) - time(a) || (a.id < b.id ? -1 : 1);
}

/** Where the version comes from, what descends from it, and which tasks read it. */
export function Lineage({ version }: { version: DatasetVersion }) {
  const graph = useQuery({
    queryKey: ["datasets", "graph", version.id],
    queryFn: ({ signal }) => call("datasets.get_graph", { dataset: version.id }, signal),
  });
  const nodes = useMemo(() => inOrder(graph.data?.nodes ?? [], newer), [graph.data]);
  const rows = useMemo(() => laneRows(nodes), [nodes]);
  const box = useRef<HTMLDivElement>(null);
  const used = (graph.data?.used_by ?? []) as unknown as UsingTask[];
  if (graph.isError)
    return (
      <div className="page">
        <ErrorPanel error={graph.error} retry={() => void graph.refetch()} />
      </div>
    );
  return (
    <div className="scroll" ref={box}>
      <div className="lineage stack">
        {graph.isPending ? (
          <Skeleton height={240} />
        ) : (
          <>
            <section className="panel" aria-label="Lineage">
              <header>
                <h2 className="grow">Versions</h2>
                <span className="muted num">{formatCount(nodes.length)} in its lineage</span>
              </header>
              <History box={box} nodes={nodes} rows={rows} current={version.id} />
            </section>
            <Users tasks={used} />
          </>
        )}
      </div>
    </div>
  );
}

interface HistoryProps {
  box: React.RefObject<HTMLDivElement | null>;
  nodes: readonly DatasetNode[];
  rows: readonly LaneRow[];
  current: string;
}

function History({ box, nodes, rows, current }: HistoryProps) {
  const view = useViewport(box);
  const width = lanesWidth(rows) + 8;
  // A version deep in a long history is looked for at once.
  const at = nodes.findIndex((node) => node.id === current);
  useEffect(() => {
    const element = box.current;
    if (element && (at + 4) * ROW > element.clientHeight) element.scrollTop = at * ROW - element.clientHeight / 2;
  }, [at, box]);
  const [first, last] = rowsNear(view, { total: nodes.length, height: ROW, head: 60, spare: 10, unmeasured: 800 });
  return (
    <div className="history" role="table" aria-rowcount={nodes.length + 1}>
      <div className="history-row head" role="row" style={{ height: HEAD, paddingLeft: width }}>
        <span role="columnheader">Version</span>
        <span role="columnheader">Status</span>
        <span role="columnheader">Changes</span>
        <span role="columnheader" className="right">
          Files
        </span>
        <span role="columnheader" className="right">
          Size
        </span>
        <span role="columnheader">Made</span>
      </div>
      <div style={{ height: nodes.length * ROW, position: "relative" }} role="rowgroup">
        {nodes.slice(first, last).map((node, i) => {
          const one = node.version;
          return (
            <div
              key={node.id}
              className="history-row"
              role="row"
              aria-rowindex={first + i + 2}
              data-current={node.id === current}
              data-version={node.id}
              style={{
                top: (first + i) * ROW,
                height: ROW,
                position: "absolute",
                left: 0,
                right: 0,
                paddingLeft: width,
              }}
            >
              <Lanes
                row={rows[first + i] as LaneRow}
                height={ROW}
                width={width}
                current={node.id === current}
                faint={node.gone}
              />
              <span role="cell" className="cut">
                {one ? (
                  <Go to={datasetPath(one.project_id, one.id, "lineage")} title={`${one.project} / ${one.name}`}>
                    {shownName(one.name)} <strong className="num">{one.version}</strong>
                  </Go>
                ) : (
                  <span className="muted">
                    deleted <span className="mono">{node.id.slice(0, 8)}</span>
                  </span>
                )}
              </span>
              <span role="cell">{one && <Status status={one.status} />}</span>
              <span role="cell">{one && <Changes counts={one.changes} />}</span>
              <span role="cell" className="right num">
                {one?.files != null ? formatCount(one.files) : MISSING}
              </span>
              <span role="cell" className="right num">
                {formatBytes(one?.bytes)}
              </span>
              <span role="cell" className="num" title={one?.created}>
                {formatAgo(one?.created)}
              </span>
            </div>
          );
        })}
      </div>
    </div>
  );
}

function Users({ tasks }: { tasks: readonly UsingTask[] }) {
  return (
    <section className="panel" aria-label="Used by">
      <header>
        <h2 className="grow">Used by</h2>
        <span className="muted num">
          {formatCount(tasks.length)} {tasks.length === 1 ? "task" : "tasks"}
        </span>
      </header>
      {tasks.length === 0 ? (
        <p className="body muted">No task has read this version. One that calls Dataset.get appears here by itself.</p>
      ) : (
        <table className="plain">
          <tbody>
            {tasks.map((task) => (
              <tr key={task.id}>
                <td style={{ width: 120 }}>
                  <Status status={task.status} />
                </td>
                <td className="cut">
                  <Go to={taskPath(task.project, task.id)}>{shownName(task.name)}</Go>
                </td>
                <td className="muted">{task.type.replaceAll("_", " ")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
