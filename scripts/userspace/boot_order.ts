// scripts/userspace/boot_order.ts — boots an image and prints which of its chunks were read, in order, as JSON. `boot_order.ts IMAGE CMDLINE CHUNK`

import { readFileSync } from "node:fs";
import { loadIced } from "../../worker/cpu/iced.ts";
import { Machine } from "../../worker/machine.ts";
import { MemoryStore } from "../../worker/lib/memory_store.ts";
import { NodeOs } from "../../worker/os-node/os.ts";

/** A machine that sleeps longer than this waits for somebody, ns; and none is run further than so many instructions. */
const QUIET = 2e9;
const LONGEST = 2e9;

const [path, cmdline, size] = process.argv.slice(2) as [string, string, string];
const order = new Set<number>();

class Watched extends MemoryStore {
  override read(pos: number, buf: Uint8Array): void {
    for (let n = Math.floor(pos / Number(size)); n * Number(size) < pos + buf.length; n++) order.add(n);
    super.read(pos, buf);
  }
  /** what is written is read from the image first: chunks are wider than what is written */
  override write(pos: number, buf: Uint8Array): void {
    this.read(pos, new Uint8Array(buf.length));
    super.write(pos, buf);
  }
}

const name = /(?:^| )ubd0=(\S+)/.exec(cmdline)?.[1] ?? "disk";
const disk = new Watched(name, new Uint8Array(readFileSync(path)));
let printed = 0;
const os = new NodeOs({ disks: new Map([[name, disk]]), scratch: true, print: () => undefined, write: () => void printed++ });
const machine = new Machine({ cmdline, os, iced: await loadIced(), shared: false, jit: true });
await machine.start();
machine.boot();
while (machine.retired < LONGEST && machine.kernel.halted === undefined) {
  const reason = machine.run(10_000_000);
  if (reason === "halted") break;
  if (reason === "host") await machine.host();
  if (reason !== "idle") continue;
  const until = machine.until();
  if (until === Infinity || (printed > 0 && until - machine.kernel.time.monotonic() > QUIET)) break;
  machine.advance_idle(until);
}
console.log(JSON.stringify([...order]));
