/** Lays a history out as rows with lines beside them, newest first, so that it stays readable at any length. */

export interface HistoryNode {
  id: string;
  /** Those that are not among the nodes are drawn as lines that leave the picture. */
  parents: readonly string[];
}

/** What is drawn beside one row: places are lanes, counted from the left. */
export interface LaneRow {
  id: string;
  lane: number;
  /** From the upper edge to the middle of the row. */
  above: [from: number, to: number][];
  /** From the middle to the lower edge. */
  below: [from: number, to: number][];
  /** How many lanes this row needs. */
  width: number;
}

/**
 * Newest first, and every node before its parents, whatever the clocks of the machines say. Nodes of a cycle, which no
 * honest history has, come last.
 */
export function inOrder<N extends HistoryNode>(nodes: readonly N[], newer: (a: N, b: N) => number): N[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const waiting = new Map<string, number>();
  for (const node of nodes) {
    for (const parent of new Set(node.parents))
      if (byId.has(parent)) waiting.set(parent, (waiting.get(parent) ?? 0) + 1);
  }
  const ready = nodes.filter((node) => !waiting.get(node.id)).sort(newer);
  const done: N[] = [];
  const seen = new Set<string>();
  while (ready.length) {
    const node = ready.shift() as N;
    done.push(node);
    seen.add(node.id);
    for (const parent of new Set(node.parents)) {
      const left = (waiting.get(parent) ?? 0) - 1;
      waiting.set(parent, left);
      const found = byId.get(parent);
      if (left !== 0 || !found) continue;
      const place = ready.findIndex((other) => newer(found, other) < 0);
      ready.splice(place < 0 ? ready.length : place, 0, found);
    }
  }
  return [...done, ...nodes.filter((node) => !seen.has(node.id))];
}

/** The lines for nodes that are in order. */
export function laneRows(nodes: readonly HistoryNode[]): LaneRow[] {
  const known = new Set(nodes.map((node) => node.id));
  // Which node each lane leads down to; null is free.
  const lanes: (string | null)[] = [];
  const free = () => {
    const place = lanes.indexOf(null);
    if (place >= 0) return place;
    lanes.push(null);
    return lanes.length - 1;
  };
  return nodes.map(({ id, parents }) => {
    const arriving = lanes.flatMap((goal, i) => (goal === id ? [i] : []));
    const lane = arriving[0] ?? free();
    const above: [number, number][] = lanes.flatMap((goal, i) =>
      goal === null ? [] : [[i, goal === id ? lane : i] as [number, number]],
    );
    for (const i of arriving) lanes[i] = null;
    const passing = lanes.flatMap((goal, i) => (goal === null ? [] : [[i, i] as [number, number]]));
    const own: [number, number][] = [];
    for (const parent of new Set(parents)) {
      let target = lanes.indexOf(parent);
      if (target < 0) {
        target = lanes[lane] === null || lanes[lane] === undefined ? lane : free();
        lanes[target] = parent;
      }
      own.push([lane, target]);
    }
    const width = Math.max(lane, ...above.flat(), ...passing.flat(), ...own.flatMap(([, to]) => [to])) + 1;
    // A parent outside of the picture gets a short line, and its lane is free again.
    for (const [, target] of own) if (!known.has(lanes[target] as string)) lanes[target] = null;
    while (lanes.length && lanes[lanes.length - 1] === null) lanes.pop();
    return { id, lane, above, below: [...passing, ...own], width };
  });
}
