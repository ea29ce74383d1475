// test/ext4.ts — mounts ext4 images without a CPU, for unit tests: a store that remembers every write, and e2fsprogs as the judge.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BlockStore } from "../arch/um/os.ts";
import { GenDisk } from "../drivers/block/genhd.ts";
import { Ext4FsType, type Ext4SuperBlock } from "../fs/ext4/super.ts";
import type { Ext4Inode } from "../fs/ext4/inode.ts";
import type { Dentry, File, Mount } from "../fs/fs.ts";
import { FsKernel } from "./fs_kernel.ts";

const ENV = { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`, LC_ALL: "C", TZ: "UTC", E2FSPROGS_FAKE_TIME: "1700000000" };

export function tool(program: string, args: readonly string[], input?: string): { status: number; text: string } {
  const r = spawnSync(program, args, { input, encoding: "latin1", env: ENV, maxBuffer: 1 << 28 });
  if (r.error) throw r.error;
  return { status: r.status ?? -1, text: r.stdout + r.stderr };
}

/** A directory that is gone after `use`. */
export function inTemp<T>(use: (dir: string) => T): T {
  const dir = mkdtempSync(join(tmpdir(), "pz-ext4-"));
  try {
    return use(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** An image that mke2fs made: `size` as mke2fs takes it ("16M"), `args` its other arguments. */
export function mke2fs(size: string, ...args: string[]): Uint8Array {
  return inTemp((dir) => {
    const file = join(dir, "image");
    const seed = "7a65726f-0000-4000-8000-6e6f6d6d7565";
    const r = tool("mke2fs", ["-q", "-F", "-t", "ext4", "-U", seed, "-E", `hash_seed=${seed},lazy_itable_init=0,lazy_journal_init=0`, ...args, file, size]);
    if (r.status !== 0) throw new Error(r.text);
    return new Uint8Array(readFileSync(file));
  });
}

/** What e2fsck says of an image: undefined if it is clean. With `recover`, it first does what a machine does when it boots: replays the journal, and repairs nothing that needs a decision. */
export function e2fsck(image: Uint8Array, recover = false): string | undefined {
  return inTemp((dir) => {
    const file = join(dir, "image");
    writeFileSync(file, image);
    if (recover) {
      const r = tool("e2fsck", ["-p", file]);
      if (r.status > 1) return `recovery: ${r.text}`;
    }
    const r = tool("e2fsck", ["-fn", file]);
    return r.status === 0 ? undefined : r.text;
  });
}

/** A disk in memory that remembers its writes, so that it can be had as it was after any of them. */
export class RecordingStore implements BlockStore {
  readonly name = "disk";
  readonly size: number;
  readonly readonly = false;
  /** as it was when the recording began */
  private base: Uint8Array;
  readonly bytes: Uint8Array;
  readonly writes: { pos: number; bytes: Uint8Array; epoch: number }[] = [];
  /** barriers so far */
  private epoch = 0;
  private recording = false;
  constructor(image: Uint8Array) {
    this.base = image.slice();
    this.bytes = image.slice();
    this.size = image.length;
  }
  record(): void {
    this.base = this.bytes.slice();
    this.recording = true;
  }
  read(pos: number, buf: Uint8Array): void {
    buf.set(this.bytes.subarray(pos, pos + buf.length));
  }
  write(pos: number, buf: Uint8Array): void {
    if (this.recording) this.writes.push({ pos, bytes: buf.slice(), epoch: this.epoch });
    this.bytes.set(buf, pos);
  }
  flush(): undefined {
    this.barrier();
  }
  barrier(): void {
    this.epoch++;
  }
  close(): void {}
  /** The disk when the power fails after `n` recorded writes: of those since the last barrier, each KiB may have got there or not. */
  powerCut(n: number, rnd: (n: number) => number): Uint8Array {
    const image = this.base.slice();
    const last = this.writes[n - 1]?.epoch ?? 0;
    for (const w of this.writes.slice(0, n)) {
      if (w.epoch < last) image.set(w.bytes, w.pos);
      else for (let at = 0; at < w.bytes.length; at += 1024) if (rnd(2) === 0) image.set(w.bytes.subarray(at, at + 1024), w.pos + at);
    }
    return image;
  }
  /** The disk after its first `n` recorded writes. */
  after(n: number): Uint8Array {
    const image = this.base.slice();
    for (const w of this.writes.slice(0, n)) image.set(w.bytes, w.pos);
    return image;
  }
}

export const ROOT = { uid: 0, gid: 0 };

/** A mounted image. */
export class Mounted {
  readonly k = new FsKernel();
  readonly store: RecordingStore;
  readonly sb: Ext4SuperBlock;
  constructor(image: Uint8Array | RecordingStore, flags = 0, options = "") {
    this.store = image instanceof Uint8Array ? new RecordingStore(image) : image;
    const { kernel } = this.k;
    kernel.blkdev.add_disk(new GenDisk("ubda", 98, 0, 16, this.store));
    this.sb = new Ext4FsType("ext4").mount(kernel, undefined, "/dev/ubda", flags, options) as Ext4SuperBlock;
  }
  get root(): Ext4Inode {
    return this.sb.s_root.d_inode as Ext4Inode;
  }
  /** The inode of a path, undefined if there is none. */
  find(path: string): Ext4Inode | undefined {
    let at: Ext4Inode | undefined = this.root;
    for (const name of path.split("/")) if (name !== "") at = at?.lookup(name) as Ext4Inode | undefined;
    return at;
  }
  open(inode: Ext4Inode): File {
    const dentry: Dentry = this.sb.s_root;
    return inode.open(undefined, { mnt: { mnt_flags: 0x8 } as Mount, dentry }, 2 | 0o1000000);
  }
  write(inode: Ext4Inode, pos: number, data: Uint8Array): void {
    const file = this.open(inode);
    for (let n = 0; n < data.length; ) n += file.f_op.write(file, this.k.init, data, n, data.length - n, pos + n);
  }
  content(inode: Ext4Inode): Uint8Array {
    const buf = new Uint8Array(inode.i_size);
    if (buf.length > 0) inode.mapping.read(buf, 0, buf.length, 0);
    return buf;
  }
  unlink(dir: Ext4Inode, name: string): void {
    const inode = dir.lookup(name) as Ext4Inode;
    dir.unlink(name, inode);
    if (inode.i_nlink === 0) inode.evict();
  }
  names(dir: Ext4Inode): string[] {
    const found: string[] = [];
    dir.iterate(2, (name) => (found.push(name), true));
    return found;
  }
}

/** The same numbers in the same order for the same seed: numbers below n. */
export function random(seed: number): (n: number) => number {
  let x = seed >>> 0;
  return (n) => {
    x = (Math.imul(x ^ (x >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) >>> 0;
    return Math.floor(((x ^ (x >>> 13)) >>> 0) / 4294967296 * n);
  };
}
