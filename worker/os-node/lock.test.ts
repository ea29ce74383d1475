// os-node/lock.test.ts — a disk's file is one machine's; what a killed one left behind does not count
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FileStore } from "./block.ts";

test("locked while another process writes, free when it was killed, shared on request", async () => {
  const path = join(mkdtempSync(join(tmpdir(), "pagezero-lock-")), "disk");
  writeFileSync(path, new Uint8Array(4096));
  const other = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
  await once(other, "spawn");
  const stat = spawnSync("cat", [`/proc/${other.pid}/stat`], { encoding: "latin1" }).stdout;
  writeFileSync(`${path}.lock`, `${other.pid} ${stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]}\n`);
  const open = (more = {}): FileStore => new FileStore(path, { readonly: false, sync: false, ...more });
  expect(() => open()).toThrow(`${path} is in use by another machine (process ${other.pid}).`);
  open({ shared: true }).close();
  open({ readonly: true }).close();
  other.kill("SIGKILL");
  await once(other, "exit");
  const store = open();
  // the same process may open it again: a machine that restarts
  open().close();
  store.close();
  expect(existsSync(`${path}.lock`)).toBe(false);
  // a number that was given out again is not the process that locked it
  writeFileSync(`${path}.lock`, `${process.pid} 1\n`);
  open().close();
});
