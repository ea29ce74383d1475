// scripts/native.ts — the other end of worker/cpu/vectors/record.c: runs machine code on the host's own CPU.

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { emptyState, IN_SIZE, OUT_SIZE, type Outcome, readOutcome, type State, writeState } from "../worker/cpu/vectors/state.ts";

const HERE = import.meta.dirname;

/** Builds the recorder with the host's gcc and returns its path; undefined where there is no x86-64 or no compiler. */
export function buildRecorder(): string | undefined {
  if (process.arch !== "x64" || process.platform !== "linux") return undefined;
  const source = join(HERE, "../worker/cpu/vectors/record.c");
  const binary = join(tmpdir(), `pagezero-record-${statSync(source).mtimeMs.toFixed(0)}`);
  if (!existsSync(binary)) {
    const dir = mkdtempSync(join(tmpdir(), "record-"));
    try {
      execFileSync("gcc", ["-O1", "-o", join(dir, "record"), source], { stdio: "ignore" });
      execFileSync("mv", [join(dir, "record"), binary]);
    } catch {
      return undefined;
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  }
  return binary;
}

/** Runs each case natively, in order. */
export function runNative(recorder: string, cases: readonly State[]): Outcome[] {
  const out: Outcome[] = [];
  const BATCH = 500;
  for (let i = 0; i < cases.length; i += BATCH) {
    const batch = cases.slice(i, i + BATCH);
    const input = Buffer.alloc(batch.length * IN_SIZE);
    batch.forEach((c, n) => writeState(c, input, n * IN_SIZE));
    const r = spawnSync(recorder, { input, maxBuffer: 1 << 30 });
    const size = OUT_SIZE;
    const got = r.stdout.length / size;
    if (got !== batch.length) throw new Error(`the recorder answered ${got} of ${batch.length} cases (status ${r.status}, signal ${r.signal})`);
    for (let n = 0; n < got; n++) out.push(readOutcome(r.stdout, n * size));
  }
  return out;
}

/** Assembles Intel-syntax lines with the host's as; one byte string (hex) per line. */
export function assemble(lines: readonly string[]): string[] {
  const dir = mkdtempSync(join(tmpdir(), "as-"));
  try {
    const text = [".intel_syntax noprefix", ".text"];
    lines.forEach((line, i) => text.push(`L${i}:`, line));
    text.push(`L${lines.length}:`, ".data");
    for (let i = 0; i <= lines.length; i++) text.push(`.long L${i}-L0`);
    writeFileSync(join(dir, "a.s"), text.join("\n") + "\n");
    execFileSync("as", ["-o", join(dir, "a.o"), join(dir, "a.s")], { stdio: ["ignore", "inherit", "inherit"] });
    execFileSync("objcopy", ["-O", "binary", "-j", ".text", join(dir, "a.o"), join(dir, "text")]);
    execFileSync("objcopy", ["-O", "binary", "-j", ".data", "--set-section-flags", ".data=alloc,contents,load", join(dir, "a.o"), join(dir, "data")]);
    const code = readFileSync(join(dir, "text")), at = readFileSync(join(dir, "data"));
    return lines.map((_, i) => code.subarray(at.readUInt32LE(i * 4), at.readUInt32LE(i * 4 + 4)).toString("hex"));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

export { emptyState };
