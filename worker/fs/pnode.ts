// fs/pnode.ts — propagation of mounts: peer groups, their slaves, unbindable mounts.  cf. fs/pnode.c, Documentation/filesystems/sharedsubtree.rst
//
// A shared mount is of a peer group (mnt_group_id), a slave has a group as its master (mnt_master): what is mounted below a mount appears below all
// its peers and, downwards, below their slaves.
import { MS_PRIVATE, MS_SHARED, MS_SLAVE, MS_UNBINDABLE } from "../include/uapi/mount.ts";
import { is_subdir } from "./dcache.ts";
import type { Dentry, Mount } from "./fs.ts";
import type { Vfs } from "./vfs.ts";

export const is_mnt_shared = (mnt: Mount): boolean => mnt.mnt_group_id !== 0;

/** Every mount that the kernel knows: in the tree, or in one of the trees that only a descriptor holds. */
function* all_mounts(vfs: Vfs): Generator<Mount> {
  yield* vfs.mounts;
  yield* vfs.detached;
}
const has_peers = (vfs: Vfs, group: number, but: Mount): boolean => {
  for (const m of all_mounts(vfs)) if (m !== but && m.mnt_group_id === group) return true;
  return false;
};

/** The lowest number that no group has: it is used again when its group is gone.  cf. mnt_alloc_group_id() */
function mnt_alloc_group_id(vfs: Vfs, but: readonly number[] = []): number {
  const used = new Set<number>(but);
  for (const m of all_mounts(vfs)) used.add(m.mnt_group_id).add(m.mnt_master);
  let id = 1;
  while (used.has(id)) id++;
  return id;
}
function new_groups(vfs: Vfs, n: number): number[] {
  const ids: number[] = [];
  for (let i = 0; i < n; i++) ids.push(mnt_alloc_group_id(vfs, ids));
  return ids;
}

/** `mnt` and all below it. */
export function* mount_tree(mnt: Mount): Generator<Mount> {
  yield mnt;
  for (const child of mnt.mnt_mounts) yield* mount_tree(child);
}

/** The mount leaves its peer group; if it was the last member, the group's slaves get its master. */
function leave_group(vfs: Vfs, mnt: Mount): void {
  const group = mnt.mnt_group_id;
  mnt.mnt_group_id = 0;
  if (group === 0 || has_peers(vfs, group, mnt)) return;
  for (const m of all_mounts(vfs)) if (m.mnt_master === group) m.mnt_master = mnt.mnt_master;
}

/** Gives a mount its type: one of MS_SHARED, MS_PRIVATE, MS_SLAVE, MS_UNBINDABLE.  cf. change_mnt_propagation() */
export function change_mnt_propagation(vfs: Vfs, mnt: Mount, type: number): void {
  if (type === MS_SHARED) {
    mnt.mnt_unbindable = false;
    if (mnt.mnt_group_id === 0) mnt.mnt_group_id = mnt_alloc_group_id(vfs);
    return;
  }
  if (type === MS_SLAVE) {
    mnt.mnt_unbindable = false;
    const group = mnt.mnt_group_id;
    if (group === 0) return;
    const peers = has_peers(vfs, group, mnt);
    leave_group(vfs, mnt);
    if (peers) mnt.mnt_master = group;
    return;
  }
  leave_group(vfs, mnt);
  mnt.mnt_master = 0;
  mnt.mnt_unbindable = type === MS_UNBINDABLE;
}
export const PROPAGATION = MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE;

/** The mounts that what happens on `mnt` happens on, too, each with the group through which it hears of it. Nearest first. */
function receivers(vfs: Vfs, mnt: Mount): { mnt: Mount; from: number; slave: boolean }[] {
  const found: { mnt: Mount; from: number; slave: boolean }[] = [];
  const groups = mnt.mnt_group_id === 0 ? [] : [mnt.mnt_group_id];
  for (const group of groups)
    for (const m of vfs.mounts) {
      if (m === mnt || found.some((f) => f.mnt === m)) continue;
      if (m.mnt_group_id === group) found.push({ mnt: m, from: group, slave: false });
      else if (m.mnt_master === group) {
        found.push({ mnt: m, from: group, slave: true });
        if (m.mnt_group_id !== 0 && !groups.includes(m.mnt_group_id)) groups.push(m.mnt_group_id);
      }
    }
  return found;
}

/**
 * `source` (a tree) was mounted on `where`, whose mount is shared: copies appear below all that hear of it. `copy` makes a copy of the tree, `attach`
 * puts it in its place.  cf. propagate_mnt()
 */
export function propagate_mnt(vfs: Vfs, source: Mount, where: Mount, at: Dentry, copy: (from: Mount) => Mount, attach: (mnt: Mount, to: Mount, at: Dentry) => void): void {
  const tree = [...mount_tree(source)];
  // what is mounted on a shared mount is shared itself
  for (const m of tree) if (m.mnt_group_id === 0) m.mnt_group_id = mnt_alloc_group_id(vfs);
  const groups = new Map<number, number[]>([[where.mnt_group_id, tree.map((m) => m.mnt_group_id)]]);
  for (const { mnt: to, from, slave } of receivers(vfs, where)) {
    if (!is_subdir(at, to.mnt_root)) continue;
    const above = groups.get(from) ?? [];
    const made = copy(source);
    const nodes = [...mount_tree(made)];
    let ids = slave ? groups.get(to.mnt_group_id) : above;
    if (slave && ids === undefined && to.mnt_group_id !== 0) {
      ids = new_groups(vfs, nodes.length);
      groups.set(to.mnt_group_id, ids);
    }
    nodes.forEach((node, i) => {
      node.mnt_group_id = ids?.[i] ?? 0;
      if (slave) node.mnt_master = above[i] ?? 0;
    });
    attach(made, to, at);
  }
}

/** What goes with `mnt` when it is unmounted: the copies of it that propagation made.  cf. propagate_umount() */
export function propagated_to(vfs: Vfs, mnt: Mount): Mount[] {
  const at = mnt.mnt_mountpoint;
  const out: Mount[] = [];
  for (const { mnt: to } of receivers(vfs, mnt.mnt_parent)) {
    const child = vfs.mountpoints.get(at)?.findLast((m) => m.mnt_parent === to);
    if (child !== undefined && child !== mnt) out.push(child);
  }
  return out;
}
