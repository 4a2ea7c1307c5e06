/** Reads RFC 4180 text; quotes may hold separators, quotes and line ends. */
export function parseCsv(text: string, separator = ","): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = "";
  let quoted = false;
  const endCell = () => {
    row.push(cell);
    cell = "";
  };
  const endRow = () => {
    endCell();
    if (row.length > 1 || row[0] !== "") rows.push(row);
    row = [];
  };
  for (let i = 0; i < text.length; i += 1) {
    const mark = text[i] as string;
    if (quoted) {
      if (mark !== '"') cell += mark;
      else if (text[i + 1] === '"') {
        cell += '"';
        i += 1;
      } else quoted = false;
    } else if (mark === '"' && cell === "") quoted = true;
    else if (mark === separator) endCell();
    else if (mark === "\n") endRow();
    else if (mark !== "\r" || text[i + 1] !== "\n") cell += mark;
  }
  if (cell !== "" || row.length) endRow();
  return rows;
}
