// fs/locks.ts — advisory locks: POSIX (fcntl), open file description, and flock.  cf. fs/locks.c
import { EAGAIN, EBADF, EDEADLK, EINVAL, EOVERFLOW } from "../include/uapi/errno.ts";
import {
  F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW, F_RDLCK, F_SETLKW, F_UNLCK, F_WRLCK, LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN, SEEK_CUR, SEEK_END, SEEK_SET,
} from "../include/uapi/fcntl.ts";
import { Fd, Int, SYSCALL_DEFINE } from "../kernel/syscall.ts";
import { WaitQueue, sleep_on } from "../kernel/sched/wait.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Task } from "../kernel/task.ts";
import { check_read, put_user_u16, put_user_u32, put_user_u64, get_user_s64, get_user_s32, get_user_u16 } from "../kernel/uaccess.ts";
import type { File, Inode } from "./fs.ts";
import type { FilesStruct } from "./fs_struct.ts";
import { remove_lease, type Lease } from "./leases.ts";

/** Past every file position: a lock to the end of file, however far it grows. */
const OFFSET_MAX = Infinity;

/** Who holds a lock: a descriptor table (POSIX locks belong to processes) or an open file (OFD, flock). */
export type LockOwner = FilesStruct | File;

export interface FileLock {
  owner: LockOwner;
  /** the File it was taken through */
  file: File;
  /** F_RDLCK, F_WRLCK */
  type: number;
  /** first byte and last byte */
  start: number;
  end: number;
  /** process id, -1 for OFD locks */
  pid: number;
}

/** The locks on one inode. */
export class FileLockContext {
  readonly posix: FileLock[] = [];
  readonly flock: FileLock[] = [];
  readonly leases: Lease[] = [];
  /** whoever waits for any of them */
  readonly wait: WaitQueue = new WaitQueue();
}

export class FileLocks {
  /** /proc/sys/fs/lease-break-time, seconds */
  lease_break_time = 45;
  /** owners that sleep in F_SETLKW, and whom each waits for: deadlock detection */
  readonly blocked = new Map<LockOwner, LockOwner>();

  /** /proc/locks: every lock of every file that is open somewhere, in the order of the descriptor tables.  cf. locks_show() */
  static show(kernel: Kernel): string {
    const seen = new Set<Inode>();
    let id = 0;
    let s = "";
    for (const task of kernel.tasks.values())
      for (const file of task.files?.fds ?? []) {
        const inode = file?.f_inode;
        if (inode?.i_flock === undefined || seen.has(inode)) continue;
        seen.add(inode);
        const dev = inode.i_sb.s_dev;
        const where = `${(dev >>> 20).toString(16).padStart(2, "0")}:${(dev & 0xfffff).toString(16).padStart(2, "0")}:${inode.i_ino}`;
        for (const l of inode.i_flock.leases)
          s += `${++id}: LEASE  ${l.target === undefined ? "ACTIVE   " : "BREAKING "} ${(l.target ?? l.type) === F_WRLCK ? "WRITE" : (l.target ?? l.type) === F_RDLCK ? "READ " : "UNLCK"} ${l.file.f_owner} ${where} 0 EOF
`;
        const all: [string, FileLock][] = [];
        for (const l of inode.i_flock.flock) all.push(["FLOCK ", l]);
        for (const l of inode.i_flock.posix) all.push([l.pid === -1 ? "OFDLCK" : "POSIX ", l]);
        for (const [kind, l] of all)
          s += `${++id}: ${kind} ADVISORY  ${l.type === F_WRLCK ? "WRITE" : "READ "} ${l.pid} ${where} ${l.start} ${l.end === OFFSET_MAX ? "EOF" : l.end}
`;
      }
    return s;
  }
  context(inode: Inode): FileLockContext {
    return (inode.i_flock ??= new FileLockContext());
  }
  /** A process closed a descriptor of the inode: its POSIX locks go.  cf. locks_remove_posix() */
  remove_posix(inode: Inode, owner: FilesStruct): void {
    const ctx = inode.i_flock!;
    this.drop(ctx, ctx.posix, (l) => l.owner === owner);
  }
  /** The last reference to a File goes: OFD locks and flocks go.  cf. locks_remove_file() */
  remove_file(inode: Inode, file: File): void {
    const ctx = inode.i_flock!;
    this.drop(ctx, ctx.posix, (l) => l.owner === file);
    this.drop(ctx, ctx.flock, (l) => l.owner === file);
    remove_lease(inode, file);
  }
  private drop(ctx: FileLockContext, list: FileLock[], which: (l: FileLock) => boolean): void {
    let any = false;
    for (let i = list.length - 1; i >= 0; i--)
      if (which(list[i]!)) {
        list.splice(i, 1);
        any = true;
      }
    if (any) ctx.wait.wake_up();
  }
  /** Whether `owner`'s waiting for `holder` would close a circle. */
  deadlocks(owner: LockOwner, holder: LockOwner): boolean {
    let at: LockOwner | undefined = holder;
    for (let i = 0; at !== undefined && i < 10; i++) {
      at = this.blocked.get(at);
      if (at === owner) return true;
    }
    return false;
  }
}

