/** Powers of ten; within few decades also 2 and 5, within one every digit. */
export function logTicks(low: number, high: number): number[] {
  const [from, to] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const decades = Math.log10(high / low);
  const every = Math.max(1, Math.ceil(decades / 6));
  const digits = decades < 1 ? [1, 2, 3, 4, 5, 7] : decades < 3 ? [1, 2, 5] : [1];
  const ticks: number[] = [];
  for (let power = from; power <= to; power += every) {
    for (const digit of digits) ticks.push(Number(`${digit}e${power}`));
  }
  return ticks.filter((tick) => tick >= low && tick <= high);
}
