/** Numbers, times and sizes as people read them. Missing is always a dash, never a zero. */

const THIN = "\u2009";
export const MISSING = "–";

function grouped(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+(?!\d))/g, THIN);
}

/** 4 significant digits; `1.23e-5` under 1e-4 and from 1e7; integers grouped. */
export function formatNumber(value: number | null | undefined, digits = 4): string {
  if (value === null || value === undefined) return MISSING;
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const sign = value < 0 ? "−" : "";
  if (Number.isInteger(value) && size < 1e7) return sign + grouped(String(size));
  if (size < 1e-4 || size >= 1e7) return sign + size.toExponential(digits - 2).replace("e+", "e");
  const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(size)));
  const [whole = "0", part] = size.toFixed(Math.min(decimals, 10)).split(".");
  return sign + grouped(whole) + (part ? `.${part}` : "");
}

/** Like `formatNumber`, without the zeros that only fill up digits: for a number that stands alone. */
export function formatShort(value: number | null | undefined, digits = 6): string {
  const text = formatNumber(value, digits);
  if (!text.includes(".")) return text;
  const [number = "", power] = text.split("e");
  return number.replace(/0+$/, "").replace(/\.$/, "") + (power === undefined ? "" : `e${power}`);
}

/** A parameter as a table shows it: a long fraction to four significant digits, whole numbers and words as they are. */
export function formatParameter(text: string): string {
  if (text.length <= 7 || !/^[+-]?(\d+\.\d*|\.\d+|\d+(?=e))(e[+-]?\d+)?$/i.test(text)) return text;
  const value = Number(text);
  if (!Number.isFinite(value) || Number.isInteger(value)) return text;
  // A power takes one of the digits for itself.
  return formatShort(value, Math.abs(value) < 1e-4 || Math.abs(value) >= 1e7 ? 5 : 4);
}

/** Tick labels of one axis: as many decimals as the steps between them need, and no more. */
export function formatTicks(ticks: readonly (number | null)[]): string[] {
  const some = ticks.filter((tick): tick is number => tick !== null && tick !== 0);
  const largest = Math.max(0, ...some.map(Math.abs));
  const plain = largest === 0 || (largest < 1e6 && Math.min(...some.map(Math.abs)) >= 1e-4);
  return ticks.map((tick) => {
    if (tick === null) return "";
    if (plain || tick === 0) return formatShort(Number(tick.toPrecision(10)), 10).replace(/^−?0(?=\.)/, "$&");
    return tick
      .toExponential(2)
      .replace(/\.?0+e/, "e")
      .replace("e+", "e")
      .replace("-", "−");
  });
}

/** The value as it is, for tooltips and copies. */
export function exact(value: number | null | undefined): string {
  return value === null || value === undefined ? MISSING : String(value);
}

export function formatCount(value: number | null | undefined): string {
  if (value === null || value === undefined) return MISSING;
  return grouped(String(Math.round(value)));
}

export function formatBytes(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined || !Number.isFinite(bytes)) return MISSING;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  let size = bytes;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? size : formatNumber(size, 3)} ${units[unit]}`;
}

/** `2 h 05 m`, `3 m 10 s`, `12.4 s`. */
export function formatDuration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds) || seconds < 0) return MISSING;
  if (seconds < 60) return `${seconds < 10 ? Math.round(seconds * 10) / 10 : Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  const two = (n: number) => String(n).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${two(whole % 60)} s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} m`;
  return `${Math.floor(whole / 86_400)} d ${two(Math.floor((whole % 86_400) / 3600))} h`;
}

/** Seconds since the epoch of a time text of the server, or null. */
export function parseTime(text: string | null | undefined): number | null {
  if (!text) return null;
  const value = Date.parse(text);
  return Number.isNaN(value) ? null : value / 1000;
}

/** `3 min ago`; a date from a week on. */
export function formatAgo(text: string | null | undefined, now = Date.now() / 1000): string {
  const at = parseTime(text);
  if (at === null) return MISSING;
  const age = now - at;
  if (age < 5) return "just now";
  if (age < 60) return `${Math.floor(age)} s ago`;
  if (age < 3600) return `${Math.floor(age / 60)} min ago`;
  if (age < 86_400) return `${Math.floor(age / 3600)} h ago`;
  if (age < 7 * 86_400) return `${Math.floor(age / 86_400)} d ago`;
  return new Date(at * 1000).toISOString().slice(0, 10);
}

/** `2026-11-20 13:05:12`, in the viewer's zone. */
export function formatDate(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return MISSING;
  const date = new Date(seconds * 1000);
  const two = (n: number) => String(n).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

export function formatClock(seconds: number): string {
  return formatDate(seconds).slice(11);
}