/** F_OFD_GETLK with F_UNLCK asks for one's own.  cf. posix_test_locks_conflict() */
const in_the_way = (a: FileLock, type: number, start: number, end: number, owner: LockOwner): boolean =>
  type === F_UNLCK ? a.owner === owner && a.start <= end && start <= a.end : conflicts(a, type, start, end, owner);
const conflicts = (a: FileLock, type: number, start: number, end: number, owner: LockOwner): boolean =>
  a.owner !== owner && a.start <= end && start <= a.end && (a.type === F_WRLCK || type === F_WRLCK);

/**
 * Sets or removes [start, end] for the owner of `lock`: cuts what it had there, joins neighbours of the same type. The locks of one owner stand together, by
 * their starts, and owners in the order they came in; F_GETLK tells the first that is in the way.  cf. posix_lock_inode()
 */
function posix_set(ctx: FileLockContext, lock: FileLock, unlock: boolean): void {
  const list = ctx.posix;
  let request = lock;
  let added = unlock;
  let left: FileLock | undefined;
  let right: FileLock | undefined;
  let i = list.findIndex((l) => l.owner === lock.owner);
  if (i < 0) i = list.length;
  // an unlock has been "added" once it has met what it takes away: it is in no list
  while (i < list.length && list[i]!.owner === lock.owner) {
    const l = list[i]!;
    if (!unlock && l.type === request.type) {
      if (l.end >= request.start - 1) {
        if (l.start - 1 > request.end) break;
        l.start = request.start = Math.min(l.start, request.start);
        l.end = request.end = Math.max(l.end, request.end);
        if (added) {
          list.splice(i, 1);
          continue;
        }
        request = l;
        added = true;
      }
    } else if (l.end >= request.start) {
      if (l.start > request.end) break;
      if (l.start < request.start) left = l;
      if (l.end > request.end) {
        right = l;
        break;
      }
      if (l.start >= request.start) {
        if (added) {
          list.splice(i, 1);
          continue;
        }
        request = list[i] = { ...request };
        added = true;
      }
    }
    i++;
  }
  if (!added) list.splice(i, 0, (request = { ...request }));
  if (right !== undefined) {
    // one in the middle breaks it in two
    if (left === right) list.splice(i, 0, (left = { ...right }));
    right.start = request.end + 1;
  }
  if (left !== undefined) left.end = request.start - 1;
  ctx.wait.wake_up();
}

/** struct flock of user memory, made absolute. */
function flock_to_posix(task: Task, file: File, addr: number): { type: number; start: number; end: number; pid: number } {
  const m = task.kernel.mem;
  check_read(m, addr, 32);
  const type = get_user_u16(m, addr);
  const whence = get_user_u16(m, addr + 2);
  const off = get_user_s64(m, addr + 8);
  const len = get_user_s64(m, addr + 16);
  const base = whence === SEEK_SET ? 0 : whence === SEEK_CUR ? file.f_pos : whence === SEEK_END ? (file.f_inode?.i_size ?? 0) : -1;
  if (base < 0) throw EINVAL;
  if (off > 2 ** 63 - base) throw EOVERFLOW;
  let start = base + off;
  let end = OFFSET_MAX;
  if (start < 0) throw EINVAL;
  if (len > 0) {
    if (len - 1 > 2 ** 63 - start) throw EOVERFLOW;
    end = start + len - 1;
  }
  else if (len < 0) {
    if (start + len < 0) throw EINVAL;
    end = start - 1;
    start += len;
  }
  if (type !== F_RDLCK && type !== F_WRLCK && type !== F_UNLCK) throw EINVAL;
  return { type, start, end, pid: get_user_s32(m, addr + 24) };
}

