import { formatCount, formatShort } from "~/state/format";
import type { TableValue } from "~/widgets/DataTable";
import { type ColumnFacts, columnFacts } from "~/widgets/columnStatistics";

const [WIDTH, HEIGHT] = [96, 22];

function Histogram({ bins }: { bins: readonly number[] }) {
  const most = Math.max(...bins, 1);
  const step = WIDTH / bins.length;
  return (
    <svg width={WIDTH} height={HEIGHT} className="bins" aria-hidden="true">
      {bins.map((count, i) => {
        const height = count > 0 ? Math.max(1.5, (count / most) * HEIGHT) : 0;
        // biome-ignore lint/suspicious/noArrayIndexKey: a bin is its place.
        return <rect key={i} x={i * step} y={HEIGHT - height} width={step - 1} height={height} />;
      })}
    </svg>
  );
}

function Values({ facts }: { facts: ColumnFacts }) {
  if (facts.kind === "number") {
    return (
      <div className="num" title={`least ${facts.least}, mean ${facts.mean}, greatest ${facts.greatest}`}>
        {formatShort(facts.least, 4)} … {formatShort(facts.greatest, 4)}
        <div className="caption">
          mean {formatShort(facts.mean, 4)} ± {formatShort(facts.deviation, 3)}
        </div>
      </div>
    );
  }
  if (facts.kind === "empty") return <span className="muted">no value</span>;
  const text = (facts.top ?? []).map(([value, count]) => `${value} (${formatCount(count)})`).join(", ");
  return (
    <span className="cut" title={text}>
      {text}
    </span>
  );
}

/** One line per column: kind, range or most frequent values, how many are missing. */
export function ColumnStatistics({
  columns,
  rows,
}: {
  columns: readonly string[];
  rows: readonly (readonly TableValue[])[];
}) {
  return (
    <div className="data-table-box">
      <table className="plain column-statistics">
        <thead>
          <tr>
            <th>Column</th>
            <th>Values</th>
            <th>Spread</th>
          </tr>
        </thead>
        <tbody>
          {columnFacts(columns, rows).map((facts, i) => (
            <tr key={`${facts.name}${i.toString()}`}>
              <td className="cut" style={{ maxWidth: 150 }} title={facts.name}>
                {facts.name}
                <div className="caption num">
                  {formatCount(facts.distinct)} distinct
                  {facts.missing > 0 && `, ${formatCount(facts.missing)} missing`}
                </div>
              </td>
              <td style={{ maxWidth: 190 }} className="cut">
                <Values facts={facts} />
              </td>
              <td>{facts.bins && facts.distinct > 1 ? <Histogram bins={facts.bins} /> : ""}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
