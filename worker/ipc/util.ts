// ipc/util.ts — keys, ids and permissions of System V IPC.  cf. ipc/util.c
import { EACCES, EEXIST, EINVAL, EIDRM, ENOENT, ENOSPC, EPERM } from "../include/uapi/errno.ts";
import { CAP_IPC_OWNER, CAP_SYS_ADMIN, capable } from "../kernel/cred.ts";
import type { Task } from "../kernel/task.ts";
import { check_read, check_write, clear_user, get_user_u32, put_user_u16, put_user_u32 } from "../kernel/uaccess.ts";

export const IPC_PRIVATE = 0;
export const IPC_CREAT = 0o1000;
export const IPC_EXCL = 0o2000;
export const IPC_NOWAIT = 0o4000;
export const IPC_RMID = 0;
export const IPC_SET = 1;
export const IPC_STAT = 2;
export const IPC_INFO = 3;
const IPCMNI = 32768;
const S_IRWXUGO = 0o777;

/** struct kern_ipc_perm: what the three kinds of objects share. */
export abstract class IpcObject {
  id = -1;
  key: number;
  uid: number;
  gid: number;
  readonly cuid: number;
  readonly cgid: number;
  mode: number;
  seq = 0;
  deleted = false;
  constructor(task: Task, key: number, mode: number) {
    this.key = key;
    this.uid = this.cuid = task.cred.euid;
    this.gid = this.cgid = task.cred.egid;
    this.mode = mode & S_IRWXUGO;
  }
}

/** Seconds since the epoch. */
export const ipc_now = (task: Task): number => task.kernel.time.realtime().sec;

/** Throws EACCES unless the bits that `flag` asks for are granted.  cf. ipcperms() */
export function ipcperms(task: Task, ipc: IpcObject, flag: number): void {
  const c = task.cred;
  const wanted = (flag >> 6) | (flag >> 3) | flag;
  let granted = ipc.mode;
  if (c.euid === ipc.cuid || c.euid === ipc.uid) granted >>= 6;
  else if (c.egid === ipc.cgid || c.egid === ipc.gid || c.groups.includes(ipc.cgid) || c.groups.includes(ipc.gid)) granted >>= 3;
  if ((wanted & ~granted & 7) !== 0 && !capable(task, CAP_IPC_OWNER)) throw EACCES;
}

/** One kind's objects. An id is a place and a number of turns, so that a stale id is not somebody else's. */
export class IpcIds<T extends IpcObject> {
  readonly slots = new Map<number, T>();
  private last = -1;
  private seq = 0;

  /** Throws ENOSPC. */
  add(ipc: T, limit: number): number {
    if (this.slots.size >= limit) throw ENOSPC;
    let i = this.last;
    do {
      i++;
      if (i >= IPCMNI) {
        i = 0;
        this.seq = (this.seq + 1) & 0xffff;
      }
    } while (this.slots.has(i));
    this.last = i;
    ipc.seq = this.seq;
    ipc.id = this.seq * IPCMNI + i;
    this.slots.set(i, ipc);
    return ipc.id;
  }
  /** Throws EINVAL for an id that was never given out, EIDRM for one whose object is gone. */
  get(id: number): T {
    if (id < 0) throw EINVAL;
    const ipc = this.slots.get(id % IPCMNI);
    if (ipc === undefined) throw EINVAL;
    if (ipc.id !== id) throw EIDRM;
    return ipc;
  }
  remove(ipc: T): void {
    ipc.deleted = true;
    ipc.key = IPC_PRIVATE;
    this.slots.delete(ipc.id % IPCMNI);
  }
  /** The highest place in use, which the *_INFO calls return. */
  max(): number {
    let max = 0;
    for (const i of this.slots.keys()) max = Math.max(max, i);
    return max;
  }
  /** by place, for *_STAT */
  at(index: number): T {
    const ipc = this.slots.get(index % IPCMNI);
    if (index < 0 || ipc === undefined) throw EINVAL;
    return ipc;
  }

  /** xxxget(2): finds by key or makes.  cf. ipcget() */
  ipcget(task: Task, key: number, flg: number, make: () => T, limit: number, check: (found: T) => void): number {
    if (key !== IPC_PRIVATE) {
      for (const ipc of this.slots.values()) {
        if (ipc.key !== key) continue;
        if ((flg & IPC_CREAT) !== 0 && (flg & IPC_EXCL) !== 0) throw EEXIST;
        check(ipc);
        ipcperms(task, ipc, flg);
        return ipc.id;
      }
      if ((flg & IPC_CREAT) === 0) throw ENOENT;
    }
    if (this.slots.size >= limit) throw ENOSPC;
    return this.add(make(), limit);
  }
}

/** IPC_SET, IPC_RMID: only the owner, the maker or the administrator. */
export function ipc_check_owner(task: Task, ipc: IpcObject): void {
  const { euid } = task.cred;
  if (euid !== ipc.cuid && euid !== ipc.uid && !capable(task, CAP_SYS_ADMIN)) throw EPERM;
}

/** struct ipc64_perm, 48 bytes, as the first member of a *_ds of `size` bytes, which is cleared. */
export function put_perm(task: Task, at: number, ipc: IpcObject, size: number): void {
  const m = task.kernel.mem;
  check_write(m, at, size);
  clear_user(m, at, size);
  put_user_u32(m, at, ipc.key >>> 0);
  put_user_u32(m, at + 4, ipc.uid);
  put_user_u32(m, at + 8, ipc.gid);
  put_user_u32(m, at + 12, ipc.cuid);
  put_user_u32(m, at + 16, ipc.cgid);
  put_user_u32(m, at + 20, ipc.mode);
  put_user_u16(m, at + 24, ipc.seq);
}
/** What IPC_SET changes of it. */
export function get_perm(task: Task, at: number, ipc: IpcObject): void {
  const m = task.kernel.mem;
  check_read(m, at, 48);
  ipc.uid = get_user_u32(m, at + 4);
  ipc.gid = get_user_u32(m, at + 8);
  ipc.mode = (ipc.mode & ~S_IRWXUGO) | (get_user_u32(m, at + 20) & S_IRWXUGO);
}
