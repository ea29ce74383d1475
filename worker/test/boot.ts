// worker/test/boot.ts — a whole machine in a test: boots an image in memory, types, and waits for what appears. No clock of the host is involved.
import { existsSync, readFileSync } from "node:fs";
import type { BootFile } from "../init/files.ts";
import { loadIced } from "../cpu/iced.ts";
import { Machine, type Reason } from "../machine.ts";
import { MemoryStore } from "../lib/memory_store.ts";
import { NodeOs } from "../os-node/os.ts";

export const IMAGE = ".cache/images/nommu.ext4";
export const IMAGE_4K = ".cache/images/nommu-4k.ext4";
export const DEFAULT_CMDLINE = "ubd0=disk rw mem=128m loglevel=4 init=/sbin/init";

/** The bytes of an image that set-up makes; says what to do if it is missing. */
export function image(path = IMAGE): Uint8Array {
  if (!existsSync(path)) throw new Error(`${path} is missing: npx tsx scripts/image.ts makes it`);
  return new Uint8Array(readFileSync(path));
}

export interface BootOptions {
  readonly cmdline?: string;
  /** by the name on the command line; default: "disk" is the image */
  readonly disks?: Readonly<Record<string, Uint8Array>>;
  /** instead of "disk" */
  readonly diskName?: string;
  readonly files?: readonly BootFile[];
  readonly jit?: boolean;
  /** see CpuOptions.hot */
  readonly hot?: number;
}

const decoder = new TextDecoder();

export class TestMachine {
  readonly machine: Machine;
  readonly disks: ReadonlyMap<string, MemoryStore>;
  private readonly written: { text: string };
  private commands = 0;

  private constructor(machine: Machine, disks: ReadonlyMap<string, MemoryStore>, written: { text: string }) {
    this.machine = machine;
    this.disks = disks;
    this.written = written;
  }

  static async create(options: BootOptions = {}): Promise<TestMachine> {
    const disks = new Map(Object.entries(options.disks ?? { [options.diskName ?? "disk"]: image() }).map(([name, bytes]) => [name, new MemoryStore(name, bytes)]));
    const written = { text: "" };
    const os = new NodeOs({
      disks,
      print: (line) => (written.text += `${line}\n`),
      write: (line, bytes) => {
        if (line === 0) written.text += decoder.decode(Uint8Array.from(bytes));
      },
    });
    const machine = new Machine({ cmdline: options.cmdline ?? DEFAULT_CMDLINE, os, iced: await loadIced(), shared: false, jit: options.jit ?? true, ...(options.hot === undefined ? {} : { hot: options.hot }), files: options.files ?? [] });
    return new TestMachine(machine, disks, written);
  }
  /** Created, booted, and at its first prompt. */
  static async boot(options: BootOptions = {}): Promise<TestMachine> {
    const m = await TestMachine.create(options);
    m.machine.boot();
    m.until(/[#$] $/);
    return m;
  }

  /** All that was printed: the host's lines and con0. */
  get text(): string {
    return this.written.text;
  }

  /** One slice, or a jump to the next timer. */
  step(slice = 1_000_000): Reason {
    const { machine } = this;
    const reason = machine.run(slice);
    if (reason === "idle" && machine.until() < Infinity) machine.advance_idle(machine.until());
    if (reason === "host") throw new Error("a disk in memory made the machine wait for its host");
    return reason;
  }
  /** Runs until `pattern` is found in what was printed from `from` on; returns that text. Throws if the machine stops or sleeps for ever first. */
  until(pattern: RegExp, from = 0, slice?: number): string {
    for (let n = 0; n < 100_000; n++) {
      const text = this.text.slice(from);
      if (pattern.test(text)) return text;
      const before = this.machine.until();
      const reason = this.step(slice);
      const done = reason === "halted" || (reason === "idle" && before === Infinity && this.machine.until() === Infinity);
      if (done && !pattern.test(this.text.slice(from)))
        throw new Error(`the machine is ${reason}, and ${pattern} did not appear in:\n${this.text.slice(-3000)}`);
    }
    throw new Error(`${pattern} did not appear in 100,000 slices:\n${this.text.slice(-3000)}`);
  }
  type(text: string): void {
    this.machine.input(0, new TextEncoder().encode(text));
  }
  /** Runs a shell command on one line; its output, lines ended by \n. The markers are computed by the shell, so that the echo of the line is no match. */
  run(command: string): string {
    const id = ++this.commands;
    const from = this.text.length;
    this.type(`echo "<$((${id}+0))<"; ${command}; echo ">$((${id}+0))>"\n`);
    const text = this.until(new RegExp(`>${id}>\\r?\\n`), from).replaceAll("\r", "");
    const start = text.indexOf(`<${id}<\n`) + `<${id}<\n`.length;
    return text.slice(start, text.lastIndexOf(`>${id}>\n`));
  }
  /** Until the machine has stopped; its exit status. */
  finish(): number {
    for (let n = 0; n < 100_000; n++) {
      const before = this.machine.until();
      const reason = this.step();
      if (reason === "halted") return this.machine.exit_status;
      if (reason === "idle" && before === Infinity && this.machine.until() === Infinity) throw new Error(`the machine sleeps for ever:\n${this.text.slice(-3000)}`);
    }
    throw new Error("the machine does not stop");
  }
}
