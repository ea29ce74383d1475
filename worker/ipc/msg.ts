// ipc/msg.ts — System V message queues.  cf. ipc/msg.c
import { E2BIG, EAGAIN, EIDRM, EINTR, EINVAL, ENOMSG, ENOSYS, EPERM } from "../include/uapi/errno.ts";
import { CAP_SYS_RESOURCE, capable } from "../kernel/cred.ts";
import { WaitQueue, sleep_on } from "../kernel/sched/wait.ts";
import { Hex, Int, Long, Ptr, SYSCALL_DEFINE, Size } from "../kernel/syscall.ts";
import { restart_state, type Task } from "../kernel/task.ts";
import { check_read, check_write, copy_from_user, get_user_s64, get_user_u64, put_user_u32, put_user_u64 } from "../kernel/uaccess.ts";
import { IPC_INFO, IPC_NOWAIT, IPC_RMID, IPC_SET, IPC_STAT, IpcObject, get_perm, ipc_check_owner, ipc_now, ipcperms, put_perm } from "./util.ts";

export const MSGMNI = 32000;
export const MSGMAX = 8192;
export const MSGMNB = 16384;
const MSG_NOERROR = 0o10000;
const MSG_EXCEPT = 0o20000;
const MSG_COPY = 0o40000;
const MSG_STAT = 11;
const MSG_INFO = 12;
const MSG_STAT_ANY = 13;

interface Message {
  readonly type: number;
  readonly text: Uint8Array;
}
export class MsgQueue extends IpcObject {
  readonly messages: Message[] = [];
  cbytes = 0;
  qbytes = MSGMNB;
  stime = 0;
  rtime = 0;
  ctime: number;
  lspid = 0;
  lrpid = 0;
  readonly senders: WaitQueue = new WaitQueue();
  readonly receivers: WaitQueue = new WaitQueue();
  constructor(task: Task, key: number, mode: number) {
    super(task, key, mode);
    this.ctime = ipc_now(task);
  }
}

export const sys_msgget = SYSCALL_DEFINE("msgget", [Int, Hex], (task, key, msgflg) =>
  task.kernel.ipc.msg.ipcget(task, key, msgflg, () => new MsgQueue(task, key, msgflg), MSGMNI, () => {}),
);

interface MsgWait {
  q: MsgQueue;
}
/** msgsnd(2). struct msgbuf: type (long), then the text */
export const sys_msgsnd = SYSCALL_DEFINE("msgsnd", [Int, Ptr, Size, Hex], (task, msqid, msgp, msgsz, msgflg) => {
  const m = task.kernel.mem;
  const type = get_user_s64(m, msgp);
  if (msgsz > MSGMAX || msqid < 0 || type < 1) throw EINVAL;
  const text = copy_from_user(m, msgp + 8, msgsz);
  const st = restart_state<MsgWait>(task, () => ({ q: task.kernel.ipc.msg.get(msqid) }));
  const { q } = st;
  if (q.deleted) throw EIDRM;
  ipcperms(task, q, 0o222);
  if (q.cbytes + msgsz > q.qbytes || q.messages.length + 1 > q.qbytes) {
    if ((msgflg & IPC_NOWAIT) !== 0) throw EAGAIN;
    return sleep_on(task, [q.senders], { interrupted: EINTR });
  }
  q.messages.push({ type, text });
  q.cbytes += msgsz;
  q.lspid = task.tgid;
  q.stime = ipc_now(task);
  q.receivers.wake_up();
  return 0;
});

