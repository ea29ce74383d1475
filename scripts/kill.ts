// scripts/kill.ts — `npm run kill -- node|cow|chromium [POINTS]`: a machine that writes and syncs is killed at random moments; each time the disk must be whole.
//
// node: the process gets SIGKILL, on a disk file. cow: the same on a copy-on-write file. chromium: the tab's process gets SIGKILL, on a disk kept in IndexedDB. The next session
// goes on with what the last one left. After every kill: e2fsck -fn is clean after our own recovery, and every file of a round that the guest had synced is complete.
import { spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "vite";
import { e2fsck, Mounted, random } from "../worker/test/ext4.ts";
import { IMAGE, image } from "../worker/test/boot.ts";
import type { Ext4Inode } from "../worker/fs/ext4/inode.ts";
import { MemoryStore } from "../worker/lib/memory_store.ts";
import { CowStore } from "../worker/os-node/cow.ts";
import { pause, Tab } from "./endurance/browser.ts";

const [how = "node", count = "200"] = process.argv.slice(2).filter((a) => !a.startsWith("--"));
const points = Number(count);
const rnd = random(Number(process.argv.find((a) => a.startsWith("--seed="))?.slice(7) ?? "1"));
const FOLDERS = 40;
const CLUSTER = 16384;

/** A session that writes, links, renames, grows and removes; round `i` says so when it is synced. */
const session = (from: number): string =>
  `i=${from}; mkdir -p /w; while :; do i=$((i+1)); d=/w/$((i%${FOLDERS})); rm -rf $d; mkdir $d; seq $i $((i+i%700)) >$d/a; cp $d/a $d/b; ln $d/b $d/c; ln -s m $d/s; mv $d/a $d/m; seq 1 $((i%900)) >/w/junk; echo $i >>/w/log; sync; echo synced $i.; done`;
const line = (disk: string, from: number): string => `ubd0=${disk} rw mem=64m quiet loglevel=3 init=/bin/sh -- -c "${session(from)}"`;
const lastSynced = (text: string): number => Number([...text.matchAll(/synced (\d+)\./g)].at(-1)?.[1] ?? 0);
const seq = (from: number, to: number): string => Array.from({ length: to - from + 1 }, (_, i) => `${from + i}\n`).join("");

/** What is wrong with the disk after round `last` was told to be synced. */
function check(bytes: Uint8Array, first: number, last: number): string | undefined {
  const m = new Mounted(bytes);
  m.sb.put_super();
  const wrong = e2fsck(m.store.bytes);
  if (wrong !== undefined) return `e2fsck -fn after our recovery: ${wrong}`;
  const again = new Mounted(m.store.bytes, 1);
  const text = (path: string): string | undefined => {
    const inode = again.find(path);
    return inode === undefined ? undefined : Buffer.from(again.content(inode as Ext4Inode)).toString();
  };
  // the rounds after it may be under way: their folders are not looked at
  for (let i = Math.max(first, last - FOLDERS + 4); i <= last; i++) {
    const want = seq(i, i + (i % 700));
    for (const name of ["m", "b", "c"]) if (text(`w/${i % FOLDERS}/${name}`) !== want) return `round ${i} of ${last}: /w/${i % FOLDERS}/${name} is not as it was synced`;
    if (again.find(`w/${i % FOLDERS}/s`)?.readlink(undefined) !== "m") return `round ${i} of ${last}: the symbolic link is not there`;
  }
  if (last > first && !`\n${text("w/log")}`.includes(`\n${last}\n`)) return `round ${last} is not in /w/log`;
  return undefined;
}

interface Host {
  /** Boots, waits for `rounds` synced rounds, then some ms more, and kills; the last round that was told. */
  run(from: number, rounds: number, more: number): Promise<number>;
  disk(): Promise<Uint8Array>;
}

async function inNode(cow: boolean): Promise<Host> {
  image();
  // one file starts several times as fast as the sources
  await build({ configFile: false, logLevel: "warn", build: { ssr: "scripts/vmlinux.ts", outDir: ".cache/kill", target: "node20" } });
  const folder = mkdtempSync(join(tmpdir(), "pagezero-kill-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const base = join(folder, "disk");
  copyFileSync(IMAGE, base);
  const file = cow ? join(folder, "cow") : base;
  return {
    run: (from, rounds, more) =>
      new Promise((resolve, reject) => {
        const args = [".cache/kill/vmlinux.js", ...line(cow ? `${file},${base}` : base, from).split(' -- -c "')[0]!.split(" "), "--", "-c", session(from)];
        const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
        let text = "";
        let killing = false;
        child.stdout.on("data", (d: Buffer) => {
          text += d.toString();
          if (killing || lastSynced(text) < from + rounds) return;
          killing = true;
          setTimeout(() => child.kill("SIGKILL"), more);
        });
        child.on("close", () => (killing ? resolve(lastSynced(text)) : reject(new Error(`the machine ended by itself:\n${text.slice(-2000)}`))));
      }),
    disk: () => {
      if (!cow) return Promise.resolve(new Uint8Array(readFileSync(base)));
      const store = new CowStore(file, base, () => undefined);
      const bytes = new Uint8Array(store.size);
      store.read(0, bytes);
      store.close();
      return Promise.resolve(bytes);
    },
  };
}

async function inChromium(): Promise<Host> {
  const tab = await Tab.start();
  const name = "nommu.ext4";
  return {
    async run(from, rounds, more) {
      await tab.boot(line(name, from));
      let last = 0;
      for (const end = Date.now() + 180_000; last < from + rounds; last = lastSynced(await tab.screen())) {
        if (Date.now() > end) throw new Error(`no round is synced:\n${await tab.screen()}`);
        await pause(10);
      }
      await pause(more);
      last = Math.max(last, lastSynced(await tab.screen()));
      await tab.kill();
      return last;
    },
    async disk() {
      const store = new MemoryStore("disk", image());
      for (const [n, bytes] of await tab.kept(name)) store.write(n * CLUSTER, bytes);
      return store.bytes;
    },
  };
}

const host = how === "chromium" ? await inChromium() : await inNode(how === "cow");
let bad = 0;
let rounds = 0;
let last = 0;
for (let i = 1; i <= points; i++) {
  const from = last + 3;
  last = await host.run(from, 1 + rnd(6), rnd(150));
  rounds += last - from;
  const bytes = await host.disk();
  const wrong = check(bytes, from + 1, last);
  if (wrong !== undefined) {
    bad++;
    console.log(`point ${i}: ${wrong}`);
  }
  if (i % 10 === 0 || i === points) console.log(`${new Date().toISOString()} ${how}: ${i} kills, ${rounds} synced rounds, ${bad} bad`);
}
process.exit(bad === 0 ? 0 : 1);
