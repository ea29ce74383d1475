// ipc/mqueue.ts — POSIX message queues.  cf. ipc/mqueue.c
import { EACCES, EAGAIN, EBADF, EBUSY, EEXIST, EINTR, EINVAL, EMFILE, EMSGSIZE, ENAMETOOLONG, ENOENT, ENOSPC, EPERM, ERESTARTSYS, ETIMEDOUT } from "../include/uapi/errno.ts";
import { O_ACCMODE, O_CLOEXEC, O_CREAT, O_EXCL, O_NONBLOCK, O_RDONLY, O_WRONLY } from "../include/uapi/fcntl.ts";
import { SI_MESGQ } from "../include/uapi/signal.ts";
import { SIGEV_NONE, SIGEV_SIGNAL } from "../include/uapi/time.ts";
import { CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_SYS_RESOURCE, capable } from "../kernel/cred.ts";
import { WaitQueue, sleep_on } from "../kernel/sched/wait.ts";
import { send_signal, valid_signal } from "../kernel/signal.ts";
import { Fd, InBuf, Mode, OpenFlags, OutBuf, Ptr, SYSCALL_DEFINE, Size, Str, UInt } from "../kernel/syscall.ts";
import { restart_state, type Task } from "../kernel/task.ts";
import { get_timespec64, timespec64_valid } from "../kernel/time/time.ts";
import { check_read, check_write, get_user_s32, get_user_s64, get_user_u32, put_user_u32, put_user_u64, strncpy_from_user } from "../kernel/uaccess.ts";
import { AnonInode } from "../fs/anon_inodes.ts";
import { fput } from "../fs/file_table.ts";
import { File, FileOperations, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from "../fs/fs.ts";

const MQ_PRIO_MAX = 32768;
/** /proc/sys/fs/mqueue */
export const QUEUES_MAX = 256;
export const MSG_MAX = 10;
export const MSGSIZE_MAX = 8192;
const HARD_MSGMAX = 65536;
const HARD_MSGSIZEMAX = 16 * 1024 * 1024;

interface MqMessage {
  readonly prio: number;
  readonly data: Uint8Array;
}
/** who is told of the next message into an empty queue */
interface Notify {
  readonly owner: Task;
  readonly kind: number;
  readonly signo: number;
  readonly value_lo: number;
  readonly value_hi: number;
}
export class Mqueue {
  name: string | undefined;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly maxmsg: number;
  readonly msgsize: number;
  /** by priority, oldest first within one */
  readonly messages: MqMessage[] = [];
  readonly readers: WaitQueue = new WaitQueue();
  readonly writers: WaitQueue = new WaitQueue();
  notify: Notify | undefined;
  constructor(task: Task, name: string, mode: number, maxmsg: number, msgsize: number) {
    this.name = name;
    this.mode = mode;
    this.uid = task.cred.fsuid;
    this.gid = task.cred.fsgid;
    this.maxmsg = maxmsg;
    this.msgsize = msgsize;
  }
}

export class MqueueFops extends FileOperations {
  readonly queue: Mqueue;
  constructor(queue: Mqueue) {
    super();
    this.queue = queue;
  }
  /** One line, as in /dev/mqueue. */
  override read(_file: File, _task: Task, buf: Uint8Array, off: number, len: number, pos: number): number {
    const q = this.queue;
    const n = q.notify;
    const bytes = q.messages.reduce((s, m) => s + m.data.length, 0);
    const text = `QSIZE:${String(bytes).padEnd(10)} NOTIFY:${String(n?.kind ?? 0).padEnd(5)} SIGNO:${String(n?.signo ?? 0).padEnd(5)} NOTIFY_PID:${String(n?.owner.tgid ?? 0).padEnd(6)}\n`;
    const part = text.slice(pos, pos + len);
    for (let i = 0; i < part.length; i++) buf[off + i] = part.charCodeAt(i);
    return part.length;
  }
  override poll(_file: File, _task: Task, queues: WaitQueue[] | undefined): number {
    const q = this.queue;
    queues?.push(q.readers, q.writers);
    return (q.messages.length > 0 ? POLLIN | POLLRDNORM : 0) | (q.messages.length < q.maxmsg ? POLLOUT | POLLWRNORM : 0);
  }
  override flush(_file: File, task: Task): void {
    if (this.queue.notify?.owner.signal === task.signal) this.queue.notify = undefined;
  }
  override d_dname(): string {
    return `/${this.queue.name ?? ""}${this.queue.name === undefined ? " (deleted)" : ""}`;
  }
}

function mqueue_open(task: Task, queue: Mqueue, flags: number): File {
  const { vfs } = task.kernel;
  const inode = new AnonInode(vfs.anon.anon_inode.i_sb, 0o100000 | queue.mode);
  const file = new File(undefined, inode, flags, new MqueueFops(queue));
  inode.i_count++;
  vfs.nr_files++;
  if (file.writable) {
    inode.i_writecount++;
    inode.i_sb.s_writers++;
  }
  return file;
}

function mq_name(task: Task, addr: number): string {
  const name = strncpy_from_user(task.kernel.mem, addr, 4096);
  if (name === "") throw ENOENT;
  if (name === "." || name === ".." || name.includes("/")) throw EACCES;
  if (name.length > 255) throw ENAMETOOLONG;
  return name;
}
function may_open(task: Task, q: Mqueue, acc: number): void {
  const c = task.cred;
  const want = acc === O_RDONLY ? 4 : acc === O_WRONLY ? 2 : 6;
  const bits = c.fsuid === q.uid ? q.mode >> 6 : c.fsgid === q.gid || c.groups.includes(q.gid) ? q.mode >> 3 : q.mode;
  if ((bits & want) !== want && !capable(task, CAP_DAC_OVERRIDE)) throw EACCES;
}

/** mq_open(2). struct mq_attr: flags, maxmsg, msgsize, curmsgs, longs; the name comes without its slash */
export const sys_mq_open = SYSCALL_DEFINE("mq_open", [Str, OpenFlags, Mode, Ptr], (task, u_name, oflag, mode, u_attr) => {
  const { kernel } = task;
  const m = kernel.mem;
  const { queues } = kernel.ipc;
  if (u_attr !== 0) check_read(m, u_attr, 64);
  const name = mq_name(task, u_name);
  if ((oflag & O_ACCMODE) === O_ACCMODE) throw EINVAL;
  let q = queues.get(name);
  if (q === undefined) {
    if ((oflag & O_CREAT) === 0) throw ENOENT;
    let maxmsg = MSG_MAX;
    let msgsize = MSGSIZE_MAX;
    if (u_attr !== 0) {
      check_read(m, u_attr, 64);
      maxmsg = get_user_s64(m, u_attr + 8);
      msgsize = get_user_s64(m, u_attr + 16);
      const privileged = capable(task, CAP_SYS_RESOURCE);
      if (maxmsg <= 0 || msgsize <= 0) throw EINVAL;
      if (maxmsg > (privileged ? HARD_MSGMAX : MSG_MAX) || msgsize > (privileged ? HARD_MSGSIZEMAX : MSGSIZE_MAX)) throw EINVAL;
    }
    if (queues.size >= QUEUES_MAX && !capable(task, CAP_SYS_RESOURCE)) throw ENOSPC;
    if (maxmsg * (msgsize + 48) > task.signal.rlim[12]!.cur) throw EMFILE;
    q = new Mqueue(task, name, mode & 0o777 & ~task.fs!.umask, maxmsg, msgsize);
    queues.set(name, q);
  } else {
    if ((oflag & (O_CREAT | O_EXCL)) === (O_CREAT | O_EXCL)) throw EEXIST;
    may_open(task, q, oflag & O_ACCMODE);
  }
  const file = mqueue_open(task, q, oflag & (O_ACCMODE | O_NONBLOCK));
  try {
    return task.files!.alloc_fd(task, file, (oflag & O_CLOEXEC) !== 0);
  } catch (e) {
    fput(task, file);
    throw e;
  }
});

/** mq_unlink(2) */
export const sys_mq_unlink = SYSCALL_DEFINE("mq_unlink", [Str], (task, u_name) => {
  const name = mq_name(task, u_name);
  const q = task.kernel.ipc.queues.get(name);
  if (q === undefined) throw ENOENT;
  // the directory is sticky
  if (task.cred.fsuid !== q.uid && task.cred.fsuid !== 0 && !capable(task, CAP_FOWNER)) throw EPERM;
  q.name = undefined;
  task.kernel.ipc.queues.delete(name);
  return 0;
});

function mq_file(task: Task, mqdes: number): File {
  const file = task.files!.fget(mqdes);
  if (!(file.f_op instanceof MqueueFops)) throw EBADF;
  return file;
}
interface MqWait {
  until: number;
}
/** the absolute CLOCK_REALTIME time-out */
function mq_wait(task: Task, u_abs_timeout: number): MqWait {
  return restart_state<MqWait>(task, () => {
    if (u_abs_timeout === 0) return { until: Infinity };
    const t = get_timespec64(task.kernel.mem, u_abs_timeout);
    if (!timespec64_valid(t)) throw EINVAL;
    return { until: task.kernel.time.realtime_to_monotonic(t.sec, t.nsec) };
  });
}
const queue_of = (file: File): Mqueue => (file.f_op as MqueueFops).queue;
function wait(task: Task, file: File, queue: WaitQueue, st: MqWait): never {
  if ((file.f_flags & O_NONBLOCK) !== 0) throw EAGAIN;
  if (task.kernel.time.monotonic() >= st.until) throw ETIMEDOUT;
  return sleep_on(task, [queue], { until: st.until, interrupted: st.until === Infinity ? ERESTARTSYS : EINTR });
}

/** mq_timedsend(2) */
export const sys_mq_timedsend = SYSCALL_DEFINE("mq_timedsend", [Fd, InBuf, Size, UInt, Ptr], (task, mqdes, u_msg_ptr, msg_len, msg_prio, u_abs_timeout) => {
  const m = task.kernel.mem;
  if (u_abs_timeout !== 0) check_read(m, u_abs_timeout, 16);
  if (msg_prio >= MQ_PRIO_MAX) throw EINVAL;
  const st = mq_wait(task, u_abs_timeout);
  const file = mq_file(task, mqdes);
  if ((file.f_flags & O_ACCMODE) === O_RDONLY) throw EBADF;
  const q = queue_of(file);
  if (msg_len > q.msgsize) throw EMSGSIZE;
  check_read(m, u_msg_ptr, msg_len);
  if (q.messages.length >= q.maxmsg) wait(task, file, q.writers, st);
  const data = m.u8.slice(u_msg_ptr, u_msg_ptr + msg_len);
  let i = q.messages.length;
  while (i > 0 && q.messages[i - 1]!.prio < msg_prio) i--;
  const was_empty = q.messages.length === 0;
  const waited_for = q.readers.waiters.size > 0;
  q.messages.splice(i, 0, { prio: msg_prio, data });
  if (waited_for) q.readers.wake_up();
  else if (was_empty && q.notify !== undefined) {
    const n = q.notify;
    q.notify = undefined;
    const info = { signo: n.signo, errno: 0, code: SI_MESGQ, pid: task.tgid, uid: task.cred.uid, value_lo: n.value_lo, value_hi: n.value_hi };
    if (n.kind === SIGEV_SIGNAL && !n.owner.exit_state_dead()) send_signal(n.signo, info, n.owner, true, false);
  }
  return 0;
});
/** mq_timedreceive(2) */
export const sys_mq_timedreceive = SYSCALL_DEFINE("mq_timedreceive", [Fd, OutBuf, Size, Ptr, Ptr], (task, mqdes, u_msg_ptr, msg_len, u_msg_prio, u_abs_timeout) => {
  const m = task.kernel.mem;
  const st = mq_wait(task, u_abs_timeout);
  const file = mq_file(task, mqdes);
  if ((file.f_flags & O_ACCMODE) === O_WRONLY) throw EBADF;
  const q = queue_of(file);
  if (msg_len < q.msgsize) throw EMSGSIZE;
  const msg = q.messages[0];
  if (msg === undefined) return wait(task, file, q.readers, st);
  check_write(m, u_msg_ptr, msg.data.length);
  if (u_msg_prio !== 0) put_user_u32(m, u_msg_prio, msg.prio);
  m.u8.set(msg.data, u_msg_ptr);
  q.messages.shift();
  q.writers.wake_up();
  return msg.data.length;
});

/** mq_notify(2). struct sigevent: value, signo, notify. SIGEV_THREAD, which needs a netlink socket, is refused. */
export const sys_mq_notify = SYSCALL_DEFINE("mq_notify", [Fd, Ptr], (task, mqdes, u_notification) => {
  const m = task.kernel.mem;
  if (u_notification === 0) {
    const q = queue_of(mq_file(task, mqdes));
    if (q.notify?.owner.signal === task.signal) q.notify = undefined;
    return 0;
  }
  check_read(m, u_notification, 64);
  const signo = get_user_s32(m, u_notification + 8);
  const kind = get_user_s32(m, u_notification + 12);
  if (kind !== SIGEV_NONE && kind !== SIGEV_SIGNAL) throw EINVAL;
  if (kind === SIGEV_SIGNAL && !valid_signal(signo)) throw EINVAL;
  const q = queue_of(mq_file(task, mqdes));
  if (q.notify !== undefined) throw EBUSY;
  q.notify = { owner: task.group_leader, kind, signo, value_lo: get_user_u32(m, u_notification), value_hi: get_user_u32(m, u_notification + 4) };
  return 0;
});

/** mq_getsetattr(2) */
export const sys_mq_getsetattr = SYSCALL_DEFINE("mq_getsetattr", [Fd, Ptr, Ptr], (task, mqdes, u_mqstat, u_omqstat) => {
  const m = task.kernel.mem;
  let flags: number | undefined;
  if (u_mqstat !== 0) {
    check_read(m, u_mqstat, 64);
    flags = get_user_s64(m, u_mqstat);
    if ((flags & ~O_NONBLOCK) !== 0) throw EINVAL;
  }
  const file = mq_file(task, mqdes);
  if (u_omqstat !== 0) {
    const q = queue_of(file);
    check_write(m, u_omqstat, 64);
    m.u8.fill(0, u_omqstat, u_omqstat + 64);
    [file.f_flags & O_NONBLOCK, q.maxmsg, q.msgsize, q.messages.length].forEach((v, i) => put_user_u64(m, u_omqstat + 8 * i, v));
  }
  if (flags !== undefined) file.f_flags = (file.f_flags & ~O_NONBLOCK) | (flags & O_NONBLOCK);
  return 0;
});
