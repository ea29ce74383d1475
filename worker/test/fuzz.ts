// worker/test/fuzz.ts — machines in which several processes make random system calls (guest/fuzz/fuzz.c), each run twice in different ways.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compile, USERSPACE } from "../../scripts/userspace/compile.ts";
import { makeExt4 } from "../../scripts/userspace/ext4.ts";
import { rootTree } from "../../scripts/userspace/tree.ts";
import { syscall_table } from "../arch/um/syscall_64.ts";
import { loadIced } from "../cpu/iced.ts";
import type { Kind } from "../kernel/syscall.ts";
import { MemoryStore } from "../lib/memory_store.ts";
import { firstDifference } from "../machine/compare.ts";
import { Machine } from "../machine.ts";
import { NodeOs } from "../os-node/os.ts";
import { Timeline } from "../replay/timeline.ts";
import { Dice } from "./dice.ts";
import { e2fsck, Mounted } from "./ext4.ts";

/** They end the machine or the caller, or (the last two) put another program's memory into the hands of a number. */
const LEFT_OUT = new Set(["reboot", "exit", "exit_group", "rt_sigreturn", "ptrace", "process_vm_writev"]);
const LETTERS: Readonly<Record<string, string>> = { fd: "f", dirfd: "f", path: "p", signal: "s" };

function letter({ show, width }: Kind): string {
  return LETTERS[show] ?? (width === "s32" || width === "u32" ? "i" : show === "int" || show === "uint" ? "l" : "a");
}

/** calls.h: one line for each call that is there. */
export function callsHeader(): string {
  return syscall_table
    .map((row, nr) => (row === undefined || row.state === "errno" || LEFT_OUT.has(row.call.name) ? "" : `{${nr}, "${row.call.kinds.map(letter).join("")}"}, // ${row.call.name}\n`))
    .join("");
}

/** The guest's image with /fuzz. */
export function fuzzImage(): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "pagezero-fuzz-"));
  try {
    const source = join(folder, "fuzz.c");
    writeFileSync(source, readFileSync(join(import.meta.dirname, "guest/fuzz/fuzz.c")));
    writeFileSync(join(folder, "calls.h"), callsHeader());
    const file = join(folder, "image");
    makeExt4(file, [...rootTree(USERSPACE), { path: "/fuzz", type: "file", mode: 0o755, content: readFileSync(compile(source)) }], { size: 32 });
    return new Uint8Array(readFileSync(file));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export interface FuzzResult {
  readonly text: string;
  readonly instructions: number;
  readonly fingerprint: string;
  readonly timeline: Timeline;
}

/** One machine to its end. `way`: how it is executed, which must not matter. @throws what the machine throws, and Error if it does not end */
export async function fuzz(image: Uint8Array, seed: number, calls: number, way: { readonly jit: boolean; readonly hot: number; readonly slice: number }, options = ""): Promise<FuzzResult> {
  let text = "";
  const store = new MemoryStore("disk", image.slice());
  const decoder = new TextDecoder();
  const os = new NodeOs({ disks: new Map([["disk", store]]), print: (line) => (text += `${line}\n`), write: (line, bytes) => void (line === 0 && (text += decoder.decode(Uint8Array.from(bytes)))) });
  const machine = new Machine({ cmdline: `ubd0=disk rw mem=64m loglevel=1 seed=${seed.toString(16)} ${options} init=/fuzz -- ${seed} ${calls}`, os, iced: await loadIced(), shared: false, jit: way.jit, hot: way.hot });
  const timeline = new Timeline(machine, 1 << 20);
  const dice = new Dice(seed);
  machine.boot();
  for (let n = 0; ; n++) {
    // about half a minute of the guest's time for each thousand calls is more than any run has needed
    if (timeline.now.ns > calls * 30e6 + 60e9) throw new Error(`not at its end after ${(timeline.now.ns / 1e9).toFixed(0)} s of its time`);
    const reason = timeline.run(1 + dice.below(way.slice));
    if (reason === "halted") break;
    if (reason !== "idle") continue;
    const until = timeline.until();
    if (until === Infinity) throw new Error("all sleep, for ever");
    timeline.advance_idle(until);
  }
  // it was powered off as it stood: the journal has what is to be done yet
  const again = new Mounted(store.bytes);
  again.sb.put_super();
  // a clock that was set to 1970 gives deleted inodes a time of deletion that e2fsck does not believe, or takes for a number in the orphan list; on Linux as well
  const fsck = e2fsck(again.store.bytes);
  if (fsck?.split("\n").some((line) => line.endsWith("? no") && !/has zero dtime|corrupted orphan linked list/.test(line)) === true) throw new Error(`e2fsck -fn after recovery: ${fsck}`);
  return { text, instructions: machine.retired, fingerprint: timeline.fingerprint(), timeline };
}

/** Runs a seed in two ways. @throws Error with what was wrong */
export async function fuzzTwice(image: Uint8Array, seed: number, calls: number, options = ""): Promise<FuzzResult> {
  const dice = new Dice(seed ^ 0x5eed);
  const slice = (): number => [300, 40_000, 3_000_000][dice.below(3)]!;
  const a = await fuzz(image, seed, calls, { jit: true, hot: 2 + dice.below(1000), slice: slice() }, options);
  const b = await fuzz(image, seed, calls, dice.below(2) ? { jit: false, hot: 2, slice: slice() } : { jit: true, hot: 2 + dice.below(20_000), slice: slice() }, options);
  if (a.fingerprint !== b.fingerprint) throw new Error(`two runs differ: ${firstDifference(a.timeline.machine, b.timeline.machine) ?? "only the fingerprints"}`);
  return a;
}
