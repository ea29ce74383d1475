// fs/ext4/dir.ts — reading a directory.  cf. fs/ext4/dir.c
//
// Where there is dir_index, names come in the order of their hashes, and a cookie is made of the hash: so a directory can be read while names
// are added and removed, and blocks split. Otherwise names come as they lie, and a cookie is the byte offset.
import { DT_BY_TYPE, dentryName, dirBlocks, dirSpace, ext4_read_dirblock } from "./dirent.ts";
import { dirHash, dx_leaf, dx_next, dx_probe } from "./dx.ts";
import { COMPAT_DIR_INDEX, EXT4_INDEX_FL, INCOMPAT_FILETYPE } from "./ext4.ts";
import type { Ext4Inode } from "./inode.ts";

type Emit = (name: string, ino: number, type: number, next: number) => boolean;

interface Found {
  cookie: number;
  name: string;
  ino: number;
  type: number;
}

/** Emits all names but "." and ".." from cookie `pos` on. */
export function ext4_readdir(dir: Ext4Inode, pos: number, emit: Emit): void {
  const sb = dir.i_sb;
  if (sb.compat & COMPAT_DIR_INDEX && (dir.e_flags & EXT4_INDEX_FL || dirBlocks(dir) === 1)) ext4_dx_readdir(dir, pos, emit);
  else readLinear(dir, pos, emit);
}

function readLinear(dir: Ext4Inode, pos: number, emit: Emit): void {
  const sb = dir.i_sb;
  const bs = sb.s_blocksize;
  const space = dirSpace(dir);
  for (let lblk = Math.floor(pos / bs); lblk < dirBlocks(dir); lblk++) {
    if (dir.bmap(lblk) === 0) continue;
    const bh = ext4_read_dirblock(dir, lblk, false);
    // From the start of the block: where `pos` points, there may be no entry any more.
    for (let o = 0; o < space; ) {
      const len = bh.view.getUint16(o + 4, true);
      const ino = bh.view.getUint32(o, true);
      const at = lblk * bs + o;
      if (ino !== 0 && at >= pos && !isDot(bh.b_data, o)) {
        const type = sb.incompat & INCOMPAT_FILETYPE ? (DT_BY_TYPE[bh.b_data[o + 7]] ?? 0) : 0;
        if (!emit(dentryName(bh.b_data, o), ino, type, at + len)) return;
      }
      o += len;
    }
  }
}

function isDot(b: Uint8Array, o: number): boolean {
  return b[o + 8] === 46 && (b[o + 6] === 1 || (b[o + 6] === 2 && b[o + 9] === 46));
}

/** bits of a cookie below the major hash (which has 31): 19 of the minor one, 2 to tell equals apart; and the two cookies before the first */
const MINOR = 2 ** 21;
const FIRST = 2;

/** cf. ext4_dx_readdir(), ext4_htree_fill_tree() */
function ext4_dx_readdir(dir: Ext4Inode, pos: number, emit: Emit): void {
  const first = Math.max(0, pos - FIRST);
  if ((dir.e_flags & EXT4_INDEX_FL) === 0) {
    const found: Found[] = [];
    gather(dir, 0, found);
    emitSorted(found, pos, emit);
    return;
  }
  const frames = dx_probe(dir, Math.floor(first / MINOR) * 2);
  for (let more = true; more; ) {
    const found: Found[] = [];
    let next: number;
    do {
      gather(dir, dx_leaf(frames), found);
      next = dx_next(dir, frames);
    } while (next >= 0 && (next & 1) !== 0);
    if (!emitSorted(found, pos, emit)) return;
    more = next >= 0;
  }
}

function gather(dir: Ext4Inode, lblk: number, found: Found[]): void {
  const bh = ext4_read_dirblock(dir, lblk, false);
  const space = dirSpace(dir);
  const typed = dir.i_sb.incompat & INCOMPAT_FILETYPE;
  for (let o = 0; o < space; o += bh.view.getUint16(o + 4, true)) {
    const ino = bh.view.getUint32(o, true);
    if (ino === 0 || isDot(bh.b_data, o)) continue;
    const name = dentryName(bh.b_data, o);
    const h = dirHash(dir, name);
    found.push({ cookie: FIRST + (h.hash >>> 1) * MINOR + (h.minor >>> 13) * 4, name, ino, type: typed ? (DT_BY_TYPE[bh.b_data[o + 7]] ?? 0) : 0 });
  }
}

/** Whether all were taken. */
function emitSorted(found: Found[], pos: number, emit: Emit): boolean {
  found.sort((a, b) => a.cookie - b.cookie);
  let last = -1;
  let same = 0;
  for (const f of found) {
    same = f.cookie === last ? Math.min(same + 1, 3) : 0;
    last = f.cookie;
    const cookie = f.cookie + same;
    if (cookie >= pos && !emit(f.name, f.ino, f.type, cookie + 1)) return false;
  }
  return true;
}
