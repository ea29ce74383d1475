// worker/cpu/jit/structure.ts — from a control-flow graph to WebAssembly's blocks, loops and ifs, by the dominator tree.
//
// The method is Norman Ramsey's ("Beyond Relooper", ICFP 2022): a loop header becomes a loop, a node with several forward predecessors
// becomes what follows a block, everything else is nested where its one predecessor branches to it. An edge that would make the graph
// irreducible (it goes back to a node that does not dominate its source) is cut: the caller leaves the region there.

/** Node 0 is the entry; succ[n] are the successors of n, in the order in which its terminator names them. */
export interface Analysis {
  /** nodes reachable from 0, in reverse postorder */
  readonly order: readonly number[];
  /** position in `order`, -1 if unreachable */
  readonly rpo: readonly number[];
  /** immediate dominator; of the entry: itself */
  readonly idom: readonly number[];
  readonly loopHeader: readonly boolean[];
  /** two or more forward edges lead here */
  readonly merge: readonly boolean[];
  /** cut[n][k]: the k-th edge of n leaves the region */
  readonly cut: readonly (readonly boolean[])[];
}

function reversePostorder(succ: readonly (readonly number[])[]): number[] {
  const seen = new Array<boolean>(succ.length).fill(false);
  const post: number[] = [];
  const stack: [number, number][] = [[0, 0]];
  seen[0] = true;
  while (stack.length > 0) {
    const top = stack[stack.length - 1]!;
    const next = succ[top[0]]![top[1]++];
    if (next === undefined) {
      post.push(top[0]);
      stack.pop();
    } else if (!seen[next]) {
      seen[next] = true;
      stack.push([next, 0]);
    }
  }
  return post.reverse();
}

/** Cooper, Harvey and Kennedy: "A Simple, Fast Dominance Algorithm". */
function dominators(order: readonly number[], rpo: readonly number[], pred: readonly (readonly number[])[]): number[] {
  const idom = new Array<number>(rpo.length).fill(-1);
  idom[0] = 0;
  const intersect = (a: number, b: number): number => {
    while (a !== b) {
      while (rpo[a]! > rpo[b]!) a = idom[a]!;
      while (rpo[b]! > rpo[a]!) b = idom[b]!;
    }
    return a;
  };
  for (let changed = true; changed; ) {
    changed = false;
    for (const n of order) {
      if (n === 0) continue;
      let d = -1;
      for (const p of pred[n]!) if (idom[p]! >= 0) d = d < 0 ? p : intersect(p, d);
      if (d !== idom[n]) {
        idom[n] = d;
        changed = true;
      }
    }
  }
  return idom;
}

export function analyse(succ: readonly (readonly number[])[]): Analysis {
  const order = reversePostorder(succ);
  const rpo = new Array<number>(succ.length).fill(-1);
  order.forEach((n, i) => (rpo[n] = i));
  const pred: number[][] = succ.map(() => []);
  for (const n of order) for (const s of succ[n]!) pred[s]!.push(n);
  const idom = dominators(order, rpo, pred);
  const dominates = (a: number, b: number): boolean => {
    while (rpo[b]! > rpo[a]!) b = idom[b]!;
    return a === b;
  };
  const loopHeader = new Array<boolean>(succ.length).fill(false);
  const forward = new Array<number>(succ.length).fill(0);
  const cut = succ.map((targets, n) =>
    targets.map((t) => {
      if (rpo[n]! < 0) return true;
      if (rpo[t]! > rpo[n]!) {
        forward[t] = forward[t]! + 1;
        return false;
      }
      if (!dominates(t, n)) return true;
      loopHeader[t] = true;
      return false;
    }),
  );
  return { order, rpo, idom, loopHeader, merge: forward.map((f) => f > 1), cut };
}

/** What the walk asks to be emitted. Labels count outwards from 0, as WebAssembly's do. */
export interface Emitter {
  openBlock(): void;
  openLoop(node: number): void;
  close(): void;
  br(depth: number): void;
  /** The code of a node, up to and without its terminator. */
  body(node: number): void;
  /** The terminator. `edge(k)` emits what following the k-th edge takes (a br, or the target itself); `label(k)` is its br depth if it is just that. */
  terminator(node: number, edge: (k: number) => void, label: (k: number) => number | undefined): void;
  /** The terminator opens or closes an if of its own around edge(): labels move. */
  readonly depthOffset: number;
  /** The edge was cut: leave the region towards its target. */
  exitEdge(node: number, k: number): void;
}

/** Emits the whole graph through `e`. */
export function emitStructured(succ: readonly (readonly number[])[], a: Analysis, e: Emitter): void {
  const children: number[][] = succ.map(() => []);
  for (const n of a.order) if (n !== 0) children[a.idom[n]!]!.push(n);
  /** what is open, outermost first: target of a br to it; -1 for blocks of the terminators */
  const context: number[] = [];

  const depth = (target: number): number => {
    for (let i = context.length - 1; i >= 0; i--) if (context[i] === target) return context.length - 1 - i;
    throw new Error("structure: branch to a node that is not open");
  };
  const isBr = (n: number, t: number): boolean => a.rpo[t]! <= a.rpo[n]! || a.merge[t]!;

  const edge = (n: number, k: number): void => {
    const t = succ[n]![k]!;
    if (a.cut[n]![k]) e.exitEdge(n, k);
    else if (isBr(n, t)) e.br(depth(t));
    else tree(t);
  };

  const within = (n: number, merges: readonly number[], i: number): void => {
    const follow = merges[i];
    if (follow !== undefined) {
      e.openBlock();
      context.push(follow);
      within(n, merges, i + 1);
      context.pop();
      e.close();
      tree(follow);
      return;
    }
    e.body(n);
    const opened = e.depthOffset;
    e.terminator(
      n,
      (k) => {
        const extra = e.depthOffset - opened;
        for (let j = 0; j < extra; j++) context.push(-1);
        edge(n, k);
        context.length -= extra;
      },
      (k) => (a.cut[n]![k] || !isBr(n, succ[n]![k]!) ? undefined : depth(succ[n]![k]!) + (e.depthOffset - opened)),
    );
  };

  const tree = (n: number): void => {
    // the follow that comes last in the order is the outermost block
    const merges = children[n]!.filter((c) => a.merge[c]).sort((x, y) => a.rpo[y]! - a.rpo[x]!);
    if (a.loopHeader[n]) {
      e.openLoop(n);
      context.push(n);
      within(n, merges, 0);
      context.pop();
      e.close();
    } else within(n, merges, 0);
  };
  tree(0);
}
