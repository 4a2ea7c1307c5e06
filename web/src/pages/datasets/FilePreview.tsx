import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";

import { formatBytes, formatCount } from "~/state/format";
import { fileBytes } from "~/pages/datasets/fileBytes";
import { type FileKind, kindOf, npyHeader, tableOf } from "~/pages/datasets/fileKinds";
import { ColumnStatistics } from "~/widgets/ColumnStatistics";
import { DataTable } from "~/widgets/DataTable";
import { ErrorPanel, Skeleton } from "~/widgets/states";

const MIB = 1 << 20;
// How much is fetched for a look: a picture must be whole, of a text the beginning will do.
const LIMITS: Record<FileKind, number> = {
  image: 24 * MIB,
  audio: 48 * MIB,
  video: 96 * MIB,
  table: MIB,
  lines: MIB,
  json: MIB,
  text: 256 * 1024,
  array: 4096,
  other: 4096,
};
const WHOLE: readonly FileKind[] = ["image", "audio", "video"];

/** A look into one file, by what it is. */
export function FilePreview({ version, path, bytes }: { version: string; path: string; bytes: number }) {
  const kind = kindOf(path);
  const limit = LIMITS[kind];
  const tooBig = WHOLE.includes(kind) && bytes > limit;
  const file = useQuery({
    queryKey: ["dataset-file", version, path, limit],
    queryFn: ({ signal }) => fileBytes(version, path, WHOLE.includes(kind) ? undefined : limit, signal),
    enabled: bytes > 0 && !tooBig,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
  });
  if (bytes === 0) return <p className="body muted">The file is empty.</p>;
  if (tooBig)
    return (
      <p className="body muted">
        Above {formatBytes(limit)} a {kind} is not shown here; download it.
      </p>
    );
  if (file.isError) return <ErrorPanel error={file.error} retry={() => void file.refetch()} />;
  if (file.isPending)
    return (
      <div className="body">
        <Skeleton height={160} />
      </div>
    );
  if (kind === "image" || kind === "audio" || kind === "video")
    return <Media kind={kind} data={file.data} path={path} />;
  if (kind === "array") return <Shape data={file.data} />;
  return <Words kind={kind} data={file.data} path={path} cut={bytes > file.data.byteLength} whole={bytes} />;
}

const TYPES: Record<string, string> = {
  png: "image/png",
  gif: "image/gif",
  webp: "image/webp",
  bmp: "image/bmp",
  avif: "image/avif",
};

function Media({ kind, data, path }: { kind: "image" | "audio" | "video"; data: ArrayBuffer; path: string }) {
  const ending = path.split(".").pop()?.toLowerCase() ?? "";
  const url = useObjectUrl(data, kind === "image" ? (TYPES[ending] ?? "image/jpeg") : "");
  const [size, setSize] = useState("");
  const [broken, setBroken] = useState(false);
  if (!url) return null;
  if (broken)
    return (
      <p className="body muted">
        This browser cannot show it: the {kind} is damaged, or of a kind that it does not know.
      </p>
    );
  const fail = () => setBroken(true);
  return (
    <div className="body preview stack" style={{ gap: 4 }}>
      {kind === "image" && (
        <img
          src={url}
          alt={path}
          onError={fail}
          onLoad={(event) => setSize(`${event.currentTarget.naturalWidth} × ${event.currentTarget.naturalHeight} px`)}
        />
      )}
      {kind === "audio" && <audio src={url} controls onError={fail} />}
      {kind === "video" && <video src={url} controls onError={fail} />}
      {size && <span className="caption num">{size}</span>}
    </div>
  );
}

/** An address for bytes, for as long as they are shown. */
export function useObjectUrl(data: ArrayBuffer | undefined, type: string): string | null {
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    if (!data) return;
    const made = URL.createObjectURL(new Blob([data], { type }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [data, type]);
  return url;
}

function Shape({ data }: { data: ArrayBuffer }) {
  const header = npyHeader(data);
  if (!header) return <p className="body muted">The beginning is not that of a NumPy array.</p>;
  return (
    <dl className="facts body num">
      <dt>Shape</dt>
      <dd>{header.shape || "a single value"}</dd>
      <dt>Type</dt>
      <dd>
        <code>{header.type}</code>
      </dd>
      <dt>Order</dt>
      <dd>{header.fortran ? "columns first (Fortran)" : "rows first (C)"}</dd>
    </dl>
  );
}

interface WordsProps {
  kind: FileKind;
  data: ArrayBuffer;
  path: string;
  cut: boolean;
  whole: number;
}

function Words({ kind, data, path, cut, whole }: WordsProps) {
  const text = useMemo(() => decoded(data, cut), [data, cut]);
  const table = useMemo(
    () => (text !== null && (kind === "table" || kind === "lines") ? tableOf(text, path, cut) : null),
    [text, kind, path, cut],
  );
  if (text === null && /\.parquet$/i.test(path)) {
    return (
      <p className="body muted">
        The browser does not read Parquet. The first rows are among the previews, if this version brought the file and
        its writer has pyarrow.
      </p>
    );
  }
  if (text === null)
    return <p className="body muted">There is no preview of this kind of file; download it to look inside.</p>;
  if (table && table.rows.length > 0) {
    const note = cut ? `of the first ${formatCount(table.rows.length)} rows` : `${formatCount(table.rows.length)} rows`;
    return (
      <>
        <h3 className="body" style={{ paddingBottom: 0 }}>
          Columns <span className="caption num">{note}</span>
        </h3>
        <ColumnStatistics columns={table.columns} rows={table.rows} />
        <h3 className="body" style={{ paddingBottom: 0 }}>
          Rows
        </h3>
        <DataTable name={path.split("/").pop() ?? "table"} columns={table.columns} rows={table.rows} height={420} />
      </>
    );
  }
  return (
    <>
      {cut && (
        <p className="body caption num" style={{ paddingBottom: 0 }}>
          The first {formatBytes(data.byteLength)} of {formatBytes(whole)}.
        </p>
      )}
      <pre className="code">{kind === "json" && !cut ? pretty(text) : text}</pre>
    </>
  );
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** The text of bytes, or null when they are none. Where they were cut, half a character may stand at the end. */
function decoded(data: ArrayBuffer, cut: boolean): string | null {
  const bytes = new Uint8Array(data);
  if (bytes.subarray(0, 8192).includes(0)) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: cut });
  } catch {
    return null;
  }
}
