/** Terminal colours in console lines. Everything that is not a colour is dropped. */

export interface Span {
  text: string;
  colour: string | null;
  back: string | null;
  bold: boolean;
  dim: boolean;
  italic: boolean;
  underline: boolean;
}

const NAMES = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
// CSI and OSC sequences, and lone control characters other than tab.
const ESCAPE = /\x1b\[([0-9;:]*)([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]|[\x00-\x08\x0b-\x1f\x7f]/g;

const PLAIN: Omit<Span, "text"> = {
  colour: null,
  back: null,
  bold: false,
  dim: false,
  italic: false,
  underline: false,
};

function named(index: number): string {
  return `var(--ansi-${index >= 8 ? "bright-" : ""}${NAMES[index % 8]})`;
}

function fromCube(index: number): string {
  if (index < 16) return named(index);
  if (index >= 232) {
    const grey = 8 + (index - 232) * 10;
    return `rgb(${grey} ${grey} ${grey})`;
  }
  const n = index - 16;
  const level = (v: number) => (v === 0 ? 0 : 55 + v * 40);
  return `rgb(${level(Math.floor(n / 36))} ${level(Math.floor(n / 6) % 6)} ${level(n % 6)})`;
}

function apply(state: Omit<Span, "text">, codes: number[]): Omit<Span, "text"> {
  let next = { ...state };
  for (let i = 0; i < codes.length; i += 1) {
    const code = codes[i] as number;
    if (code === 0) next = { ...PLAIN };
    else if (code === 1) next.bold = true;
    else if (code === 2) next.dim = true;
    else if (code === 3) next.italic = true;
    else if (code === 4) next.underline = true;
    else if (code === 22) next.bold = next.dim = false;
    else if (code === 23) next.italic = false;
    else if (code === 24) next.underline = false;
    else if (code === 39) next.colour = null;
    else if (code === 49) next.back = null;
    else if (code >= 30 && code <= 37) next.colour = named(code - 30);
    else if (code >= 90 && code <= 97) next.colour = named(code - 82);
    else if (code >= 40 && code <= 47) next.back = named(code - 40);
    else if (code >= 100 && code <= 107) next.back = named(code - 92);
    else if (code === 38 || code === 48) {
      const key = code === 38 ? "colour" : "back";
      if (codes[i + 1] === 5) {
        next[key] = fromCube(codes[i + 2] ?? 0);
        i += 2;
      } else if (codes[i + 1] === 2) {
        next[key] = `rgb(${codes[i + 2] ?? 0} ${codes[i + 3] ?? 0} ${codes[i + 4] ?? 0})`;
        i += 4;
      }
    }
  }
  return next;
}

export function parseAnsi(line: string): Span[] {
  const spans: Span[] = [];
  let state = { ...PLAIN };
  let from = 0;
  const push = (text: string) => {
    if (text) spans.push({ text, ...state });
  };
  for (const found of line.matchAll(ESCAPE)) {
    push(line.slice(from, found.index));
    from = found.index + found[0].length;
    if (found[2] === "m")
      state = apply(
        state,
        (found[1] || "0").split(/[;:]/).map((code) => Number(code) || 0),
      );
  }
  push(line.slice(from));
  return spans;
}

export function isPlain(span: Span): boolean {
  return !span.colour && !span.back && !span.bold && !span.dim && !span.italic && !span.underline;
}

/** What a terminal would show of a line that was rewritten with carriage returns, and how often it was. */
export function foldReturns(line: string): { text: string; rewrites: number } {
  const parts = line.replace(/[\r\n]+$/, "").split("\r");
  const shown = [...parts].reverse().find((part) => part.trim() !== "") ?? "";
  return { text: shown, rewrites: parts.length - 1 };
}
