// fs/ext4/truncate.ts — freeing the blocks past the end of a file, in steps that fit the journal.  cf. ext4_truncate() in fs/ext4/inode.c
import type { Ext4Inode } from "./inode.ts";
import { ext4_orphan_add, ext4_orphan_del } from "./orphan.ts";

/**
 * Frees all blocks after i_size. A large file is freed over several transactions, from its end, while the inode stands in the orphan list: a
 * crash in between is finished at the next mount.  The caller has started an operation and dropped the pages.
 */
export function ext4_truncate(inode: Ext4Inode): void {
  if (!inode.hasBlocks) return;
  const sb = inode.i_sb;
  const first = Math.ceil(inode.i_size / sb.s_blocksize);
  const { map } = inode;
  const runs: { b: number; n: number }[] = [];
  map.forEach(first, (b, n) => {
    runs.push({ b, n });
    return true;
  });
  let listed = inode.i_orphan;
  for (let i = runs.length - 1; i >= 0; ) {
    if (sb.transactionFull()) {
      if (!listed) ext4_orphan_add(inode);
      listed = true;
      inode.mark_dirty();
      sb.commit();
    }
    // as many extents at once as one step may touch
    let b = runs[i].b;
    const end = runs[i].b + runs[i].n;
    let k = i - 1;
    while (k >= 0 && i - k < 256 && end - runs[k].b < 65536) b = runs[k--].b;
    const from = Math.max(b, first);
    inode.freeRange(from, end - from);
    i = k;
  }
  if (listed && inode.i_nlink > 0) ext4_orphan_del(inode);
}
