/** An answer with tiles, as the server writes it: for each series its rows of x, values and counts. */
export function tileBody(entries: { metric?: string; rows: number[][] }[]): ArrayBuffer {
  let offset = 0;
  const series = entries.map((entry, i) => {
    const length = entry.rows.length;
    const made = {
      task: "t",
      metric: entry.metric ?? "loss",
      variant: entry.metric === undefined ? `v${i}` : "v",
      count: length,
      nonfinite: 0,
      version: 1,
      last: null,
      last_iter: null,
      offset,
      length,
      raw: true,
    };
    offset += length * 48;
    return made;
  });
  let text = JSON.stringify({ x: "iter", range: [0, 10], buckets: 64, series });
  while (new TextEncoder().encode(text).length % 8) text += " ";
  const head = new TextEncoder().encode(text);
  const body = new ArrayBuffer(8 + head.length + offset);
  const view = new DataView(body);
  new Uint8Array(body).set(new TextEncoder().encode("TBT1"));
  view.setUint32(4, head.length, true);
  new Uint8Array(body, 8).set(head);
  let at = 8 + head.length;
  for (const { rows } of entries) {
    for (let column = 0; column < 5; column += 1) {
      for (const row of rows) {
        view.setFloat64(at, row[column] as number, true);
        at += 8;
      }
    }
    for (let column = 5; column < 7; column += 1) {
      for (const row of rows) {
        view.setUint32(at, row[column] as number, true);
        at += 4;
      }
    }
  }
  return body;
}
