// worker/cpu/jit/nest.ts — a region that begins in the middle of a function, inside of loops.
//
// Seen from there, the nest is inside out: what is reached first becomes the header of the loop around it as well, and everything that
// the outer loop changes is carried around the inner one. So the nest is taken as the function has it, and what is left of each loop's present
// round is copied: from the entry to the header of the innermost loop around it, then that loop as a whole; from where it is left to
// the header of the next one, then that as a whole, and so on outwards.
import { analyse, loopBodies } from "./structure.ts";

/** A node of the graph that begins at `at`: the original, and where its edges lead, as nodes of the new graph. */
export interface Unfolded {
  readonly node: number;
  readonly to: readonly number[];
}

/** The graph of a function (node 0 is its beginning) as it is seen from its node `at`, which becomes node 0; undefined: it is larger than `most` nodes. */
export function unfold(succ: readonly (readonly number[])[], at: number, most: number): Unfolded[] | undefined {
  const bodies = loopBodies(succ, analyse(succ));
  const around = [...bodies].filter(([, body]) => body.has(at)).sort((x, y) => x[1].size - y[1].size);
  const main = 2 * around.length;
  // phase 2i: in the rest of a round of loop i; 2i + 1: in loop i as a whole; main: in the outermost one as a whole, or outside
  const enter = (t: number, from: number): number => {
    for (let i = from; i < around.length; i++) {
      const [header, body] = around[i]!;
      if (body.has(t)) return header !== t ? 2 * i : i === around.length - 1 ? main : 2 * i + 1;
    }
    return main;
  };
  const next = (phase: number, t: number): number =>
    phase === main || (phase & 1 && around[phase >> 1]![1].has(t)) ? phase : enter(t, phase >> 1);
  const number = new Map<number, number>(), nodes: { node: number; phase: number; to: number[] }[] = [];
  const nodeOf = (node: number, phase: number): number => {
    const key = node * 64 + phase, known = number.get(key);
    if (known !== undefined) return known;
    number.set(key, nodes.length);
    return nodes.push({ node, phase, to: [] }) - 1;
  };
  if (main >= 64) return undefined;
  nodeOf(at, enter(at, 0));
  for (const n of nodes) {
    if (nodes.length > most) return undefined;
    for (const t of succ[n.node]!) n.to.push(nodeOf(t, next(n.phase, t)));
  }
  return nodes;
}
