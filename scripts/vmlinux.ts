// scripts/vmlinux.ts — the machine on this terminal: `npm run -s vmlinux -- ubd0=FILE rw mem=256m init=/bin/sh -- -c 'ls /'`.
//
// With a terminal on standard input the guest has it raw; Ctrl-] leaves. Without one, the lines of standard input are typed as the guest reads them, and the
// end of input is typed as Ctrl-D. The exit status is UML's.
import { loadIced } from "../worker/cpu/iced.ts";
import { Machine } from "../worker/machine.ts";
import { startCpu } from "./cpu_worker.ts";
import { headless } from "./headless.ts";
import { NodeOs } from "../worker/os-node/os.ts";

const USAGE = `usage: npm run -s vmlinux -- ubd0=FILE [rw] [mem=256m] [init=PROGRAM] [parameters] [-- arguments of init]
       npm run -s vmlinux -- --link URL | --bundle FILE [--image FILE] [--console]
The kernel's command line, as User Mode Linux takes it. Of vmlinux itself: jit=off, --help.
With a boot link or a bundle: runs it in memory, prints the machine's fingerprint, and fails if that is not the one it says.`;

/** instructions between two looks at the host */
const SLICE = 2_000_000;
const LEAVE = 0x1d;

class Keyboard {
  private readonly chunks: Uint8Array[] = [];
  ended = false;
  private wake: (() => void) | undefined;
  private readonly raw: boolean;

  constructor() {
    this.raw = process.stdin.isTTY === true;
    if (this.raw) process.stdin.setRawMode(true);
    process.stdin.on("data", (data: Buffer) => {
      if (this.raw && data.includes(LEAVE)) leave(130);
      this.chunks.push(new Uint8Array(data));
      this.wake?.();
    });
    process.stdin.on("end", () => {
      this.ended = true;
      this.wake?.();
    });
    process.stdin.on("error", () => {
      this.ended = true;
      this.wake?.();
    });
  }
  get interactive(): boolean {
    return this.raw;
  }
  /** What a person typed, or one line of a script; undefined when there is nothing now. */
  next(): Uint8Array | undefined {
    const chunk = this.chunks.shift();
    if (chunk === undefined || this.raw) return chunk;
    const newline = chunk.indexOf(10);
    if (newline < 0 || newline === chunk.length - 1) return chunk;
    this.chunks.unshift(chunk.subarray(newline + 1));
    return chunk.subarray(0, newline + 1);
  }
  /** Until something comes, or `ms` have passed. */
  wait(ms: number): Promise<void> {
    if (this.chunks.length > 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = ms < 2 ** 31 ? setTimeout(resolve, ms) : undefined;
      this.wake = () => {
        this.wake = undefined;
        clearTimeout(timer);
        resolve();
      };
    });
  }
  close(): void {
    if (this.raw) process.stdin.setRawMode(false);
    process.stdin.pause();
  }
}

function leave(status: number): never {
  if (process.stdin.isTTY) process.stdin.setRawMode(false);
  process.exit(status);
}

/** Runs until the machine stops; its exit status. */
async function run(machine: Machine, keyboard: Keyboard): Promise<number> {
  let typedEnd = false;
  const type = (): boolean => {
    const bytes = keyboard.next();
    if (bytes !== undefined) machine.input(0, bytes);
    return bytes !== undefined;
  };
  for (;;) {
    const reason = machine.run(SLICE);
    if (reason === "halted") return machine.exit_status;
    if (reason === "host") {
      await machine.host();
      continue;
    }
    if (keyboard.interactive) type();
    if (reason === "slice") {
      await new Promise((resolve) => setImmediate(resolve));
      continue;
    }
    if (!keyboard.interactive) {
      // a line at a time, each when all that the ones before it asked for is done
      if (type()) continue;
      if (machine.until() < Infinity && (keyboard.ended || machine.until() - machine.kernel.time.monotonic() < 1e9)) {
        machine.advance_idle(machine.until());
        continue;
      }
      if (!keyboard.ended) {
        await keyboard.wait(Infinity);
        continue;
      }
      if (!typedEnd) {
        typedEnd = true;
        machine.input(0, Uint8Array.of(4));
        continue;
      }
      process.stderr.write("vmlinux: the input has ended, and everything in the machine sleeps for ever\n");
      return 1;
    }
    const from = performance.now();
    const now = machine.kernel.time.monotonic();
    await keyboard.wait((machine.until() - now) / 1e6);
    machine.advance_idle(now + (performance.now() - from) * 1e6);
  }
}

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  if (args.length === 0 || args[0] === "--help") {
    process.stdout.write(`${USAGE}\n`);
    process.exit(args.length === 0 ? 2 : 0);
  }
  if (args.some((a) => /^--(link|bundle)(=|$)/.test(a))) process.exit(await headless(args));
  const quote = (word: string): string => (/[\s"]/.test(word) ? `"${word}"` : word);
  const jit = !args.includes("jit=off");
  const cmdline = args.filter((a) => a !== "jit=off" && a !== "jit=on").map(quote).join(" ");
  const iced = await loadIced();
  const keyboard = new Keyboard();
  for (;;) {
    let machine: Machine;
    try {
      machine = new Machine({ cmdline, os: new NodeOs(), iced, shared: true, jit, startCpu });
    } catch (e) {
      process.stderr.write(`vmlinux: ${e instanceof Error ? e.message : String(e)}\n`);
      process.exit(1);
    }
    const resize = (): void => {
      if (process.stdout.columns) machine.resize(0, process.stdout.columns, process.stdout.rows);
    };
    await machine.start();
    machine.boot();
    resize();
    process.stdout.on("resize", resize);
    const status = await run(machine, keyboard);
    process.stdout.off("resize", resize);
    machine.close();
    if (machine.kernel.halted === "restart") continue;
    keyboard.close();
    process.exitCode = status;
    // what was written must reach a pipe before the process ends
    process.stdout.write("", () => process.exit(status));
    return;
  }
}
await main();
