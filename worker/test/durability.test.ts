// worker/test/durability.test.ts — what a booted machine asks of its disk's host when the guest syncs: barriers around each commit block, and a flush at the end.
import { expect, test } from "vitest";
import { loadIced } from "../cpu/iced.ts";
import { Machine } from "../machine.ts";
import { MemoryStore } from "../lib/memory_store.ts";
import { NodeOs } from "../os-node/os.ts";
import { image } from "./boot.ts";

class HeardStore extends MemoryStore {
  heard = "";
  override write(pos: number, buf: Uint8Array): void {
    super.write(pos, buf);
    if (!this.heard.endsWith("w")) this.heard += "w";
  }
  barrier(): void {
    this.heard += "|";
  }
  override flush(): undefined {
    this.heard += "f";
  }
}

test("sync: journal, barrier, commit block, barrier, blocks in place, flush", async () => {
  const store = new HeardStore("disk", image());
  let text = "";
  const os = new NodeOs({ disks: new Map([["disk", store]]), print: () => undefined, write: (_line, bytes) => (text += Buffer.from(bytes).toString()) });
  const machine = new Machine({ cmdline: 'ubd0=disk rw mem=64m quiet loglevel=1 init=/bin/sh -- -c "echo x > /root/x; echo ready; read a; sync; echo synced; read a"', os, iced: await loadIced(), shared: false });
  machine.boot();
  const until = (what: string): void => {
    while (!text.includes(what)) if (machine.run(100_000) === "halted") throw new Error(text);
  };
  until("ready");
  store.heard = "";
  machine.input(0, Buffer.from("\n"));
  until("synced");
  // sync(2) flushes the file system, and then every disk
  expect(store.heard).toBe("w|w|wff");
});
