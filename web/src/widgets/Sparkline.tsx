interface Props {
  x: ArrayLike<number>;
  y: ArrayLike<number>;
  width: number;
  height: number;
}

/** A curve without axes: a hint of the trend beside a number. Gaps stay gaps. */
export function Sparkline({ x, y, width, height }: Props) {
  const path = pathOf(x, y, width, height);
  if (!path) return <span style={{ width, height, flex: "none" }} />;
  return (
    <svg className="sparkline" width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      <path d={path} />
    </svg>
  );
}

const PAD = 2;

export function pathOf(x: ArrayLike<number>, y: ArrayLike<number>, width: number, height: number): string {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < y.length; i += 1) {
    const value = y[i] as number;
    if (Number.isFinite(value)) [low, high] = [Math.min(low, value), Math.max(high, value)];
  }
  if (!(low <= high) || y.length < 2) return "";
  const [from, to] = [x[0] as number, x[x.length - 1] as number];
  const across = (value: number) => PAD + ((value - from) / (to - from || 1)) * (width - 2 * PAD);
  const up = (value: number) => height - PAD - ((value - low) / (high - low || 1)) * (height - 2 * PAD);
  let path = "";
  let open = false;
  for (let i = 0; i < y.length; i += 1) {
    const value = y[i] as number;
    if (Number.isFinite(value))
      path += `${open ? "L" : "M"}${across(x[i] as number).toFixed(1)} ${up(value).toFixed(1)}`;
    open = Number.isFinite(value);
  }
  return path;
}
