// scripts/determinism.ts — one session run in two ways must be one machine. Where it is not, the first instruction after which it differs is looked for, and named.
//
// A session is a command line, a disk and a log of what came from outside. A way says how it is run: compiled or not, when, and in slices of what length.
// None of that may matter. scripts/lockstep.ts takes whole programs through many ways, scripts/seeds.ts random sessions through two.
import type { Iced } from "../worker/cpu/iced.ts";
import { MemoryStore } from "../worker/lib/memory_store.ts";
import { REG_RIP } from "../worker/cpu/state.ts";
import { firstDifference } from "../worker/machine/compare.ts";
import { disassembleAt } from "../worker/machine/disassemble.ts";
import { Machine } from "../worker/machine.ts";
import type { InputEvent } from "../worker/machine/input.ts";
import { NodeOs } from "../worker/os-node/os.ts";
import { type Moment, Timeline } from "../worker/replay/timeline.ts";

/** One way to run a machine. */
export interface Way {
  readonly name: string;
  readonly jit: boolean;
  /** times that code is reached before it is joined into runs, and compiled */
  readonly warm?: number;
  readonly hot?: number;
  /** instructions of the next slice, at most */
  readonly slice: () => number;
  /** For the test of this file: what goes wrong when so many instructions have retired. */
  readonly fault?: { readonly at: number; readonly happen: (machine: Machine) => void };
}

/** The disk is called `disk` on the command line. */
export interface Start {
  readonly iced: Iced;
  readonly cmdline: string;
  readonly disk: Uint8Array;
}
export interface Session extends Start {
  readonly log: readonly InputEvent[];
  readonly end: Moment;
}
/** What the machine was at a moment. */
export interface Mark extends Moment {
  readonly fingerprint: string;
}

/** How two machines differ. */
export interface Difference {
  /** the first instruction after which they do, counted from 1: where so many have retired. Undefined: no instruction could be found. */
  readonly at: number | undefined;
  /** the instruction, in whose process, and what is not the same; or why there is none: sentences */
  readonly words: string;
}

/** A machine that has booted, in its way. */
export function boot({ iced, cmdline, disk }: Start, way: Way): Timeline {
  const os = new NodeOs({ disks: new Map([["disk", new MemoryStore("disk", disk.slice())]]), scratch: true, write: () => undefined, print: () => undefined });
  const machine = new Machine({ cmdline, os, iced, shared: false, jit: way.jit, ...(way.warm === undefined ? {} : { warm: way.warm }), ...(way.hot === undefined ? {} : { hot: way.hot }) });
  const t = new Timeline(machine, 64 << 20);
  machine.boot();
  return t;
}
export const markOf = (t: Timeline): Mark => ({ fingerprint: t.fingerprint(), ...t.now });

/** Runs for at most `instructions`, in a slice of the way; whatever is to go wrong does. */
export function slice(t: Timeline, way: Way, instructions: number, whole = false): ReturnType<Timeline["run"]> {
  const { at } = t.now;
  const { fault } = way;
  const ahead = fault !== undefined && fault.at > at;
  const reason = t.run(Math.min(instructions, whole ? Infinity : way.slice(), ahead ? fault.at - at : Infinity));
  if (ahead && t.now.at === fault.at) fault.happen(t.machine);
  return reason;
}

/** Replays a session as far as a moment, or, of a count alone, to before what came there. */
class Replay {
  readonly t: Timeline;
  private readonly way: Way;
  constructor(session: Session, way: Way) {
    this.way = way;
    this.t = boot(session, way);
    this.t.load(session.log, session.end);
  }
  /** False: the machine cannot come there. @throws Error when an event lies at a moment that it does not come through */
  to(goal: { readonly at: number } & Partial<Moment>, whole = false): boolean {
    const { t } = this;
    const { events = 0, ns = 0 } = goal;
    for (;;) {
      const { now } = t;
      if (now.at > goal.at) return false;
      const there = now.at === goal.at && t.machine.log.length >= events;
      if (there && now.ns >= ns) return true;
      const reason = now.at === goal.at ? t.run(0) : slice(t, this.way, goal.at - now.at, whole);
      if (reason === "halted") return t.now.at === goal.at;
      if ((reason === "end" && t.now.at < goal.at) || (there && reason === "slice")) return false;
      if (reason === "idle") {
        if (t.until() === Infinity) return false;
        t.advance_idle(there ? Math.min(ns, t.until()) : t.until());
      }
    }
  }
}

/**
 * Runs `session` in the way that `make` makes and compares it with the marks of the way in which it was recorded (`first`). Undefined: it is the same
 * machine at each of them.
 */
export function compare(session: Session, marks: readonly Mark[], first: () => Way, make: () => Way): Difference | undefined {
  const replay = new Replay(session, make());
  for (const [i, mark] of marks.entries()) {
    try {
      const came = replay.to(mark);
      // a mark among several events of one moment is passed: the next one will tell
      if (came && replay.t.machine.log.length > mark.events) continue;
      if (came && replay.t.fingerprint() === mark.fingerprint) continue;
      return search(session, marks.slice(0, i), mark, first, make);
    } catch (e) {
      const found = search(session, marks.slice(0, i), mark, first, make);
      return { at: found.at, words: `${e instanceof Error ? e.message : String(e)}; ${found.words}` };
    }
  }
  return undefined;
}

/** The machines were the same at all of `good`, and are not at `bad`. Both begin anew for each look: what is remembered of a run may be what is wrong with it. */
function search(session: Session, good: readonly Mark[], bad: Mark, first: () => Way, make: () => Way): Difference {
  const look = (goal: { readonly at: number } & Partial<Moment>): { a: Timeline; b: Timeline; same: boolean } => {
    const [a, b] = [first(), make()].map((way) => {
      const replay = new Replay(session, way);
      let came = true;
      try {
        for (const mark of good) if (came && mark.at <= goal.at) came = replay.to(mark);
        // in one piece from there on: the same slices every time
        came &&= replay.to(goal, true);
      } catch {
        came = false;
      }
      return { t: replay.t, came };
    }) as [{ t: Timeline; came: boolean }, { t: Timeline; came: boolean }];
    return { a: a.t, b: b.t, same: a.came === b.came && a.t.now.at === b.t.now.at && a.t.fingerprint() === b.t.fingerprint() };
  };
  let low = good.at(-1)?.at ?? 0, high = bad.at;
  if (look(bad).same) return { at: undefined, words: `they differ at instruction ${high}, but not if they run there from instruction ${low} in one piece: where the slices end matters` };
  let before: Timeline | undefined, after: { readonly a: Timeline; readonly b: Timeline } | undefined;
  while (high - low > 1) {
    const middle = low + Math.floor((high - low) / 2);
    const seen = look({ at: middle });
    if (seen.same) [low, before] = [middle, seen.a];
    else [high, after] = [middle, seen];
  }
  if (after === undefined) {
    const seen = look({ at: high });
    if (low === high || seen.same) return { at: undefined, words: `they differ after instruction ${high} without a further one: by an event, or while all slept` };
    after = seen;
  }
  before ??= look({ at: low }).a;
  const { a, b } = after;
  const { machine } = before;
  const { u8, size } = machine.kernel.mem;
  const rip = machine.cpu.state.get(REG_RIP);
  const [line] = disassembleAt(session.iced, u8, size, rip, 1);
  return { at: high, words: `they differ from instruction ${high} on: at 0x${rip.toString(16)} in ${machine.kernel.sched.loaded_task?.comm ?? "nobody"}: ${line?.text ?? "?"}\n  ${firstDifference(a.machine, b.machine) ?? "only the fingerprints differ"}` };
}
