// fs/pidfs.ts — pidfds: files that stand for a process.  cf. fs/pidfs.c, kernel/pid.c
import { EBADF, EINVAL, ENOENT, EPERM, ESRCH } from "../include/uapi/errno.ts";
import { O_NONBLOCK, O_RDWR } from "../include/uapi/fcntl.ts";
import { CAP_SYS_PTRACE, capable } from "../kernel/cred.ts";
import { find_task } from "../kernel/pid.ts";
import { pidfd_task, type PidFile, type Pidfs } from "../kernel/pidfd.ts";
import type { WaitQueue } from "../kernel/sched/wait.ts";
import { Fd, Hex, Pid, SYSCALL_DEFINE } from "../kernel/syscall.ts";
import type { Task } from "../kernel/task.ts";
import { get_file, fput } from "./file_table.ts";
import { type File, POLLHUP, POLLIN, POLLRDNORM, FileOperations } from "./fs.ts";
import { anon_inode_getfile } from "./anon_inodes.ts";

export class PidFd extends FileOperations implements PidFile {
  readonly task: Task;
  constructor(task: Task) {
    super();
    this.task = task;
  }
  pidfd_task(): Task {
    return this.task;
  }
  /** Readable once the process is a zombie; hung up once it was reaped. */
  override poll(_file: File, _task: Task, queues: WaitQueue[] | undefined): number {
    queues?.push(this.task.signal.wait_pidfd);
    const t = this.task;
    if (!t.exit_state_dead() || t.signal.threads.size > 1) return 0;
    return t.kernel.tasks.get(t.pid) === t ? POLLIN | POLLRDNORM : POLLIN | POLLRDNORM | POLLHUP;
  }
  override d_dname(): string {
    return "anon_inode:[pidfd]";
  }
  override show_fdinfo(): string {
    const pid = this.task.kernel.tasks.get(this.task.pid) === this.task ? this.task.pid : -1;
    return `Pid:\t${pid}\nNSpid:\t${pid}\n`;
  }
}

export class PidFs implements Pidfs {
  pidfd_prepare(target: Task, flags: number): File {
    return anon_inode_getfile(target.kernel, new PidFd(target), O_RDWR | flags);
  }
}

/** pidfd_open(2) */
export const sys_pidfd_open = SYSCALL_DEFINE("pidfd_open", [Pid, Hex], (task, pid, flags) => {
  if ((flags & ~O_NONBLOCK) !== 0 || pid <= 0) throw EINVAL;
  const target = find_task(task.kernel, pid);
  if (target === undefined) throw ESRCH;
  // a thread that leads no group has no pidfd: ENOENT since 6.9
  if (target.group_leader !== target) throw ENOENT;
  const file = anon_inode_getfile(task.kernel, new PidFd(target), O_RDWR | (flags & O_NONBLOCK));
  try {
    return task.files!.alloc_fd(task, file, true);
  } catch (e) {
    fput(task, file);
    throw e;
  }
});

/** pidfd_getfd(2): another process's descriptor as one of ours */
export const sys_pidfd_getfd = SYSCALL_DEFINE("pidfd_getfd", [Fd, Fd, Hex], (task, pidfd, targetfd, flags) => {
  if (flags !== 0) throw EINVAL;
  const target = pidfd_task(task.files!.fget(pidfd));
  if (target.exit_state_dead()) throw ESRCH;
  const [c, t] = [task.cred, target.cred];
  const same = c.fsuid === t.euid && c.fsuid === t.suid && c.fsuid === t.uid && c.fsgid === t.egid && c.fsgid === t.sgid && c.fsgid === t.gid;
  if (target.signal !== task.signal && !same && !capable(task, CAP_SYS_PTRACE)) throw EPERM;
  const file = target.files?.peek(targetfd);
  if (file === undefined) throw EBADF;
  get_file(file);
  try {
    return task.files!.alloc_fd(task, file, true);
  } catch (e) {
    fput(task, file);
    throw e;
  }
});
