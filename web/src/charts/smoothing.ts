/**
 * Time-weighted exponential moving average.
 *
 * A value keeps `strength` of its weight per unit of x, where the unit is the mean distance between points but at
 * least 1/300 of the visible span: 60 epochs smooth per point, 10^6 steps smooth per pixel. The start is not biased
 * towards zero (weights are normalised). Non-finite values are passed through and do not disturb the average.
 */
export function smooth(x: ArrayLike<number>, y: ArrayLike<number>, strength: number): Float64Array {
  const n = y.length;
  const out = new Float64Array(n);
  if (n === 0) return out;
  const span = Math.abs((x[n - 1] as number) - (x[0] as number)) || 1;
  const unit = Math.max(span / Math.max(1, n - 1), span / 300);
  let sum = 0;
  let weight = 0;
  let previous = x[0] as number;
  for (let i = 0; i < n; i += 1) {
    const value = y[i] as number;
    if (!Number.isFinite(value)) {
      out[i] = value;
      continue;
    }
    const keep = strength ** (Math.abs((x[i] as number) - previous) / unit);
    sum = sum * keep + value * (1 - strength);
    weight = weight * keep + (1 - strength);
    out[i] = weight > 0 ? sum / weight : value;
    previous = x[i] as number;
  }
  return out;
}
