/** MD5 of UTF-8 text, as the protocol keys metrics (RFC 1321). Not for secrets. */

const SHIFTS = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];
const TABLE = Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32) >>> 0);

function block(state: Uint32Array, words: Uint32Array): void {
  let [a, b, c, d] = state as unknown as [number, number, number, number];
  for (let i = 0; i < 64; i += 1) {
    const round = i >> 4;
    let mix: number;
    let pick: number;
    if (round === 0) [mix, pick] = [(b & c) | (~b & d), i];
    else if (round === 1) [mix, pick] = [(d & b) | (~d & c), (5 * i + 1) % 16];
    else if (round === 2) [mix, pick] = [b ^ c ^ d, (3 * i + 5) % 16];
    else [mix, pick] = [c ^ (b | ~d), (7 * i) % 16];
    const sum = (a + mix + (TABLE[i] as number) + (words[pick] as number)) >>> 0;
    const turn = SHIFTS[round * 4 + (i % 4)] as number;
    [a, d, c, b] = [d, c, b, (b + ((sum << turn) | (sum >>> (32 - turn)))) >>> 0];
  }
  [a, b, c, d].forEach((value, i) => {
    state[i] = ((state[i] as number) + value) >>> 0;
  });
}

export function md5(text: string): string {
  const bytes = new TextEncoder().encode(text);
  const padded = new Uint8Array(((bytes.length + 8) >> 6) * 64 + 64);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, (bytes.length * 8) >>> 0, true);
  view.setUint32(padded.length - 4, Math.floor(bytes.length / 2 ** 29), true);
  const state = Uint32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476);
  const words = new Uint32Array(16);
  for (let at = 0; at < padded.length; at += 64) {
    for (let i = 0; i < 16; i += 1) words[i] = view.getUint32(at + i * 4, true);
    block(state, words);
  }
  const out = new DataView(new ArrayBuffer(16));
  state.forEach((word, i) => out.setUint32(i * 4, word, true));
  return [...new Uint8Array(out.buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
