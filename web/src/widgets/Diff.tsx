import { useState } from "react";

import { CopyButton } from "~/widgets/states";

interface Part {
  name: string;
  lines: string[];
  added: number;
  removed: number;
}

/** Cuts a unified diff into its files. */
export function splitDiff(text: string): Part[] {
  const parts: Part[] = [];
  for (const line of text.replace(/\n$/, "").split("\n")) {
    const start = /^diff --git a\/(.+?) b\/(.+)$/.exec(line);
    if (start || parts.length === 0) parts.push({ name: start?.[2] ?? "", lines: [], added: 0, removed: 0 });
    const part = parts[parts.length - 1] as Part;
    part.lines.push(line);
    const plain = /^\+\+\+ (?:b\/)?(.+)$/.exec(line);
    if (plain && !part.name) part.name = plain[1] as string;
    if (line.startsWith("+") && !line.startsWith("+++")) part.added += 1;
    if (line.startsWith("-") && !line.startsWith("---")) part.removed += 1;
  }
  return parts;
}

const MOST = 2000;

function DiffFile({ part }: { part: Part }) {
  const [all, setAll] = useState(false);
  const shown = all ? part.lines : part.lines.slice(0, MOST);
  return (
    <div className="panel">
      <header>
        <code className="cut grow">{part.name || "changes"}</code>
        <span className="caption num">
          +{part.added} −{part.removed}
        </span>
      </header>
      <div className="diff">
        {shown.map((line, i) => (
          <span key={`${i.toString()}`} className="diff-line" data-kind={/^(\+\+\+|---)/.test(line) ? "" : line[0]}>
            {line || " "}
          </span>
        ))}
        {shown.length < part.lines.length && (
          <button type="button" className="link-button" onClick={() => setAll(true)}>
            {part.lines.length - shown.length} more lines
          </button>
        )}
      </div>
    </div>
  );
}

/** Uncommitted changes, file by file. */
export function Diff({ text }: { text: string }) {
  const parts = splitDiff(text);
  return (
    <div className="stack">
      <div className="row">
        <span className="muted num grow">
          {parts.length} {parts.length === 1 ? "file" : "files"} changed
        </span>
        <span className="caption">copy, then apply with git apply</span>
        <CopyButton text={text.endsWith("\n") ? text : `${text}\n`} label="Copy the diff" />
      </div>
      {parts.map((part, i) => (
        <DiffFile key={`${part.name}${i.toString()}`} part={part} />
      ))}
    </div>
  );
}
