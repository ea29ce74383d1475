// net/scm.ts — control messages: descriptors and credentials that travel with data.  cf. net/core/scm.c
import { EBADF, EINVAL, EPERM, ESRCH, ETOOMANYREFS } from "../include/uapi/errno.ts";
import { MSG_CMSG_CLOEXEC, MSG_CTRUNC, SCM_CREDENTIALS, SCM_RIGHTS, SOL_SOCKET } from "../include/uapi/socket.ts";
import { CAP_SETGID, CAP_SETUID, CAP_SYS_ADMIN, capable } from "../kernel/cred.ts";
import { find_process } from "../kernel/pid.ts";
import type { Task } from "../kernel/task.ts";
import { check_read, check_write, get_user_s32, get_user_u64, put_user_u32, put_user_u64 } from "../kernel/uaccess.ts";
import { fput, get_file } from "../fs/file_table.ts";
import type { File } from "../fs/fs.ts";
import type { RecvMsg, Scm, Ucred } from "./socket.ts";

const SCM_MAX_FD = 253;
const align8 = (n: number): number => Math.ceil(n / 8) * 8;

export function own_creds(task: Task): Ucred {
  return { pid: task.tgid, uid: task.cred.uid, gid: task.cred.gid };
}

/** Reads the control messages of a sendmsg. Takes references to the files. Throws EINVAL, EBADF, EPERM. */
export function scm_send(task: Task, control: number, len: number): Scm {
  const m = task.kernel.mem;
  const scm: Scm = { fds: [], creds: own_creds(task) };
  check_read(m, control, len);
  try {
    for (let at = 0; at + 16 <= len; ) {
      const cmsg_len = get_user_u64(m, control + at);
      if (cmsg_len < 16 || at + cmsg_len > len) throw EINVAL;
      const level = get_user_s32(m, control + at + 8);
      const type = get_user_s32(m, control + at + 12);
      const data = control + at + 16;
      if (level === SOL_SOCKET) {
        if (type === SCM_RIGHTS) {
          const n = Math.floor((cmsg_len - 16) / 4);
          if (scm.fds.length + n > SCM_MAX_FD) throw n > SCM_MAX_FD ? EINVAL : ETOOMANYREFS;
          for (let i = 0; i < n; i++) {
            const file = task.files!.peek(get_user_s32(m, data + 4 * i));
            if (file === undefined) throw EBADF;
            scm.fds.push(get_file(file));
          }
        } else if (type === SCM_CREDENTIALS) {
          if (cmsg_len !== 16 + 12) throw EINVAL;
          scm.creds = check_creds(task, { pid: get_user_s32(m, data), uid: get_user_s32(m, data + 4) >>> 0, gid: get_user_s32(m, data + 8) >>> 0 });
        } else throw EINVAL;
      }
      at += align8(cmsg_len);
    }
  } catch (e) {
    scm_destroy(task, scm);
    throw e;
  }
  return scm;
}
function check_creds(task: Task, c: Ucred): Ucred {
  const own = task.cred;
  if (c.pid !== task.tgid && !capable(task, CAP_SYS_ADMIN)) throw EPERM;
  if (c.uid !== own.uid && c.uid !== own.euid && c.uid !== own.suid && !capable(task, CAP_SETUID)) throw EPERM;
  if (c.gid !== own.gid && c.gid !== own.egid && c.gid !== own.sgid && !capable(task, CAP_SETGID)) throw EPERM;
  if (find_process(task.kernel, c.pid) === undefined) throw ESRCH;
  return c;
}
export function scm_destroy(task: Task | undefined, scm: { fds: File[] }): void {
  for (const f of scm.fds) fput(task, f);
  scm.fds = [];
}

/** Writes a received message's control data into [control, +len); how many bytes. Sets MSG_CTRUNC; installs descriptors. */
export function put_cmsgs(task: Task, msg: RecvMsg, control: number, len: number): number {
  const m = task.kernel.mem;
  let at = 0;
  if (msg.control.length > 0 || msg.fds.length > 0) if (len > 0) check_write(m, control, len);
  for (const c of msg.control) {
    if (len - at < 16) {
      msg.out_flags |= MSG_CTRUNC;
      break;
    }
    const full = 16 + c.data.length;
    const cut = Math.min(full, len - at);
    if (cut < full) msg.out_flags |= MSG_CTRUNC;
    put_user_u64(m, control + at, cut);
    put_user_u32(m, control + at + 8, c.level);
    put_user_u32(m, control + at + 12, c.type);
    m.u8.set(c.data.subarray(0, cut - 16), control + at + 16);
    at += Math.min(align8(cut), len - at);
  }
  if (msg.fds.length > 0) at += put_fds(task, msg, control + at, len - at);
  return at;
}
function put_fds(task: Task, msg: RecvMsg, control: number, room: number): number {
  const m = task.kernel.mem;
  const max = room < 20 ? 0 : Math.floor((room - 16) / 4);
  let n = 0;
  for (; n < msg.fds.length && n < max; n++) {
    const file = msg.fds[n]!;
    try {
      const fd = task.files!.alloc_fd(task, file, (msg.flags & MSG_CMSG_CLOEXEC) !== 0);
      put_user_u32(m, control + 16 + 4 * n, fd);
    } catch {
      break;
    }
  }
  const rest = msg.fds.splice(n);
  if (rest.length > 0) msg.out_flags |= MSG_CTRUNC;
  for (const f of rest) fput(task, f);
  msg.fds.length = 0;
  if (n === 0) return 0;
  put_user_u64(m, control, 16 + 4 * n);
  put_user_u32(m, control + 8, SOL_SOCKET);
  put_user_u32(m, control + 12, SCM_RIGHTS);
  return Math.min(room, align8(16 + 4 * n));
}
