// fs/leases.ts — leases: whoever holds one is told before somebody else opens the file.  cf. fs/locks.c fcntl_setlease(), __break_lease()
import { EACCES, EAGAIN, EINVAL } from "../include/uapi/errno.ts";
import { F_RDLCK, F_UNLCK, F_WRLCK, O_ACCMODE, O_NONBLOCK, O_RDONLY, O_TRUNC } from "../include/uapi/fcntl.ts";
import { S_ISREG } from "../include/uapi/stat.ts";
import { CAP_LEASE, capable } from "../kernel/cred.ts";
import { sleep_on } from "../kernel/sched/wait.ts";
import type { Task } from "../kernel/task.ts";
import { NSEC_PER_SEC } from "../kernel/time/timekeeping.ts";
import { POLL_MSG, send_sigio } from "./fasync.ts";
import type { File, Inode } from "./fs.ts";

/** A lease on a file, through one open File of it. */
export interface Lease {
  readonly file: File;
  /** F_RDLCK, F_WRLCK */
  type: number;
  /** what it must become, F_RDLCK or F_UNLCK; undefined: it is not being broken */
  target: number | undefined;
  /** monotonic ns: then it becomes that by force */
  deadline: number;
}

const of = (inode: Inode): Lease[] => inode.i_flock?.leases ?? [];

/** F_GETLEASE: the type, and of one that is being broken what it is to be.  cf. fcntl_getlease() */
export function fcntl_getlease(task: Task, file: File): number {
  const inode = file.f_inode;
  if (inode === undefined) return F_UNLCK;
  expire(task, inode);
  const lease = of(inode).find((l) => l.file === file);
  return lease === undefined ? F_UNLCK : (lease.target ?? lease.type);
}

/** Open files of an inode, but `but`. There are few leases: nothing counts readers for them. */
function other_opens(task: Task, inode: Inode, but: File): File[] {
  const found = new Set<File>();
  for (const t of task.kernel.tasks.values()) for (const f of t.files?.fds ?? []) if (f !== undefined && f !== but && f.f_inode === inode) found.add(f);
  return [...found];
}

function drop(inode: Inode, lease: Lease): void {
  const ctx = inode.i_flock!;
  ctx.leases.splice(ctx.leases.indexOf(lease), 1);
  ctx.wait.wake_up();
}
/** Leases whose time to be given up is over.  cf. time_out_leases() */
function expire(task: Task, inode: Inode): void {
  for (const lease of [...of(inode)]) {
    if (lease.target === undefined || task.kernel.time.monotonic() < lease.deadline) continue;
    if (lease.target === F_UNLCK) drop(inode, lease);
    else {
      lease.type = lease.target;
      lease.target = undefined;
      inode.i_flock!.wait.wake_up();
    }
  }
}

/** F_SETLEASE. Throws EINVAL, EACCES, EAGAIN.  cf. fcntl_setlease(), generic_add_lease() */
export function fcntl_setlease(task: Task, file: File, type: number): number {
  const inode = file.f_inode;
  if (type !== F_RDLCK && type !== F_WRLCK && type !== F_UNLCK) throw EINVAL;
  if (inode === undefined || !S_ISREG(inode.i_mode)) throw EINVAL;
  if (task.cred.fsuid !== inode.i_uid && !capable(task, CAP_LEASE)) throw EACCES;
  const { locks } = task.kernel.vfs;
  expire(task, inode);
  const mine = of(inode).find((l) => l.file === file);
  if (type === F_UNLCK) {
    if (mine === undefined) throw EAGAIN;
    drop(inode, mine);
    return 0;
  }
  const writes = (f: File): boolean => (f.f_flags & O_ACCMODE) !== O_RDONLY;
  const others = other_opens(task, inode, file);
  if (type === F_RDLCK ? writes(file) || others.some(writes) : others.length > 0) throw EAGAIN;
  // a lease that is being broken makes all new ones wait
  if (of(inode).some((l) => l !== mine && (type === F_WRLCK || l.target === F_UNLCK))) throw EAGAIN;
  if (mine !== undefined) {
    mine.type = type;
    mine.target = undefined;
    inode.i_flock!.wait.wake_up();
    return 0;
  }
  locks.context(inode).leases.push({ file, type, target: undefined, deadline: Infinity });
  if (file.f_owner === 0) file.f_owner = task.tgid;
  return 0;
}

/**
 * Somebody opens the file with `flags`, or truncates it: holders of leases that are in the way are told, and have /proc/sys/fs/lease-break-time seconds to
 * give them up. Sleeps until they have; with O_NONBLOCK throws EAGAIN.  cf. __break_lease()
 */
export function break_lease(task: Task, inode: Inode, flags: number): void {
  if (of(inode).length === 0) return;
  expire(task, inode);
  const writes = (flags & O_ACCMODE) !== O_RDONLY || (flags & O_TRUNC) !== 0;
  const target = writes ? F_UNLCK : F_RDLCK;
  const in_way = of(inode).filter((l) => (writes || l.type === F_WRLCK));
  if (in_way.length === 0) return;
  const { kernel } = task;
  for (const lease of in_way) {
    if (lease.target === F_UNLCK || lease.target === target) continue;
    lease.target = target;
    lease.deadline = kernel.vfs.locks.lease_break_time === 0 ? Infinity : kernel.time.monotonic() + kernel.vfs.locks.lease_break_time * NSEC_PER_SEC;
    send_sigio(kernel, lease.file, POLL_MSG);
  }
  if ((flags & O_NONBLOCK) !== 0) throw EAGAIN;
  sleep_on(task, [inode.i_flock!.wait], { until: Math.min(...in_way.map((l) => l.deadline)) });
}

/** The File goes: so does its lease. */
export function remove_lease(inode: Inode, file: File): void {
  const lease = of(inode).find((l) => l.file === file);
  if (lease !== undefined) drop(inode, lease);
}
