import { formatCount } from "~/state/format";

interface Counts {
  added?: number;
  modified?: number;
  removed?: number;
}

const SIGNS = [
  ["added", "+"],
  ["modified", "~"],
  ["removed", "−"],
] as const;

/** `+12 ~3 −1`; the words are in the tooltip, and what is zero takes no room. */
export function Changes({ counts }: { counts: Counts }) {
  const some = SIGNS.filter(([kind]) => counts[kind]);
  if (some.length === 0) return null;
  return (
    <span className="changes num" title={some.map(([kind]) => `${formatCount(counts[kind] ?? 0)} ${kind}`).join(", ")}>
      {some.map(([kind, sign]) => (
        <span key={kind} data-change={kind}>
          {sign}
          {formatCount(counts[kind] ?? 0)}
          <span className="hidden-text"> {kind} </span>
        </span>
      ))}
    </span>
  );
}

/** How a change is told beside one file or folder. */
export const MARKS: Record<string, string> = { added: "+ added", modified: "~ changed", removed: "− removed" };
