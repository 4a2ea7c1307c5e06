import { parseCsv } from "~/state/csv";
import type { TableValue } from "~/widgets/DataTable";
import { parseJsonLines, typedRows } from "~/widgets/columnStatistics";

export type FileKind = "image" | "audio" | "video" | "table" | "lines" | "json" | "text" | "array" | "other";

const KINDS: [RegExp, FileKind][] = [
  [/\.(png|jpe?g|gif|webp|bmp|avif)$/i, "image"],
  [/\.(wav|mp3|ogg|flac|m4a|aac|opus)$/i, "audio"],
  [/\.(mp4|webm|mov|m4v|ogv)$/i, "video"],
  [/\.(csv|tsv)$/i, "table"],
  [/\.(jsonl|ndjson)$/i, "lines"],
  [/\.json$/i, "json"],
  [/\.npy$/i, "array"],
  [/\.(txt|log|md|rst|py|sh|ya?ml|toml|ini|cfg|conf|xml|html?|css|js|ts|tex|sql|svg|r|c|h|cpp|java|go|rs)$/i, "text"],
];

/** What a file is, by its name. Others are looked at: they may be text. */
export function kindOf(path: string): FileKind {
  return KINDS.find(([shape]) => shape.test(path))?.[1] ?? "other";
}

/** Columns and rows of a text; a last line that may be cut in the middle is left out. */
export function tableOf(text: string, path: string, cut: boolean): { columns: string[]; rows: TableValue[][] } | null {
  const whole = cut ? text.slice(0, text.lastIndexOf("\n") + 1) : text;
  if (kindOf(path) === "lines") return parseJsonLines(whole);
  const [columns = [], ...rows] = parseCsv(
    whole.replace(/^\uFEFF/, ""),
    /\.tsv$/i.test(path) ? "\t" : separatorOf(whole),
  );
  return columns.length ? { columns, rows: typedRows(rows) } : null;
}

/** Comma, semicolon or tab: whichever the first line has most of. */
function separatorOf(text: string): string {
  const line = text.slice(0, text.indexOf("\n") >>> 0);
  return [",", ";", "\t"].reduce((best, one) => (line.split(one).length > line.split(best).length ? one : best));
}

/** What the first bytes of a NumPy file say of the array, or null. */
export function npyHeader(data: ArrayBuffer): { type: string; shape: string; fortran: boolean } | null {
  const view = new DataView(data);
  if (data.byteLength < 12 || view.getUint8(0) !== 0x93 || view.getUint32(1) !== 0x4e554d50) return null;
  const large = view.getUint8(6) > 1;
  const start = large ? 12 : 10;
  const length = large ? view.getUint32(8, true) : view.getUint16(8, true);
  const text = new TextDecoder("latin1").decode(new Uint8Array(data, start, Math.min(length, data.byteLength - start)));
  const type = /'descr':\s*(?:'([^']*)'|(\[.*?\]))\s*,/.exec(text);
  const shape = /'shape':\s*\(([^)]*)\)/.exec(text)?.[1];
  if (!type || shape === undefined) return null;
  const sizes = shape
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean);
  return { type: type[1] ?? type[2] ?? "", shape: sizes.join(" × "), fortran: /'fortran_order':\s*True/.test(text) };
}
