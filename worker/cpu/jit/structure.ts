// worker/cpu/jit/structure.ts — from a control-flow graph to WebAssembly's blocks, loops and ifs, by the dominator tree.
//
// The method is Norman Ramsey's ("Beyond Relooper", ICFP 2022): a loop header becomes a loop, a node with several forward predecessors
// becomes what follows a block, everything else is nested where its one predecessor branches to it. A loop that is entered in several
// places gets one more node, which chooses among them (makeReducible). An edge that would leave the graph irreducible all the same (it
// goes back to a node that does not dominate its source) is cut: the caller leaves the region there.

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

/** By loop header, the nodes of its loop. */
export function loopBodies(succ: readonly (readonly number[])[], { order, rpo, loopHeader }: Analysis): Map<number, Set<number>> {
  const pred: number[][] = succ.map(() => []);
  for (const n of order) for (const t of succ[n]!) pred[t]!.push(n);
  const bodies = new Map<number, Set<number>>();
  for (const h of order) {
    if (!loopHeader[h]) continue;
    const body = new Set([h]);
    for (const p of pred[h]!) if (rpo[p]! >= rpo[h]!) body.add(p);
    for (const n of body) if (n !== h) for (const p of pred[n]!) body.add(p);
    bodies.set(h, body);
  }
  return bodies;
}

/** Nodes added at most by makeReducible. */
const MAX_DISPATCHERS = 24;

/** The k-th edge of node `from` now leads to the dispatcher `to`, which takes its `choice`-th edge to where it led before. */
export interface Redirected {
  readonly from: number;
  readonly k: number;
  readonly to: number;
  readonly choice: number;
}

export interface Reducible {
  readonly analysis: Analysis;
  /** where each dispatcher leads, before any of its edges were redirected themselves */
  readonly dispatchers: readonly (readonly number[])[];
  readonly redirected: readonly Redirected[];
}

/** The strongly connected part that `start` belongs to, without edges to a node that dominates their source. */
function cycleOf(start: number, succ: readonly (readonly number[])[], back: (n: number, t: number) => boolean): Set<number> {
  const reach = (next: (n: number) => readonly number[]): Set<number> => {
    const seen = new Set([start]);
    for (const n of seen) for (const t of next(n)) seen.add(t);
    return seen;
  };
  const pred: number[][] = succ.map(() => []);
  succ.forEach((targets, n) => targets.forEach((t) => back(n, t) || pred[t]!.push(n)));
  const ahead = reach((n) => succ[n]!.filter((t) => !back(n, t)));
  return new Set([...reach((n) => pred[n]!)].filter((n) => ahead.has(n)));
}

/**
 * Changes `succ`, of which `known` is the analysis, so that each loop is entered in one place: where there are several, by a node of its own, a dispatcher, appended to succ.
 * What leads into the loop from outside, or goes back in it, to one of these places goes to the dispatcher; what goes forward stays.
 */
export function makeReducible(succ: number[][], known?: Analysis): Reducible {
  const dispatchers: number[][] = [];
  const redirected: Redirected[] = [];
  for (;;) {
    const a = dispatchers.length === 0 && known !== undefined ? known : analyse(succ);
    const done = { analysis: a, dispatchers, redirected };
    let target = -1;
    for (const n of a.order) succ[n]!.forEach((t, k) => (target = target < 0 && a.cut[n]![k] ? t : target));
    if (target < 0 || dispatchers.length >= MAX_DISPATCHERS) return done;
    const dominates = (x: number, y: number): boolean => {
      while (a.rpo[y]! > a.rpo[x]!) y = a.idom[y]!;
      return x === y;
    };
    const cycle = cycleOf(target, succ, (n, t) => a.rpo[n]! < 0 || (a.rpo[t]! <= a.rpo[n]! && dominates(t, n)));
    const entries = new Set<number>();
    for (const n of a.order) if (!cycle.has(n)) for (const t of succ[n]!) if (cycle.has(t) && !dominates(t, n)) entries.add(t);
    if (entries.size < 2) return done;
    const places = [...entries].sort((x, y) => a.rpo[x]! - a.rpo[y]!);
    const dispatcher = succ.length;
    for (const n of a.order)
      succ[n]!.forEach((t, k) => {
        if (!entries.has(t) || dominates(t, n) || (cycle.has(n) && a.rpo[t]! > a.rpo[n]!)) return;
        succ[n]![k] = dispatcher;
        redirected.push({ from: n, k, to: dispatcher, choice: places.indexOf(t) });
      });
    dispatchers.push([...places]);
    succ.push(places);
  }
}

/** What the walk asks to be emitted. Labels count outwards from 0, as WebAssembly's do. */
export interface Emitter {
  openBlock(): void;
  /** How many loops it has opened, one around the other; the innermost is what is gone round. */
  openLoop(node: number): number;
  close(): void;
  br(depth: number, target: number): void;
  /** The code of a node, up to and without its terminator. */
  body(node: number): void;
  /** The terminator. `edge(k)` emits what following the k-th edge takes: a br, or the target itself. */
  terminator(node: number, edge: (k: number) => void): void;
  /** The terminator opens or closes an if of its own around edge(): labels move. */
  readonly depthOffset: number;
  /** The k-th edge of a node is about to be followed. */
  follow(node: number, k: number): void;
  /** The edge was cut: leave the region towards its target. */
  exitEdge(node: number, k: number): void;
}

/** Emits the whole graph through `e`. */
export function emitStructured(succ: readonly (readonly number[])[], a: Analysis, e: Emitter): void {
  /** by node: of those that follow a block behind it the outermost, the last one in the order; by such a node: the next one within. -1: none */
  const outermost = new Array<number>(succ.length).fill(-1), inner = new Array<number>(succ.length).fill(-1);
  for (const n of a.order) {
    if (n === 0 || !a.merge[n]) continue;
    inner[n] = outermost[a.idom[n]!]!;
    outermost[a.idom[n]!] = n;
  }
  /** what is open, outermost first: target of a br to it; -1 for blocks of the terminators */
  const context: number[] = [];

  const depth = (target: number): number => {
    for (let i = context.length - 1; i >= 0; i--) if (context[i] === target) return context.length - 1 - i;
    throw new Error("structure: branch to a node that is not open");
  };
  const isBr = (n: number, t: number): boolean => a.rpo[t]! <= a.rpo[n]! || a.merge[t]!;

  const edge = (n: number, k: number): void => {
    const t = succ[n]![k]!;
    e.follow(n, k);
    if (a.cut[n]![k]) e.exitEdge(n, k);
    else if (isBr(n, t)) e.br(depth(t), t);
    else tree(t);
  };

  const within = (n: number, follow: number): void => {
    if (follow >= 0) {
      e.openBlock();
      context.push(follow);
      within(n, inner[follow]!);
      context.pop();
      e.close();
      tree(follow);
      return;
    }
    e.body(n);
    const opened = e.depthOffset;
    e.terminator(n, (k) => {
      const extra = e.depthOffset - opened;
      for (let j = 0; j < extra; j++) context.push(-1);
      edge(n, k);
      for (let j = 0; j < extra; j++) context.pop();
    });
  };

  const tree = (n: number): void => {
    if (a.loopHeader[n]) {
      const opened = e.openLoop(n);
      for (let i = 1; i < opened; i++) context.push(-1);
      context.push(n);
      within(n, outermost[n]!);
      for (let i = 0; i < opened; i++) context.pop();
      for (let i = 0; i < opened; i++) e.close();
    } else within(n, outermost[n]!);
  };
  tree(0);
}
