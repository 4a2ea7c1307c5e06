import { drawnText, plainText } from "~/charts/markup";
import { filePlace } from "~/state/files";
import { colourway, type ThemeName } from "~/theme/palette";
import type { TableValue } from "~/widgets/DataTable";

/** A figure as any task may have written it: hostile until it has been through `readFigure`. */
export interface Figure {
  traces: Record<string, unknown>[];
  layout: Record<string, unknown>;
  tables: { name: string; columns: string[]; rows: TableValue[][] }[];
  deep: boolean;
  /** Trace types that neither bundle draws. */
  unknown: string[];
}

const FLAT = new Set([
  "scatter",
  "bar",
  "box",
  "heatmap",
  "histogram",
  "histogram2d",
  "histogram2dcontour",
  "contour",
  "image",
  "pie",
  "violin",
  "scatterternary",
]);
const DEEP = new Set(["scatter3d", "surface", "mesh3d", "isosurface", "volume", "cone", "streamtube"]);
const SAME: Record<string, string> = { scattergl: "scatter", heatmapgl: "heatmap" };

type Json = Record<string, unknown>;

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Texts as `drawnText` has them. Pictures may come from this server or be part of the figure, never from elsewhere. */
function clean(value: unknown, key = ""): unknown {
  if (typeof value === "string") {
    if (key === "source")
      return /^data:image\/(png|jpe?g|gif|webp);/.test(value) ? value : (filePlace(value).href ?? "");
    return drawnText(value, key === "hovertemplate");
  }
  if (Array.isArray(value))
    return value.length > 0 && typeof value[0] === "number" ? value : value.map((item) => clean(item, key));
  if (!isObject(value)) return value;
  const out: Json = {};
  for (const [name, inner] of Object.entries(value)) {
    if (name === "__proto__" || name === "customdata" || name === "meta") continue;
    // Typed arrays travel as base64 text that is not text for people.
    out[name] = name === "bdata" ? inner : clean(inner, name);
  }
  return out;
}

const READERS: Record<string, (view: DataView, at: number) => number> = {
  f8: (view, at) => view.getFloat64(at, true),
  f4: (view, at) => view.getFloat32(at, true),
  i4: (view, at) => view.getInt32(at, true),
  u4: (view, at) => view.getUint32(at, true),
  i2: (view, at) => view.getInt16(at, true),
  u2: (view, at) => view.getUint16(at, true),
  i1: (view, at) => view.getInt8(at),
  u1: (view, at) => view.getUint8(at),
};

function column(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  if (!isObject(value) || typeof value["bdata"] !== "string") return [];
  const type = String(value["dtype"]).replace(/[<>=|]/, "");
  const read = READERS[type];
  if (!read) return [];
  const bytes = Uint8Array.from(atob(value["bdata"]), (mark) => mark.charCodeAt(0));
  const size = Number(type[1]);
  const view = new DataView(bytes.buffer);
  return Array.from({ length: Math.floor(bytes.length / size) }, (_, i) => read(view, i * size));
}

function cellValue(value: unknown): TableValue {
  if (value === null || value === undefined) return null;
  if (typeof value === "number" || typeof value === "boolean") return value;
  const text = String(value);
  return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}

function tableOf(trace: Json, name: string): Figure["tables"][number] {
  const header = isObject(trace["header"]) ? column(trace["header"]["values"]) : [];
  const cells = isObject(trace["cells"]) ? column(trace["cells"]["values"]).map(column) : [];
  const columns = header.map((one) => plainText(Array.isArray(one) ? one.join(" ") : String(one ?? "")));
  const length = Math.max(0, ...cells.map((one) => one.length));
  const width = Math.max(columns.length, cells.length);
  while (columns.length < width) columns.push("");
  const rows = Array.from({ length }, (_, r) => Array.from({ length: width }, (_, c) => cellValue(cells[c]?.[r])));
  return { name, columns, rows };
}

/** Reads and cleans a figure; throws when the text is none. */
export function readFigure(text: string, name: string): Figure {
  const parsed: unknown = JSON.parse(text);
  if (!isObject(parsed)) throw new Error("this plot is not a figure: it has no data");
  const data = Array.isArray(parsed["data"]) ? parsed["data"] : isObject(parsed["data"]) ? [parsed["data"]] : null;
  if (!data) throw new Error("this plot is not a figure: it has no data");
  const figure: Figure = { traces: [], layout: {}, tables: [], deep: false, unknown: [] };
  for (const raw of data) {
    if (!isObject(raw)) continue;
    const type = SAME[String(raw["type"] ?? "scatter")] ?? String(raw["type"] ?? "scatter");
    if (type === "table") {
      figure.tables.push(tableOf(raw, name));
      continue;
    }
    if (!FLAT.has(type) && !DEEP.has(type)) {
      figure.unknown.push(type);
      continue;
    }
    figure.deep ||= DEEP.has(type);
    figure.traces.push({ ...(clean(raw) as Json), type });
  }
  const layout = isObject(parsed["layout"]) ? (clean(parsed["layout"]) as Json) : {};
  // A template is somebody's default look; ours follows the theme. What the figure sets itself stays.
  delete layout["template"];
  delete layout["updatemenus"];
  delete layout["width"];
  delete layout["height"];
  figure.layout = layout;
  return figure;
}

/** The theme as a Plotly template. */
export function templateOf(theme: ThemeName): Json {
  const dark = theme === "dark";
  const line = dark ? "#2D3643" : "#D8DEE6";
  const axis = { gridcolor: line, zerolinecolor: line, linecolor: line, automargin: true };
  const text = dark ? "#E6EAF0" : "#161B22";
  const scale = dark
    ? [
        [0, "#1B2430"],
        [0.5, "#2E5A8C"],
        [1, "#9CCBFF"],
      ]
    : [
        [0, "#F4F8FD"],
        [0.5, "#6FA8E6"],
        [1, "#063E80"],
      ];
  const bar = { thickness: 10, outlinewidth: 0, len: 0.9 };
  const heat = { colorscale: scale, colorbar: bar, xgap: 1, ygap: 1 };
  return {
    layout: {
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: text, size: 12, family: "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif" },
      colorway: colourway(theme),
      title: { font: { size: 13 }, x: 0.02, xanchor: "left" },
      xaxis: axis,
      yaxis: axis,
      scene: {
        xaxis: { gridcolor: line, color: text },
        yaxis: { gridcolor: line, color: text },
        zaxis: { gridcolor: line, color: text },
      },
      margin: { l: 48, r: 16, t: 36, b: 40 },
      hoverlabel: { font: { size: 12 } },
    },
    data: {
      heatmap: [heat],
      histogram2d: [heat],
      contour: [heat],
      surface: [{ colorscale: scale, colorbar: bar }],
    },
  };
}