function find_msg(q: MsgQueue, type: number, flg: number): number {
  if ((flg & MSG_COPY) !== 0) return type < q.messages.length ? type : -1;
  if (type === 0) return q.messages.length > 0 ? 0 : -1;
  if (type > 0) return q.messages.findIndex((x) => ((flg & MSG_EXCEPT) !== 0 ? x.type !== type : x.type === type));
  // the lowest type that is not above |type|
  let best = -1;
  q.messages.forEach((x, i) => {
    if (x.type <= -type && (best < 0 || x.type < q.messages[best]!.type)) best = i;
  });
  return best;
}
/** msgrcv(2) */
export const sys_msgrcv = SYSCALL_DEFINE("msgrcv", [Int, Ptr, Size, Long, Hex], (task, msqid, msgp, bufsz, msgtyp, msgflg) => {
  const m = task.kernel.mem;
  if (msqid < 0 || bufsz > 0x7fffffffffffffff) throw EINVAL;
  if ((msgflg & MSG_COPY) !== 0) {
    if ((msgflg & MSG_EXCEPT) !== 0 || (msgflg & IPC_NOWAIT) === 0) throw EINVAL;
    throw ENOSYS;
  }
  const st = restart_state<MsgWait>(task, () => ({ q: task.kernel.ipc.msg.get(msqid) }));
  const { q } = st;
  if (q.deleted) throw EIDRM;
  ipcperms(task, q, 0o444);
  const i = find_msg(q, msgtyp, msgflg);
  if (i < 0) {
    if ((msgflg & IPC_NOWAIT) !== 0) throw ENOMSG;
    return sleep_on(task, [q.receivers], { interrupted: EINTR });
  }
  const msg = q.messages[i]!;
  if (msg.text.length > bufsz && (msgflg & MSG_NOERROR) === 0) throw E2BIG;
  const n = Math.min(bufsz, msg.text.length);
  check_write(m, msgp, 8 + n);
  q.messages.splice(i, 1);
  q.cbytes -= msg.text.length;
  q.lrpid = task.tgid;
  q.rtime = ipc_now(task);
  q.senders.wake_up();
  put_user_u64(m, msgp, msg.type);
  m.u8.set(msg.text.subarray(0, n), msgp + 8);
  return n;
});

/** msgctl(2) */
export const sys_msgctl = SYSCALL_DEFINE("msgctl", [Int, Int, Ptr], (task, msqid, cmd, buf) => {
  const ids = task.kernel.ipc.msg;
  const m = task.kernel.mem;
  if (msqid < 0 || cmd < 0) throw EINVAL;
  switch (cmd) {
    case IPC_INFO:
    case MSG_INFO: {
      check_write(m, buf, 32);
      const all = [...ids.slots.values()];
      const info = [0, 0, MSGMAX, MSGMNB, MSGMNI, 16, MSGMNI, 0xffff];
      if (cmd === MSG_INFO) {
        info[0] = all.length;
        info[1] = all.reduce((n, q) => n + q.messages.length, 0);
        info[6] = all.reduce((n, q) => n + q.cbytes, 0);
      }
      info.slice(0, 7).forEach((v, i) => put_user_u32(m, buf + 4 * i, v));
      return ids.max();
    }
    case IPC_STAT:
    case MSG_STAT:
    case MSG_STAT_ANY: {
      const q = cmd === IPC_STAT ? ids.get(msqid) : ids.at(msqid);
      if (cmd !== MSG_STAT_ANY) ipcperms(task, q, 0o444);
      put_perm(task, buf, q, 120);
      [q.stime, q.rtime, q.ctime, q.cbytes, q.messages.length, q.qbytes].forEach((v, i) => put_user_u64(m, buf + 48 + 8 * i, v));
      put_user_u32(m, buf + 96, q.lspid);
      put_user_u32(m, buf + 100, q.lrpid);
      return cmd === IPC_STAT ? 0 : q.id;
    }
    case IPC_SET: {
      check_read(m, buf, 120);
      const q = ids.get(msqid);
      ipc_check_owner(task, q);
      const qbytes = get_user_u64(m, buf + 88);
      if (qbytes > MSGMNB && !capable(task, CAP_SYS_RESOURCE)) throw EPERM;
      get_perm(task, buf, q);
      q.qbytes = qbytes;
      q.ctime = ipc_now(task);
      q.senders.wake_up();
      q.receivers.wake_up();
      return 0;
    }
    case IPC_RMID: {
      const q = ids.get(msqid);
      ipc_check_owner(task, q);
      ids.remove(q);
      q.senders.wake_up();
      q.receivers.wake_up();
      return 0;
    }
    default:
      throw EINVAL;
  }
});
