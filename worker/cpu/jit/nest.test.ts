// worker/cpu/jit/nest.test.ts — loops as they are in a function, seen from their middle.

import { expect, test } from "vitest";
import { unfold } from "./nest.ts";
import { analyse, loopBodies } from "./structure.ts";

// 0 → 1 (outer header) → 2 (inner header) → 3 → 2 or 4; 4 → 1 or 5
const NEST = [[1], [2], [3], [2, 4], [1, 5], []];

/** The loops of the new graph, each as the old nodes that it is made of; the header first. */
function loops(at: number): number[][] {
  const nodes = unfold(NEST, at, 100)!, succ = nodes.map(({ to }) => to);
  expect(nodes[0]!.node).toBe(at);
  // every edge leads where it led
  for (const { node, to } of nodes) expect(to.map((t) => nodes[t]!.node)).toEqual(NEST[node]);
  return [...loopBodies(succ, analyse(succ))].map(([header, body]) => [header, ...[...body].filter((n) => n !== header)].map((n) => nodes[n]!.node));
}

test("from an inner loop's header: that loop, then the rest of the outer one's round, then all of it", () => {
  expect(loops(2)).toEqual([[2, 3], [1, 4, 3, 2], [2, 3]]);
});
test("from the middle of an inner loop: the rest of its round comes first", () => {
  expect(loops(3)).toEqual([[2, 3], [1, 4, 3, 2], [2, 3]]);
  expect(unfold(NEST, 3, 100)!.map(({ node }) => node).filter((n) => n === 3).length).toBe(3);
});
test("from the outer loop's header, and from outside, nothing is copied", () => {
  for (const at of [0, 1]) expect(unfold(NEST, at, 100)!.length).toBe(6 - at);
});
test("too much is left alone", () => expect(unfold(NEST, 3, 5)).toBeUndefined());
