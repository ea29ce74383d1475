// ipc/sem.ts — System V semaphores.  cf. ipc/sem.c
import { E2BIG, EAGAIN, EFBIG, EIDRM, EINTR, EINVAL, ERANGE } from "../include/uapi/errno.ts";
import { WaitQueue, sleep_on } from "../kernel/sched/wait.ts";
import { Hex, Int, Ptr, SYSCALL_DEFINE, UInt, Long } from "../kernel/syscall.ts";
import { SysvSem, restart_state, type Task } from "../kernel/task.ts";
import { get_timespec } from "../kernel/time/time.ts";
import { check_read, check_write, get_user_u16, put_user_u16, put_user_u32, put_user_u64 } from "../kernel/uaccess.ts";
import { IPC_INFO, IPC_NOWAIT, IPC_RMID, IPC_SET, IPC_STAT, IpcObject, get_perm, ipc_check_owner, ipc_now, ipcperms, put_perm } from "./util.ts";

export const SEMMNI = 32000;
export const SEMMSL = 32000;
export const SEMOPM = 500;
const SEMVMX = 32767;
const SEM_UNDO = 0x1000;
const GETPID = 11;
const GETVAL = 12;
const GETALL = 13;
const GETNCNT = 14;
const GETZCNT = 15;
const SETVAL = 16;
const SETALL = 17;
const SEM_STAT = 18;
const SEM_INFO = 19;
const SEM_STAT_ANY = 20;

interface Sembuf {
  readonly num: number;
  readonly op: number;
  readonly flg: number;
}

export class SemArray extends IpcObject {
  readonly values: number[];
  readonly pids: number[];
  otime = 0;
  ctime: number;
  readonly wq: WaitQueue = new WaitQueue();
  /** the operation that each sleeper could not do */
  readonly blocked = new Map<Task, Sembuf>();
  constructor(task: Task, key: number, mode: number, nsems: number) {
    super(task, key, mode);
    this.values = Array.from({ length: nsems }, () => 0);
    this.pids = Array.from({ length: nsems }, () => 0);
    this.ctime = ipc_now(task);
  }
}

/** What SEM_UNDO will add when its users are gone. */
export class SemUndoList {
  readonly adjust = new Map<SemArray, number[]>();
  /** The last user is gone: undoes. */
  exit_sem(task: Task): void {
    for (const [sma, adj] of this.adjust) {
      if (sma.deleted) continue;
      adj.forEach((a, i) => {
        if (a === 0) return;
        sma.values[i] = Math.max(0, Math.min(SEMVMX, sma.values[i]! + a));
        sma.pids[i] = task.tgid;
      });
      sma.otime = ipc_now(task);
      sma.wq.wake_up();
    }
  }
}

/** semget(2) */
export const sys_semget = SYSCALL_DEFINE("semget", [Int, Int, Hex], (task, key, nsems, semflg) => {
  if (nsems < 0 || nsems > SEMMSL) throw EINVAL;
  const make = (): SemArray => {
    if (nsems === 0) throw EINVAL;
    return new SemArray(task, key, semflg, nsems);
  };
  return task.kernel.ipc.sem.ipcget(task, key, semflg, make, SEMMNI, (sma) => {
    if (nsems > sma.values.length) throw EINVAL;
  });
});

interface SemWait {
  sma: SemArray;
  until: number;
  sleeping: boolean;
}

/** Tries all operations at once; the first that cannot be done, or undefined when all are. Throws ERANGE. */
function perform(task: Task, sma: SemArray, sops: readonly Sembuf[]): Sembuf | undefined {
  const next = new Map<number, number>();
  for (const s of sops) {
    const v = next.get(s.num) ?? sma.values[s.num]!;
    if (s.op === 0 ? v !== 0 : v + s.op < 0) return s;
    if (v + s.op > SEMVMX) throw ERANGE;
    next.set(s.num, v + s.op);
  }
  const undo = sops.filter((s) => (s.flg & SEM_UNDO) !== 0 && s.op !== 0);
  if (undo.length > 0) {
    const share = (task.sysvsem ??= new SysvSem());
    const list = (share.undo ??= new SemUndoList()) as SemUndoList;
    let adj = list.adjust.get(sma);
    if (adj === undefined) list.adjust.set(sma, (adj = sma.values.map(() => 0)));
    for (const s of undo) {
      const a = adj[s.num]! - s.op;
      if (a < -SEMVMX - 1 || a > SEMVMX) throw ERANGE;
      adj[s.num] = a;
    }
  }
  for (const [num, v] of next) sma.values[num] = v;
  for (const s of sops) sma.pids[s.num] = task.tgid;
  sma.otime = ipc_now(task);
  return undefined;
}

