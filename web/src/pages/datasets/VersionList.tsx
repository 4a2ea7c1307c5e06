import { useEffect, useMemo, useRef } from "react";

import type { DatasetVersion } from "~/api/types.gen";
import { formatAgo } from "~/state/format";
import { Changes } from "~/pages/datasets/Changes";
import { newestFirst } from "~/pages/datasets/data";
import { datasetPath, type VersionTab } from "~/state/links";
import { masked } from "~/state/secrets";
import { Go } from "~/widgets/Go";
import { inOrder, laneRows } from "~/widgets/lanes";
import { Lanes, lanesWidth } from "~/widgets/Lanes";
import { rowsNear, useViewport } from "~/widgets/scroll";
import { Status } from "~/widgets/Status";

const ROW = 40;

interface Props {
  current: string;
  versions: readonly DatasetVersion[];
  tab: VersionTab;
}

/** All versions of the dataset, with the lines between them; only those in view are in the page. */
export function VersionList({ current, versions, tab }: Props) {
  const box = useRef<HTMLElement>(null);
  const view = useViewport(box);
  const ordered = useMemo(() => {
    const known = new Set(versions.map((one) => one.id));
    // Versions of other datasets are shown by the lineage; here their lines would lead nowhere.
    const nodes = versions.map((version) => ({
      id: version.id,
      parents: version.parents.filter((id) => known.has(id)),
      version,
    }));
    return inOrder(nodes, (a, b) => newestFirst(a.version, b.version));
  }, [versions]);
  const rows = useMemo(() => laneRows(ordered), [ordered]);
  const width = lanesWidth(rows);
  const at = ordered.findIndex((node) => node.id === current);
  useEffect(() => {
    const element = box.current;
    const [top, bottom] = [at * ROW, (at + 1) * ROW];
    if (element && at >= 0 && (top < element.scrollTop || bottom > element.scrollTop + element.clientHeight)) {
      element.scrollTop = top - element.clientHeight / 2;
    }
  }, [at]);
  const [first, last] = rowsNear(view, { total: ordered.length, height: ROW, unmeasured: 800 });
  return (
    <nav className="version-list" aria-label="Versions" ref={box}>
      <div style={{ height: ordered.length * ROW, position: "relative" }}>
        {ordered.slice(first, last).map(({ id, version }, i) => (
          <Go
            key={id}
            to={datasetPath(version.project_id, id, tab)}
            className="version-row"
            aria-current={id === current ? "page" : undefined}
            style={{ top: (first + i) * ROW, height: ROW }}
            title={masked(version.comment ?? "") || undefined}
          >
            <Lanes
              row={rows[first + i] as (typeof rows)[number]}
              height={ROW}
              width={width}
              current={id === current}
              faint={version.archived}
            />
            <span className="stack grow" style={{ gap: 0 }}>
              <span className="row">
                <strong className="cut num">{version.version || id.slice(0, 8)}</strong>
                {version.status !== "completed" && <Status status={version.status} />}
              </span>
              <span className="row caption">
                <span className="num">{formatAgo(version.created)}</span>
                <Changes counts={version.changes} />
              </span>
            </span>
          </Go>
        ))}
      </div>
    </nav>
  );
}
