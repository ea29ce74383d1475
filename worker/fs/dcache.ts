// fs/dcache.ts — the directory entry cache: names that were looked up, absent ones too; and paths back to text.  cf. fs/dcache.c, fs/d_path.c
import type { Inode, Mount, Path } from "./fs.ts";
import { Dentry } from "./fs.ts";
import type { Vfs } from "./vfs.ts";

/** Enters `name` into the cache below `parent`.  cf. d_add() */
export function d_add(vfs: Vfs, parent: Dentry, name: string, inode: Inode | undefined): Dentry {
  const dentry = new Dentry(name, parent, inode, parent.d_sb);
  parent.d_children.set(name, dentry);
  vfs.dentry_lru.add(dentry);
  if (vfs.dentry_lru.size > vfs.max_dentries) prune_dcache(vfs, vfs.max_dentries >> 3);
  return dentry;
}

/** Drops up to `n` entries that nobody uses; one that was looked up since the last round gets another chance.  cf. prune_dcache_sb() */
export function prune_dcache(vfs: Vfs, n: number): void {
  let rounds = vfs.dentry_lru.size;
  for (const dentry of vfs.dentry_lru) {
    if (n <= 0 || rounds-- <= 0) return;
    vfs.dentry_lru.delete(dentry);
    if (dentry.d_count > 0 || dentry.d_mounted > 0 || dentry.d_children.size > 0 || dentry.d_referenced || dentry.d_inode?.i_watches !== undefined) {
      dentry.d_referenced = false;
      vfs.dentry_lru.add(dentry);
      continue;
    }
    dentry.d_parent.d_children.delete(dentry.d_name);
    dentry.d_unhashed = true;
    n--;
  }
}

/** Drops what nobody uses of the tree at `dentry`, and that itself if nothing is left below it.  cf. shrink_dcache_parent() */
export function shrink_dcache(vfs: Vfs, dentry: Dentry): void {
  for (const child of [...dentry.d_children.values()]) shrink_dcache(vfs, child);
  if (dentry.d_count === 0 && dentry.d_mounted === 0 && dentry.d_children.size === 0 && dentry.d_inode?.i_watches === undefined) d_drop(vfs, dentry);
}

/** Takes the entry out of the cache (its file was removed): users of the dentry keep it, path walks no longer find it.  cf. d_drop() */
export function d_drop(vfs: Vfs, dentry: Dentry): void {
  if (dentry.d_parent.d_children.get(dentry.d_name) === dentry) dentry.d_parent.d_children.delete(dentry.d_name);
  vfs.dentry_lru.delete(dentry);
  dentry.d_unhashed = true;
}

/** Removal: an unused dentry turns negative, a used one is dropped and keeps its inode.  cf. d_delete() */
export function d_delete(vfs: Vfs, dentry: Dentry): void {
  for (const child of [...dentry.d_children.values()]) d_drop(vfs, child);
  if (dentry.d_count > 0) {
    d_drop(vfs, dentry);
    return;
  }
  dentry.d_inode = undefined;
}

/** After a rename the same dentry has another name and parent, so that open files and working directories follow.  cf. d_move() */
export function d_move(vfs: Vfs, dentry: Dentry, target: Dentry): void {
  d_drop(vfs, target);
  dentry.d_parent.d_children.delete(dentry.d_name);
  dentry.d_parent = target.d_parent;
  dentry.d_name = target.d_name;
  dentry.d_parent.d_children.set(dentry.d_name, dentry);
}

/** RENAME_EXCHANGE */
export function d_exchange(a: Dentry, b: Dentry): void {
  const { d_parent: parent, d_name: name } = a;
  a.d_parent = b.d_parent;
  a.d_name = b.d_name;
  b.d_parent = parent;
  b.d_name = name;
  a.d_parent.d_children.set(a.d_name, a);
  b.d_parent.d_children.set(b.d_name, b);
}

/** Whether `ancestor` is `dentry` or above it in its file system. */
export function is_subdir(dentry: Dentry, ancestor: Dentry): boolean {
  for (let d = dentry; ; d = d.d_parent) {
    if (d === ancestor) return true;
    if (d.d_parent === d) return false;
  }
}

/**
 * The text of a path as seen from `root`; `reachable` tells whether root was met on the way up (getcwd says "(unreachable)" otherwise).
 * A removed file ends with " (deleted)" if `deleted` is set.  cf. d_path(), prepend_path()
 */
export function d_path(path: Path, root: Path | undefined, deleted = true): { text: string; reachable: boolean } {
  let dentry = path.dentry;
  let mnt: Mount = path.mnt;
  let text = "";
  let reachable = true;
  const gone = dentry.d_unhashed && dentry !== mnt.mnt_root;
  for (;;) {
    if (root !== undefined && dentry === root.dentry && mnt === root.mnt) break;
    if (dentry === mnt.mnt_root) {
      if (mnt.mnt_parent === mnt) {
        reachable = root === undefined;
        break;
      }
      dentry = mnt.mnt_mountpoint;
      mnt = mnt.mnt_parent;
      continue;
    }
    if (dentry.d_parent === dentry) break;
    text = `/${dentry.d_name}${text}`;
    dentry = dentry.d_parent;
  }
  if (text === "") text = "/";
  return { text: gone && deleted ? `${text} (deleted)` : text, reachable };
}

/** The path of a dentry inside its file system. */
export function dentry_path(dentry: Dentry): string {
  let text = "";
  for (let d = dentry; d.d_parent !== d; d = d.d_parent) text = `/${d.d_name}${text}`;
  return text === "" ? "/" : text;
}
