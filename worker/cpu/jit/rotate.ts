// worker/cpu/jit/rotate.ts — loops begin where nobody needs the flags.
//
// What may leave needs them, and at the top of a loop that is a check of the first access, mostly: so four values would be carried around the loop for
// a way out that is never taken. The instructions before the first that sets all flags are copied to all places that the loop is entered from, or gone round:
// there the flags are known, and the loop begins behind them.
import { blockOf, edgeTo, type Block, type Flow } from "./region.ts";
import { flagsLive } from "./liveness.ts";

/** Instructions that are copied at most; ways to a loop's top, each of which gets a copy; loops of one region. */
const MAX_HEAD = 8, MAX_WAYS = 5, MAX_LOOPS = 12;
/** Instructions of a loop at most: what is carried around a long one is not seen. */
const MAX_LOOP = 30;

/** General registers that addresses in these steps begin with, as a mask. */
function basesOf(steps: Block["steps"]): number {
  let mask = 0;
  for (const { summary } of steps)
    for (let i = 0; i < summary.accesses.length; i += 6) {
      if (summary.accesses[i]! >= 0) mask |= 1 << summary.accesses[i]!;
      if (summary.accesses[i + 1]! >= 0) mask |= 1 << summary.accesses[i + 1]!;
    }
  return mask;
}

/** How many instructions of a loop's first block come before the flags are set; 0: it stays as it is. `written`: registers that the loop writes. */
function headOf({ steps, afterCall, afterDoor, dispatcher }: Block, written: number): number {
  if (afterCall || afterDoor || dispatcher) return 0;
  const n = steps.findIndex(({ summary }) => summary.flags === "sets");
  if (n < 1 || n > MAX_HEAD || steps.slice(0, n).some(({ summary }) => summary.helper || summary.touchesFlags || summary.ending !== "next")) return 0;
  // one check is for all accesses of a block: it would become two
  return basesOf(steps.slice(0, n)) & basesOf(steps.slice(n)) & written ? 0 : n;
}

/** The same region with such loops turned; undefined: there are none. Block 0 stays the entry. */
export function rotate(blocks: readonly Block[], { succ, analysis, loops, strides }: Flow, most: number): Block[] | undefined {
  const bodies = [...loops].slice(0, MAX_LOOPS);
  if (bodies.length === 0) return undefined;
  const out = [...blocks], live = flagsLive(blocks, succ, analysis, strides);
  let turned = false;
  for (const [header, body] of bodies) {
    if (!live[header] || strides.loops.has(header)) continue;
    let written = 0, insns = 0;
    for (const n of body)
      for (const { summary } of blocks[n]!.steps) {
        written |= summary.helper || summary.ending === "call" ? 0xffff : summary.writes & 0xffff;
        insns++;
      }
    if (insns > MAX_LOOP) continue;
    const block = out[header]!, head = headOf(block, written);
    if (head === 0) continue;
    const ways = out.flatMap((b, from) => b.edges.flatMap((e, k) => (e.block === header ? [{ from, k }] : [])));
    if (ways.length > MAX_WAYS || out.length + ways.length > most) continue;
    turned = true;
    const rest = out.push({ ...block, rip: block.steps[head]!.insn.rip, steps: block.steps.slice(head) }) - 1;
    const copy = (): Block => blockOf(block.rip, block.steps.slice(0, head), [edgeTo(rest, out[rest]!.rip)]);
    out[header] = copy();
    // the first way has the header's own number, unless that is the entry
    ways.slice(header === 0 ? 0 : 1).forEach(({ from, k }) => {
      // a block that goes back to itself has become the rest of it
      const at = from === header ? rest : from;
      out[at] = { ...out[at]!, edges: out[at]!.edges.map((e, i) => (i === k ? edgeTo(out.length, e.rip, e.choices) : e)) };
      out.push(copy());
    });
  }
  return turned ? out : undefined;
}
