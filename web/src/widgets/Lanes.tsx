import type { LaneRow } from "~/widgets/lanes";

const STEP = 14;
const MOST = 14;
const RADIUS = 4.5;

export function lanesWidth(rows: readonly LaneRow[]): number {
  return (
    STEP *
      Math.min(
        MOST,
        rows.reduce((most, row) => Math.max(most, row.width), 1),
      ) +
    4
  );
}

function across(lane: number): number {
  return 2 + STEP / 2 + STEP * Math.min(lane, MOST - 1);
}

function curve(x1: number, y1: number, x2: number, y2: number): string {
  if (x1 === x2) return `M${x1} ${y1}V${y2}`;
  const middle = (y1 + y2) / 2;
  return `M${x1} ${y1}C${x1} ${middle} ${x2} ${middle} ${x2} ${y2}`;
}

/** The lines beside one row of a history. */
export function Lanes({
  row,
  height,
  width,
  current,
  faint,
}: {
  row: LaneRow;
  height: number;
  width: number;
  current?: boolean;
  faint?: boolean;
}) {
  const middle = height / 2;
  return (
    <svg className="lanes" width={width} height={height} aria-hidden="true" data-current={current} data-faint={faint}>
      {row.above.map(([from, to]) => (
        <path key={`a${from}-${to}`} d={curve(across(from), 0, across(to), middle)} />
      ))}
      {row.below.map(([from, to]) => (
        <path key={`b${from}-${to}`} d={curve(across(from), middle, across(to), height)} />
      ))}
      <circle cx={across(row.lane)} cy={middle} r={current ? RADIUS + 1 : RADIUS} />
    </svg>
  );
}