function do_semtimedop(task: Task, semid: number, tsops: number, nsops: number, timeout: number): number {
  const { kernel } = task;
  const m = kernel.mem;
  if (nsops > SEMOPM) throw E2BIG;
  if (nsops > 0) check_read(m, tsops, nsops * 6);
  if (nsops < 1 || semid < 0) throw EINVAL;
  const st = restart_state<SemWait>(task, () => ({
    sma: kernel.ipc.sem.get(semid),
    until: timeout === 0 ? Infinity : kernel.time.monotonic() + get_timespec(m, timeout),
    sleeping: false,
  }));
  const { sma } = st;
  sma.blocked.delete(task);
  if (sma.deleted) throw EIDRM;
  check_read(m, tsops, 6 * nsops);
  const sops: Sembuf[] = [];
  for (let i = 0; i < nsops; i++) {
    const at = tsops + 6 * i;
    sops.push({ num: get_user_u16(m, at), op: (get_user_u16(m, at + 2) << 16) >> 16, flg: get_user_u16(m, at + 4) });
  }
  if (sops.some((s) => s.num >= sma.values.length)) throw EFBIG;
  ipcperms(task, sma, sops.some((s) => s.op !== 0) ? 0o222 : 0o444);
  const stuck = perform(task, sma, sops);
  if (stuck === undefined) {
    if (sops.some((s) => s.op !== 0)) sma.wq.wake_up();
    return 0;
  }
  if ((stuck.flg & IPC_NOWAIT) !== 0) throw EAGAIN;
  if (kernel.time.monotonic() >= st.until) throw EAGAIN;
  if (task.signal_pending()) throw EINTR;
  sma.blocked.set(task, stuck);
  return sleep_on(task, [sma.wq], { until: st.until, interrupted: EINTR });
}
/** semtimedop(2), semop(2) */
export const sys_semtimedop = SYSCALL_DEFINE("semtimedop", [Int, Ptr, UInt, Ptr], do_semtimedop);
export const sys_semop = SYSCALL_DEFINE("semop", [Int, Ptr, UInt], (task, semid, tsops, nsops) => do_semtimedop(task, semid, tsops, nsops, 0));

/** semctl(2) */
export const sys_semctl = SYSCALL_DEFINE("semctl", [Int, Int, Int, Long], (task, semid, semnum, cmd, arg) => {
  const { kernel } = task;
  const ids = kernel.ipc.sem;
  const m = kernel.mem;
  if (semid < 0) throw EINVAL;
  if (cmd === IPC_SET) check_read(m, arg, 104);
  if (cmd === IPC_INFO || cmd === SEM_INFO) {
    const info = [0, SEMMNI, SEMMNI * SEMMSL, SEMMNI * SEMMSL, SEMMSL, SEMOPM, SEMOPM, 20, SEMVMX, SEMVMX];
    if (cmd === SEM_INFO) {
      info[7] = ids.slots.size;
      info[9] = [...ids.slots.values()].reduce((n, s) => n + s.values.length, 0);
    }
    check_write(m, arg, 40);
    info.forEach((v, i) => put_user_u32(m, arg + 4 * i, v));
    return ids.max();
  }
  const sma = cmd === SEM_STAT || cmd === SEM_STAT_ANY ? ids.at(semid) : ids.get(semid);
  const changed = (): void => {
    sma.ctime = ipc_now(task);
    for (const t of kernel.tasks.values()) {
      const list = t.sysvsem?.undo as SemUndoList | undefined;
      if (cmd === SETALL) list?.adjust.delete(sma);
      else list?.adjust.get(sma)?.splice(semnum, 1, 0);
    }
    sma.wq.wake_up();
  };
  switch (cmd) {
    case IPC_STAT:
    case SEM_STAT:
    case SEM_STAT_ANY:
      if (cmd !== SEM_STAT_ANY) ipcperms(task, sma, 0o444);
      put_perm(task, arg, sma, 104);
      put_user_u64(m, arg + 48, sma.otime);
      put_user_u64(m, arg + 64, sma.ctime);
      put_user_u64(m, arg + 80, sma.values.length);
      return cmd === IPC_STAT ? 0 : sma.id;
    case IPC_SET:
      ipc_check_owner(task, sma);
      get_perm(task, arg, sma);
      sma.ctime = ipc_now(task);
      return 0;
    case IPC_RMID:
      ipc_check_owner(task, sma);
      ids.remove(sma);
      sma.wq.wake_up();
      return 0;
    case GETALL:
      ipcperms(task, sma, 0o444);
      check_write(m, arg, 2 * sma.values.length);
      sma.values.forEach((v, i) => put_user_u16(m, arg + 2 * i, v));
      return 0;
    case SETALL: {
      ipcperms(task, sma, 0o222);
      check_read(m, arg, 2 * sma.values.length);
      const values = sma.values.map((_, i) => get_user_u16(m, arg + 2 * i));
      if (values.some((v) => v > SEMVMX)) throw ERANGE;
      values.forEach((v, i) => {
        sma.values[i] = v;
        sma.pids[i] = task.tgid;
      });
      changed();
      return 0;
    }
    default:
  }
  if (cmd !== GETVAL && cmd !== GETPID && cmd !== GETNCNT && cmd !== GETZCNT && cmd !== SETVAL) throw EINVAL;
  if (cmd === SETVAL) {
    const val = (arg % 0x100000000) | 0;
    if (val > SEMVMX || val < 0) throw ERANGE;
    if (semnum < 0 || semnum >= sma.values.length) throw EINVAL;
    ipcperms(task, sma, 0o222);
    sma.values[semnum] = val;
    sma.pids[semnum] = task.tgid;
    changed();
    return 0;
  }
  ipcperms(task, sma, 0o444);
  if (semnum < 0 || semnum >= sma.values.length) throw EINVAL;
  switch (cmd) {
    case GETVAL:
      return sma.values[semnum]!;
    case GETPID:
      return sma.pids[semnum]!;
    default: {
      let n = 0;
      for (const s of sma.blocked.values()) if (s.num === semnum && (s.op === 0) === (cmd === GETZCNT)) n++;
      return n;
    }
  }
});
