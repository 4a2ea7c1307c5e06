import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { call } from "~/api/rpc";
import type { ContentEntry, DatasetVersion } from "~/api/types.gen";
import { formatBytes, formatCount, formatDate, MISSING } from "~/state/format";
import { MARKS } from "~/pages/datasets/Changes";
import { fileBytes } from "~/pages/datasets/fileBytes";
import { FilePreview } from "~/pages/datasets/FilePreview";
import { FolderPreview } from "~/pages/datasets/FolderPreview";
import { saveFile } from "~/state/download";
import { legible } from "~/state/names";
import { toastError } from "~/state/toasts";
import { Icon } from "~/theme/icons";
import { CopyButton, ErrorPanel, Skeleton } from "~/widgets/states";

interface Props {
  version: DatasetVersion;
  /** A folder ends with a slash. */
  path: string;
  against: string | undefined;
  close: () => void;
  enter: (folder: string) => void;
  show: (path: string) => void;
}

/** What is known of one file or folder, and a look inside. */
export function FilePanel({ version, path, against, close, enter, show }: Props) {
  const folder = path.endsWith("/");
  const name = path.replace(/\/$/, "").split("/").pop() ?? path;
  return (
    <aside className="file-panel" aria-label={`${folder ? "Folder" : "File"} ${legible(name)}`}>
      <header>
        <Icon name={folder ? "folder" : "file"} />
        <h2 className="grow cut" title={legible(path)}>
          {legible(name)}
        </h2>
        <CopyButton text={path.replace(/\/$/, "")} label="Copy the path" />
        <button type="button" className="icon-button" aria-label="Close" title="Close (Esc)" onClick={close}>
          <Icon name="close" size={14} />
        </button>
      </header>
      {folder ? (
        <FolderPreview version={version} folder={path.slice(0, -1)} enter={enter} show={show} />
      ) : (
        <OneFile version={version} path={path} name={name} against={against} />
      )}
    </aside>
  );
}

function OneFile({
  version,
  path,
  name,
  against,
}: {
  version: DatasetVersion;
  path: string;
  name: string;
  against: string | undefined;
}) {
  const folder = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "";
  const found = useQuery({
    queryKey: ["dataset-entry", version.id, path, against],
    // The folder's own filter finds it by name; names that contain this one are passed over.
    queryFn: ({ signal }) =>
      call(
        "datasets.get_content",
        { dataset: version.id, folder, against, pattern: name, page: 0, page_size: 10_000 },
        signal,
      ),
    select: (reply) => reply.entries.find((entry) => entry.name === name && entry.kind !== "folder") ?? null,
    staleTime: 60_000,
  });
  if (found.isPending)
    return (
      <div className="body">
        <Skeleton height={120} />
      </div>
    );
  if (found.isError) return <ErrorPanel error={found.error} retry={() => void found.refetch()} />;
  const entry = found.data;
  if (!entry) return <p className="body muted">This version has no file of this name.</p>;
  return (
    <>
      <dl className="facts body num">
        <dt>Path</dt>
        <dd>{legible(path)}</dd>
        {entry.change && (
          <>
            <dt>Change</dt>
            <dd data-change={entry.change}>{MARKS[entry.change] ?? entry.change}</dd>
          </>
        )}
        {entry.kind === "link" ? (
          <>
            <dt>Link to</dt>
            <dd>{entry.link || MISSING}</dd>
          </>
        ) : (
          entry.change !== "removed" && <Facts entry={entry} />
        )}
      </dl>
      {entry.change === "removed" ? (
        <p className="body muted">It was removed: the version that this one is compared with still has it.</p>
      ) : entry.kind === "link" ? (
        <p className="body muted">A link is kept by its address; its bytes are not stored here.</p>
      ) : (
        <>
          <div className="body" style={{ paddingTop: 0 }}>
            <Download version={version} path={path} name={name} bytes={entry.bytes} />
          </div>
          <FilePreview version={version.id} path={path} bytes={entry.bytes} />
        </>
      )}
    </>
  );
}

function Facts({ entry }: { entry: ContentEntry }) {
  return (
    <>
      <dt>Size</dt>
      <dd title={`${entry.bytes} bytes`}>
        {formatBytes(entry.bytes)}
        {entry.bytes >= 1024 ? ` (${formatCount(entry.bytes)} bytes)` : ""}
      </dd>
      {entry.modified > 0 && (
        <>
          <dt>Modified</dt>
          <dd>{formatDate(entry.modified)}</dd>
        </>
      )}
      {entry.hash && (
        <>
          <dt>Hash</dt>
          <dd className="row">
            <code className="cut" title={entry.hash}>
              {entry.hash}
            </code>
            <CopyButton text={entry.hash} label="Copy the hash" />
          </dd>
        </>
      )}
    </>
  );
}

function Download({
  version,
  path,
  name,
  bytes,
}: {
  version: DatasetVersion;
  path: string;
  name: string;
  bytes: number;
}) {
  const [busy, setBusy] = useState(false);
  const download = () => {
    setBusy(true);
    fileBytes(version.id, path)
      .then((data) => saveFile(name, new Blob([data])), toastError)
      .finally(() => setBusy(false));
  };
  return (
    <button type="button" className="button" disabled={busy} onClick={download}>
      <Icon name="download" size={13} />
      {busy ? "Loading…" : `Download ${formatBytes(bytes)}`}
    </button>
  );
}
