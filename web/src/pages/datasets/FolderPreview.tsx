import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";

import { call } from "~/api/rpc";
import type { ContentEntry, DatasetVersion } from "~/api/types.gen";
import { formatBytes, formatCount } from "~/state/format";
import { fileBytes } from "~/pages/datasets/fileBytes";
import { kindOf } from "~/pages/datasets/fileKinds";
import { useObjectUrl } from "~/pages/datasets/FilePreview";
import { join } from "~/pages/datasets/tree";
import { legible } from "~/state/names";
import { ErrorPanel, Skeleton } from "~/widgets/states";

const PAGE = 200;
// A picture of the whole size is fetched for each thumbnail, so large ones only show on a click.
const LARGEST = 4 << 20;

interface Props {
  version: DatasetVersion;
  folder: string;
  enter: (folder: string) => void;
  show: (path: string) => void;
}

/** What is in a folder, by kind; its pictures as a grid. */
export function FolderPreview({ version, folder, enter, show }: Props) {
  const [pages, setPages] = useState(1);
  const found = useQuery({
    queryKey: ["dataset-folder", version.id, folder, pages],
    queryFn: ({ signal }) =>
      call(
        "datasets.get_content",
        { dataset: version.id, folder, against: "", page: 0, page_size: PAGE * pages },
        signal,
      ),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
  if (found.isPending)
    return (
      <div className="body">
        <Skeleton height={160} />
      </div>
    );
  if (found.isError) return <ErrorPanel error={found.error} retry={() => void found.refetch()} />;
  const { entries, total, files, bytes } = found.data;
  const pictures = entries.filter(
    (entry) => entry.kind === "file" && kindOf(entry.name) === "image" && entry.bytes <= LARGEST,
  );
  const endings = new Map<string, number>();
  for (const entry of entries) {
    if (entry.kind === "folder") continue;
    const ending = /\.[^.]+$/.exec(entry.name)?.[0]?.toLowerCase() ?? "no ending";
    endings.set(ending, (endings.get(ending) ?? 0) + 1);
  }
  const kinds = [...endings].sort((a, b) => b[1] - a[1]).slice(0, 6);
  return (
    <>
      <dl className="facts body num">
        <dt>Files below</dt>
        <dd>{formatCount(files)}</dd>
        <dt>Size</dt>
        <dd title={`${bytes} bytes`}>{formatBytes(bytes)}</dd>
        <dt>In it</dt>
        <dd>
          {formatCount(total)} {total === 1 ? "entry" : "entries"}
        </dd>
        {kinds.length > 0 && (
          <>
            <dt>Kinds{total > entries.length ? ` (first ${entries.length})` : ""}</dt>
            <dd>{kinds.map(([ending, count]) => `${ending} ${formatCount(count)}`).join(", ")}</dd>
          </>
        )}
      </dl>
      <div className="body" style={{ paddingTop: 0 }}>
        <button type="button" className="button" onClick={() => enter(folder)}>
          Open as the top
        </button>
      </div>
      {pictures.length > 0 && (
        <div className="thumbs body">
          {pictures.map((entry) => (
            <Thumb key={entry.name} version={version.id} path={join(folder, entry.name)} entry={entry} show={show} />
          ))}
        </div>
      )}
      {pictures.length > 0 && total > entries.length && (
        <div className="body">
          <button type="button" className="button" onClick={() => setPages(pages + 1)}>
            More pictures
          </button>
        </div>
      )}
    </>
  );
}

/** A picture that is fetched when it comes into view. */
function Thumb({
  version,
  path,
  entry,
  show,
}: {
  version: string;
  path: string;
  entry: ContentEntry;
  show: (path: string) => void;
}) {
  const box = useRef<HTMLButtonElement>(null);
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    const watcher = new IntersectionObserver((found) => found.some((one) => one.isIntersecting) && setSeen(true), {
      rootMargin: "200px",
    });
    if (box.current) watcher.observe(box.current);
    return () => watcher.disconnect();
  }, []);
  const file = useQuery({
    queryKey: ["dataset-file", version, path, "thumb"],
    queryFn: ({ signal }) => fileBytes(version, path, undefined, signal),
    enabled: seen,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
  });
  const url = useObjectUrl(file.data, /\.png$/i.test(path) ? "image/png" : "image/jpeg");
  return (
    <button
      ref={box}
      type="button"
      className="thumb"
      title={`${legible(entry.name)}, ${formatBytes(entry.bytes)}`}
      onClick={() => show(path)}
    >
      {url ? (
        <img src={url} alt={legible(entry.name)} />
      ) : (
        <span className={file.isError ? "muted" : "skeleton"}>{file.isError ? "not readable" : ""}</span>
      )}
    </button>
  );
}
