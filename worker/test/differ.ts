// worker/test/differ.ts — random sequences of system calls (guest/differ) on this host and in a machine, line by line.
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { globSync } from "../../scripts/files.ts";
import { compileWith, USERSPACE } from "../../scripts/userspace/compile.ts";
import { makeExt4 } from "../../scripts/userspace/ext4.ts";
import { TestMachine } from "./boot.ts";

const FOLDER = join(import.meta.dirname, "guest/differ");

export interface Sequence {
  readonly family: string;
  readonly seed: number;
  readonly steps: number;
  readonly fs: "ext4" | "ramfs";
}
export interface Family {
  readonly name: string;
  /** what it plays with is on a file system: both are tried */
  readonly files: boolean;
}

/** One program for both sides: static, and position-independent. */
function program(): string {
  const others = globSync([FOLDER], /\.c$/).filter((file) => !file.endsWith("/differ.c"));
  return compileWith(USERSPACE, join(FOLDER, "differ.c"), ["-static-pie"], others);
}

export function families(): Family[] {
  const said = spawnSync(program(), ["families"], { encoding: "utf8" });
  return said.stdout.trim().split("\n").map((line) => ({ name: line.split(" ")[0]!, files: line.endsWith(" files") }));
}

const key = (s: Sequence): string => `${s.family} ${s.seed} ${s.steps} ${s.fs}`;
const list = (sequences: readonly Sequence[]): string => sequences.map((s) => `${key(s)}\n`).join("");

/** What was said of each sequence, by its key. */
function parse(text: string): Map<string, string[]> {
  const told = new Map<string, string[]>();
  for (const part of text.replaceAll("\r", "").split(/^=== /m).slice(1)) {
    const lines = part.trimEnd().split("\n");
    told.set(lines[0]!, lines.slice(1));
  }
  return told;
}

/** On this host (as root), in namespaces that end with it. @throws Error with what it said */
export function onHost(sequences: readonly Sequence[]): Map<string, string[]> {
  const root = mkdtempSync(join(tmpdir(), "pagezero-differ-"));
  try {
    chmodSync(root, 0o755);
    copyFileSync(program(), join(root, "differ"));
    writeFileSync(join(root, "differ.list"), list(sequences));
    const done = spawnSync(program(), ["host", "/differ.list", root], { encoding: "utf8", maxBuffer: 1 << 30, stdio: ["ignore", "pipe", "pipe"] });
    if (done.status !== 0) throw new Error(`the host's part ended with ${done.status ?? done.signal}: ${done.stderr}`);
    return parse(done.stdout);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

export async function onMachine(sequences: readonly Sequence[], options = ""): Promise<Map<string, string[]>> {
  const folder = mkdtempSync(join(tmpdir(), "pagezero-differ-"));
  try {
    const file = join(folder, "image");
    makeExt4(file, [
      { path: "/differ", type: "file", mode: 0o755, content: readFileSync(program()) },
      { path: "/differ.list", type: "file", mode: 0o644, content: list(sequences) },
      { path: "/dev", type: "dir", mode: 0o755 },
    ], { size: 256, blockSize: 4096 });
    const m = await TestMachine.create({ cmdline: `ubd0=disk rw mem=256m quiet ${options} init=/differ`, disks: { disk: new Uint8Array(readFileSync(file)) } });
    m.machine.boot();
    try {
      m.finish();
    } catch (e) {
      console.log(`the machine: ${e instanceof Error ? (e.stack ?? e.message) : String(e)}`);
    }
    return parse(m.text);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export interface Difference {
  readonly sequence: Sequence;
  /** the ten lines before */
  readonly before: readonly string[];
  readonly host: string;
  readonly here: string;
}

/** The first line of each sequence that is not the same. */
export function differences(sequences: readonly Sequence[], host: ReadonlyMap<string, string[]>, here: ReadonlyMap<string, string[]>): Difference[] {
  const found: Difference[] = [];
  for (const sequence of sequences) {
    const [a, b] = [host.get(key(sequence)) ?? ["not run"], here.get(key(sequence)) ?? ["not run"]];
    const at = Array.from({ length: Math.max(a.length, b.length) }, (_, i) => i).find((i) => a[i] !== b[i]);
    if (at !== undefined) found.push({ sequence, before: a.slice(Math.max(0, at - 10), at), host: a[at] ?? "nothing", here: b[at] ?? "nothing" });
  }
  return found;
}

/** What the tests compare with what a host said once (guest/differ/expected.txt). */
export const RECORDED: readonly Sequence[] = ["files", "pipes", "sockets", "signals", "locks", "terminals", "watches", "ipc"].flatMap((family) =>
  (family === "files" ? (["ext4", "ramfs"] as const) : (["ramfs"] as const)).map((fs) => ({ family, seed: 2, steps: 60, fs })),
);
export const EXPECTED = join(FOLDER, "expected.txt");
export const recording = (told: ReadonlyMap<string, string[]>): string => RECORDED.map((s) => `=== ${key(s)}\n${(told.get(key(s)) ?? ["not run"]).join("\n")}\n`).join("");
