import { useQuery } from "@tanstack/react-query";

import type { Artifact } from "~/api/types.gen";
import { filePlace } from "~/state/files";
import { parseCsv } from "~/state/csv";
import { DataTable } from "~/widgets/DataTable";
import { Skeleton } from "~/widgets/states";

const MOST = 512 * 1024;
const TEXT = /\.(txt|log|md|py|sh|ya?ml|toml|ini|cfg|html?|xml|tex|conf)$/i;
const PICTURE = /\.(png|jpe?g|gif|webp|bmp|svg)$/i;

/** What is in an artifact: a picture, a table, JSON or text; else what the run itself wrote as a preview. */
export function Preview({ artifact }: { artifact: Artifact }) {
  const { href } = filePlace(artifact.uri);
  const path = (href ?? "").split("?")[0] ?? "";
  const size = artifact.content_size ?? 0;
  if (href && PICTURE.test(path)) {
    return (
      <div className="body preview">
        <img src={href} alt={artifact.key} loading="lazy" />
      </div>
    );
  }
  if (href && size > 0 && size <= MOST && /\.(csv|tsv|json|jsonl)$/i.test(path))
    return <Fetched href={href} path={path} artifact={artifact} />;
  if (href && size > 0 && size <= MOST && TEXT.test(path))
    return <Fetched href={href} path={path} artifact={artifact} />;
  return <Written artifact={artifact} />;
}

function Written({ artifact }: { artifact: Artifact }) {
  const text = artifact.type_data?.["preview"];
  if (typeof text !== "string" || !text)
    return <p className="body muted">There is no preview; download it to look inside.</p>;
  const rows =
    artifact.type === "pandas" || artifact.type_data?.["content_type"] === "text/csv" ? parseCsv(text) : null;
  if (rows && rows.length > 1) return <TableOf name={artifact.key} rows={rows} />;
  return <pre className="code">{text}</pre>;
}

function Fetched({ href, path, artifact }: { href: string; path: string; artifact: Artifact }) {
  const file = useQuery({
    queryKey: ["file", href, artifact.hash],
    queryFn: async ({ signal }) => {
      const response = await fetch(href, { signal, credentials: "same-origin" });
      if (!response.ok) throw new Error(`the file answered ${response.status}`);
      return response.text();
    },
    staleTime: 60_000,
  });
  if (file.isPending)
    return (
      <div className="body">
        <Skeleton height={160} />
      </div>
    );
  if (file.isError) {
    return (
      <>
        <p className="body muted">The file could not be opened ({file.error.message}).</p>
        <Written artifact={artifact} />
      </>
    );
  }
  if (/\.[ct]sv$/i.test(path))
    return <TableOf name={artifact.key} rows={parseCsv(file.data, path.endsWith("tsv") ? "\t" : ",")} />;
  return <pre className="code">{/\.json$/i.test(path) ? pretty(file.data) : file.data}</pre>;
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function TableOf({ name, rows }: { name: string; rows: string[][] }) {
  const [head = [], ...body] = rows;
  const typed = body.map((row) =>
    row.map((cell) => (cell !== "" && Number.isFinite(Number(cell)) ? Number(cell) : cell)),
  );
  return <DataTable name={name} columns={head} rows={typed} height={520} />;
}
