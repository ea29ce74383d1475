// machine/disk_diff.ts — what differs between two states of a disk, file by file: "what did I do?"
import { sameBytes } from "../lib/bytes.ts";
import type { BlockStore } from "../arch/um/os.ts";
import type { Ext4Inode } from "../fs/ext4/inode.ts";
import { Errno } from "../include/uapi/errno.ts";
import { S_IFMT, S_ISDIR, S_ISLNK, S_ISREG } from "../include/uapi/stat.ts";
import type { DiskChange } from "../protocol.ts";
import { bareKernel, bareMount } from "./bare.ts";
import { OverlayStore } from "./overlay.ts";

/** bytes compared at once */
const CHUNK = 1 << 16;

/** The root directory of the ext4 file system on `store`, as it is after recovery. `store` is not written to. Throws a sentence. */
function rootOf(store: Pick<BlockStore, "size" | "read">): Ext4Inode {
  try {
    return bareMount(bareKernel(0), new OverlayStore(store)).s_root.d_inode as Ext4Inode;
  } catch (e) {
    if (e instanceof Errno) throw new Error("there is no ext4 file system on this disk that could be compared (a partitioned disk, perhaps)");
    throw e;
  }
}

/** Entries by name, without "." and "..". */
function entries(dir: Ext4Inode): Map<string, Ext4Inode> {
  const names: string[] = [];
  dir.iterate(2, (name) => (names.push(name), true));
  return new Map(names.sort().map((name) => [name, dir.lookup(name) as Ext4Inode]));
}


function sameContent(a: Ext4Inode, b: Ext4Inode): boolean {
  if (a.i_size !== b.i_size) return false;
  const x = new Uint8Array(Math.min(CHUNK, a.i_size));
  const y = new Uint8Array(x.length);
  for (let at = 0; at < a.i_size; at += CHUNK) {
    const n = Math.min(CHUNK, a.i_size - at);
    a.mapping.read(x, 0, n, at);
    b.mapping.read(y, 0, n, at);
    if (!sameBytes(x.subarray(0, n), y.subarray(0, n))) return false;
  }
  return true;
}

/** What of an inode of the same kind is different, in words; empty: nothing that a person would see. */
function differences(a: Ext4Inode, b: Ext4Inode): string[] {
  const out: string[] = [];
  // whatever is written to a file changes its ctime: the same record is the same file
  const record = (i: Ext4Inode): string => [i.i_ino, i.i_generation, i.i_size, i.i_mode, i.i_uid, i.i_gid, i.i_mtime.sec, i.i_mtime.nsec, i.i_ctime.sec, i.i_ctime.nsec].join();
  if (record(a) === record(b)) return out;
  if (S_ISREG(a.i_mode) && !sameContent(a, b)) out.push("content");
  if (S_ISLNK(a.i_mode) && a.readlink(undefined) !== b.readlink(undefined)) out.push("target");
  if (a.i_rdev !== b.i_rdev) out.push("device");
  if (a.i_mode !== b.i_mode) out.push("mode");
  if (a.i_uid !== b.i_uid || a.i_gid !== b.i_gid) out.push("owner");
  // a directory's time changes with its entries, which are told themselves
  if (!S_ISDIR(a.i_mode) && a.i_mtime.sec !== b.i_mtime.sec && out.length === 0) out.push("time");
  return out;
}

class Walk {
  readonly found: DiskChange[] = [];
  visited = 0;

  private note(path: string, inode: Ext4Inode, kind: DiskChange["kind"], what: string, before = 0): void {
    const dir = S_ISDIR(inode.i_mode);
    this.found.push({ path: dir ? `${path}/` : path, kind, what, size: dir ? 0 : inode.i_size, before });
  }
  /** All of a tree that is only on one side. */
  *whole(path: string, inode: Ext4Inode, kind: "added" | "removed"): Generator<number> {
    yield ++this.visited;
    this.note(path, inode, kind, "");
    if (S_ISDIR(inode.i_mode)) for (const [name, child] of entries(inode)) yield* this.whole(`${path}/${name}`, child, kind);
  }
  *both(path: string, a: Ext4Inode, b: Ext4Inode): Generator<number> {
    yield ++this.visited;
    if ((a.i_mode & S_IFMT) !== (b.i_mode & S_IFMT)) {
      yield* this.whole(path, a, "removed");
      yield* this.whole(path, b, "added");
      return;
    }
    const what = differences(a, b);
    if (what.length > 0) this.note(path === "" ? "/" : path, b, "changed", what.join(", "), S_ISDIR(a.i_mode) ? 0 : a.i_size);
    if (!S_ISDIR(a.i_mode)) return;
    const old = entries(a);
    const now = entries(b);
    for (const name of [...new Set([...old.keys(), ...now.keys()])].sort()) {
      const [x, y] = [old.get(name), now.get(name)];
      const child = `${path}/${name}`;
      if (x === undefined) yield* this.whole(child, y!, "added");
      else if (y === undefined) yield* this.whole(child, x, "removed");
      else yield* this.both(child, x, y);
    }
  }
}

/** The files that differ, by path, a step at a time: gives how many were looked at. Neither disk is written to. Throws an Error with a sentence. */
export function* diskDiff(before: Pick<BlockStore, "size" | "read">, after: Pick<BlockStore, "size" | "read">): Generator<number, DiskChange[]> {
  const walk = new Walk();
  yield* walk.both("", rootOf(before), rootOf(after));
  return walk.found;
}