/** F_GETLK, F_OFD_GETLK: the first lock in the way, written back; or F_UNLCK. */
export function fcntl_getlk(task: Task, file: File, cmd: number, addr: number): number {
  const want = flock_to_posix(task, file, addr);
  const ofd = cmd === F_OFD_GETLK;
  if (ofd ? want.pid !== 0 : want.type === F_UNLCK) throw EINVAL;
  const owner: LockOwner = ofd ? file : task.files!;
  const m = task.kernel.mem;
  const found = file.f_inode?.i_flock?.posix.find((l) => in_the_way(l, want.type, want.start, want.end, owner));
  if (found === undefined) {
    put_user_u16(m, addr, F_UNLCK);
    return 0;
  }
  put_user_u16(m, addr, found.type);
  put_user_u16(m, addr + 2, SEEK_SET);
  put_user_u64(m, addr + 8, found.start);
  put_user_u64(m, addr + 16, found.end === OFFSET_MAX ? 0 : found.end - found.start + 1);
  put_user_u32(m, addr + 24, found.pid);
  return 0;
}

/** F_SETLK(W), F_OFD_SETLK(W). Throws EAGAIN, EDEADLK, EBADF (mode), EINVAL. */
export function fcntl_setlk(task: Task, file: File, cmd: number, addr: number): number {
  const inode = file.f_inode;
  if (inode === undefined) throw EBADF;
  const want = flock_to_posix(task, file, addr);
  const ofd = cmd === F_OFD_SETLK || cmd === F_OFD_SETLKW;
  if (ofd && want.pid !== 0) throw EINVAL;
  if (want.type === F_RDLCK && !file.readable) throw EBADF;
  if (want.type === F_WRLCK && !file.writable) throw EBADF;
  const { locks } = task.kernel.vfs;
  const owner: LockOwner = ofd ? file : task.files!;
  locks.blocked.delete(owner);
  const ctx = locks.context(inode);
  if (want.type !== F_UNLCK) {
    const found = ctx.posix.find((l) => conflicts(l, want.type, want.start, want.end, owner));
    if (found !== undefined) {
      if (cmd !== F_SETLKW && cmd !== F_OFD_SETLKW) throw EAGAIN;
      if (!ofd && locks.deadlocks(owner, found.owner)) throw EDEADLK;
      if (!task.signal_pending()) locks.blocked.set(owner, found.owner);
      sleep_on(task, [ctx.wait]);
    }
  }
  posix_set(ctx, { owner, file, type: want.type, start: want.start, end: want.end, pid: ofd ? -1 : task.tgid }, want.type === F_UNLCK);
  return 0;
}

const LOCK_MAND = 32;
/** flock(2) */
export const sys_flock = SYSCALL_DEFINE("flock", [Fd, Int], (task, fd, cmd) => {
  // mandatory locks are gone: nothing happens
  if ((cmd & LOCK_MAND) !== 0) return 0;
  const op = cmd & ~LOCK_NB;
  if (op !== LOCK_SH && op !== LOCK_EX && op !== LOCK_UN) throw EINVAL;
  const file = task.files!.fget(fd);
  const inode = file.f_inode;
  if (inode === undefined) throw EBADF;
  const ctx = task.kernel.vfs.locks.context(inode);
  const mine = ctx.flock.findIndex((l) => l.owner === file);
  const type = op === LOCK_EX ? F_WRLCK : F_RDLCK;
  if (op === LOCK_UN || (mine >= 0 && ctx.flock[mine]!.type !== type)) {
    // a conversion lets go first, as Linux does
    if (mine >= 0) {
      ctx.flock.splice(mine, 1);
      ctx.wait.wake_up();
    }
    if (op === LOCK_UN) return 0;
  } else if (mine >= 0) return 0;
  if (ctx.flock.some((l) => l.owner !== file && (l.type === F_WRLCK || type === F_WRLCK))) {
    if ((cmd & LOCK_NB) !== 0) throw EAGAIN;
    sleep_on(task, [ctx.wait]);
  }
  ctx.flock.push({ owner: file, file, type, start: 0, end: OFFSET_MAX, pid: task.tgid });
  return 0;
});
