// scripts/soak.ts — `npm run soak -- node|chromium [MINUTES]`: mixed shell work, processes and file writes for as long; what the kernel holds is the same before and after, and the disk is whole.
import { e2fsck, Mounted } from "../worker/test/ext4.ts";
import { image, TestMachine } from "../worker/test/boot.ts";
import { held, WORK } from "../worker/test/soak.ts";
import { MemoryStore } from "../worker/lib/memory_store.ts";
import { Tab } from "./endurance/browser.ts";

const [how = "node", length = "30"] = process.argv.slice(2);
const until = Date.now() + Number(length) * 60_000;
/** writes that go to the disk, beside WORK, most of which is in memory */
const FILES = "mkdir -p /root/s; for i in 1 2 3 4 5 6 7 8 9; do seq 1 $((i*300)) > /root/s/$i; mv /root/s/$i /root/s/x; ln /root/s/x /root/s/$i; rm /root/s/x; done; sync; rm -r /root/s";
const ROUND = [...WORK, FILES];
const CLUSTER = 16384;

function report(rounds: number, before: unknown, after: unknown, same: boolean, bytes: Uint8Array): void {
  const m = new Mounted(bytes);
  m.sb.put_super();
  const wrong = e2fsck(m.store.bytes);
  console.log(`${how}: ${rounds} rounds\nbefore ${JSON.stringify(before)}\nafter  ${JSON.stringify(after)}\n${same ? "nothing is held that was not" : "NOT THE SAME"}; e2fsck -fn: ${wrong ?? "clean"}`);
  process.exit(same && wrong === undefined ? 0 : 1);
}

async function node(): Promise<void> {
  const m = await TestMachine.boot();
  const round = (): void => {
    for (const command of ROUND) m.run(command);
  };
  round();
  const before = held(m.machine.kernel);
  const heap = process.memoryUsage().heapUsed;
  let rounds = 0;
  for (; Date.now() < until; rounds++) round();
  const after = held(m.machine.kernel);
  console.log(`heap ${Math.round(heap / 1e6)} MB before, ${Math.round(process.memoryUsage().heapUsed / 1e6)} MB after; guest time ${(m.machine.kernel.time.monotonic() / 1e9).toFixed(0)} s, ${m.machine.retired} instructions`);
  m.run("sync");
  report(rounds, before, after, JSON.stringify(before) === JSON.stringify(after), m.disks.get("disk")!.bytes);
}

async function inChromium(): Promise<void> {
  const tab = await Tab.start();
  await tab.boot("ubd0=nommu.ext4 rw mem=128m loglevel=3 init=/sbin/init");
  await tab.shows(/# ?$/);
  let n = 0;
  const run = async (command: string): Promise<string> => {
    const id = 1000 + ++n;
    await tab.type(`clear; ${command}; echo ">$((${id}+0))>"\n`);
    const text = await tab.shows(new RegExp(`^>${id}>`, "m"));
    await tab.shows(/# ?$/);
    return text;
  };
  /** memory that is free or some program's (a shell grows by its history; without an MMU statm has a wrapped difference in it, hence the 32 bits), open files, processes */
  const count = async (): Promise<Record<string, number>> => {
    await run("true");
    const text = await run("sleep 1; echo \"<$((($(grep MemFree /proc/meminfo | tr -dc 0-9) + 4 * ($(cut -d' ' -f1 /proc/[0-9]*/statm 2>/dev/null | paste -sd+))) & 0xffffffff)) $(cut -f1 /proc/sys/fs/file-nr) $(ls /proc | grep -c '^[0-9]')<\"");
    const [programs, files, tasks] = /<(\d+) (\d+) (\d+)</.exec(text)!.slice(1).map(Number);
    return { free_or_programs_kib: programs!, files: files!, tasks: tasks! };
  };
  const round = async (): Promise<void> => {
    for (const command of ROUND) await run(command);
  };
  await round();
  const before = await count();
  let rounds = 0;
  for (; Date.now() < until; rounds++) await round();
  const after = await count();
  await run("sync");
  await tab.page.close();
  const store = new MemoryStore("disk", image());
  for (const [at, bytes] of await tab.kept("nommu.ext4")) store.write(at * CLUSTER, bytes);
  // each program's size is rounded to a page, with the kernel's own records of its mappings in it
  const lost = before["free_or_programs_kib"]! - after["free_or_programs_kib"]!;
  report(rounds, before, after, before["files"] === after["files"] && before["tasks"] === after["tasks"] && lost <= 4 * after["tasks"]!, store.bytes);
}

await (how === "chromium" ? inChromium() : node());
