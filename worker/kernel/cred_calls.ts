// kernel/cred_calls.ts — set*id, groups, capabilities.  cf. kernel/sys.c, kernel/groups.c, kernel/capability.c, security/commoncap.c
import { EINVAL, EPERM, ESRCH } from "../include/uapi/errno.ts";
import {
  CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_EMPTY_SET, CAP_FOWNER, CAP_FSETID, CAP_LINUX_IMMUTABLE, CAP_MAC_OVERRIDE, CAP_MKNOD, CAP_SETGID,
  CAP_SETPCAP, CAP_SETUID, Caps, capable, prepare_creds, type Cred,
} from "./cred.ts";
import { find_task } from "./pid.ts";
import { Int, Ptr, SYSCALL_DEFINE, UInt } from "./syscall.ts";
import type { Task } from "./task.ts";
import { check_read, check_write, get_user_u32, put_user_u32 } from "./uaccess.ts";

const UNCHANGED = 0xffffffff;
const SECBIT_NOROOT = 1;
const SECBIT_NO_SETUID_FIXUP = 4;
const SECBIT_KEEP_CAPS = 16;
const FS_CAPS = [CAP_CHOWN, CAP_MKNOD, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_FSETID, CAP_LINUX_IMMUTABLE, CAP_MAC_OVERRIDE].reduce(
  (set, cap) => set.with(cap),
  CAP_EMPTY_SET,
);

/** Root gained or lost: the capabilities follow.  cf. cap_emulate_setxuid() */
function fix_setuid(c: Cred, old: Cred): void {
  if ((c.securebits & SECBIT_NO_SETUID_FIXUP) !== 0) return;
  const was = old.uid === 0 || old.euid === 0 || old.suid === 0;
  if (was && c.uid !== 0 && c.euid !== 0 && c.suid !== 0) {
    if ((c.securebits & SECBIT_KEEP_CAPS) === 0) {
      c.cap_permitted = CAP_EMPTY_SET;
      c.cap_effective = CAP_EMPTY_SET;
    }
    c.cap_ambient = CAP_EMPTY_SET;
  }
  if (old.euid === 0 && c.euid !== 0) c.cap_effective = CAP_EMPTY_SET;
  if (old.euid !== 0 && c.euid === 0) c.cap_effective = c.cap_permitted;
}
function commit(task: Task, c: Cred, uids: boolean): number {
  if (uids) fix_setuid(c, task.cred);
  const old = task.cred;
  if ((old.euid !== c.euid || old.egid !== c.egid || old.fsuid !== c.fsuid || old.fsgid !== c.fsgid) && task.mm !== undefined) {
    task.mm.dumpable = 0;
    task.pdeath_signal = 0;
  }
  task.cred = c;
  return 0;
}

export const sys_getuid = SYSCALL_DEFINE("getuid", [], (task) => task.cred.uid);
export const sys_geteuid = SYSCALL_DEFINE("geteuid", [], (task) => task.cred.euid);
export const sys_getgid = SYSCALL_DEFINE("getgid", [], (task) => task.cred.gid);
export const sys_getegid = SYSCALL_DEFINE("getegid", [], (task) => task.cred.egid);

export const sys_setuid = SYSCALL_DEFINE("setuid", [UInt], (task, uid) => {
  if (uid === UNCHANGED) throw EINVAL;
  const c = prepare_creds(task.cred);
  if (capable(task, CAP_SETUID)) c.uid = c.suid = uid;
  else if (uid !== c.uid && uid !== c.suid) throw EPERM;
  c.euid = c.fsuid = uid;
  return commit(task, c, true);
});
export const sys_setgid = SYSCALL_DEFINE("setgid", [UInt], (task, gid) => {
  if (gid === UNCHANGED) throw EINVAL;
  const c = prepare_creds(task.cred);
  if (capable(task, CAP_SETGID)) c.gid = c.egid = c.sgid = c.fsgid = gid;
  else if (gid === c.gid || gid === c.sgid) c.egid = c.fsgid = gid;
  else throw EPERM;
  return commit(task, c, false);
});
export const sys_setreuid = SYSCALL_DEFINE("setreuid", [UInt, UInt], (task, ruid, euid) => {
  const old = task.cred;
  const c = prepare_creds(old);
  const priv = capable(task, CAP_SETUID);
  if (ruid !== UNCHANGED) {
    c.uid = ruid;
    if (ruid !== old.uid && ruid !== old.euid && !priv) throw EPERM;
  }
  if (euid !== UNCHANGED) {
    c.euid = euid;
    if (euid !== old.uid && euid !== old.euid && euid !== old.suid && !priv) throw EPERM;
  }
  if (ruid !== UNCHANGED || (euid !== UNCHANGED && euid !== old.uid)) c.suid = c.euid;
  c.fsuid = c.euid;
  return commit(task, c, true);
});
export const sys_setregid = SYSCALL_DEFINE("setregid", [UInt, UInt], (task, rgid, egid) => {
  const old = task.cred;
  const c = prepare_creds(old);
  const priv = capable(task, CAP_SETGID);
  if (rgid !== UNCHANGED) {
    if (rgid !== old.gid && rgid !== old.egid && !priv) throw EPERM;
    c.gid = rgid;
  }
  if (egid !== UNCHANGED) {
    if (egid !== old.gid && egid !== old.egid && egid !== old.sgid && !priv) throw EPERM;
    c.egid = egid;
  }
  if (rgid !== UNCHANGED || (egid !== UNCHANGED && egid !== old.gid)) c.sgid = c.egid;
  c.fsgid = c.egid;
  return commit(task, c, false);
});
export const sys_setresuid = SYSCALL_DEFINE("setresuid", [UInt, UInt, UInt], (task, ruid, euid, suid) => {
  const old = task.cred;
  if (!capable(task, CAP_SETUID)) {
    for (const id of [ruid, euid, suid]) if (id !== UNCHANGED && id !== old.uid && id !== old.euid && id !== old.suid) throw EPERM;
  }
  const c = prepare_creds(old);
  if (ruid !== UNCHANGED) c.uid = ruid;
  if (euid !== UNCHANGED) c.euid = euid;
  if (suid !== UNCHANGED) c.suid = suid;
  c.fsuid = c.euid;
  return commit(task, c, true);
});
export const sys_setresgid = SYSCALL_DEFINE("setresgid", [UInt, UInt, UInt], (task, rgid, egid, sgid) => {
  const old = task.cred;
  if (!capable(task, CAP_SETGID)) {
    for (const id of [rgid, egid, sgid]) if (id !== UNCHANGED && id !== old.gid && id !== old.egid && id !== old.sgid) throw EPERM;
  }
  const c = prepare_creds(old);
  if (rgid !== UNCHANGED) c.gid = rgid;
  if (egid !== UNCHANGED) c.egid = egid;
  if (sgid !== UNCHANGED) c.sgid = sgid;
  c.fsgid = c.egid;
  return commit(task, c, false);
});
export const sys_getresuid = SYSCALL_DEFINE("getresuid", [Ptr, Ptr, Ptr], (task, r, e, s) => {
  const m = task.kernel.mem;
  put_user_u32(m, r, task.cred.uid);
  put_user_u32(m, e, task.cred.euid);
  put_user_u32(m, s, task.cred.suid);
  return 0;
});
export const sys_getresgid = SYSCALL_DEFINE("getresgid", [Ptr, Ptr, Ptr], (task, r, e, s) => {
  const m = task.kernel.mem;
  put_user_u32(m, r, task.cred.gid);
  put_user_u32(m, e, task.cred.egid);
  put_user_u32(m, s, task.cred.sgid);
  return 0;
});
/** setfsuid(2): the old one, whether or not it could be changed */
export const sys_setfsuid = SYSCALL_DEFINE("setfsuid", [UInt], (task, uid) => {
  const old = task.cred;
  if (uid !== UNCHANGED && (uid === old.uid || uid === old.euid || uid === old.suid || uid === old.fsuid || capable(task, CAP_SETUID)) && uid !== old.fsuid) {
    const c = prepare_creds(old);
    c.fsuid = uid;
    if ((c.securebits & SECBIT_NO_SETUID_FIXUP) === 0) {
      if (old.fsuid === 0) c.cap_effective = c.cap_effective.minus(FS_CAPS);
      else if (uid === 0) c.cap_effective = c.cap_effective.or(c.cap_permitted.and(FS_CAPS));
    }
    commit(task, c, false);
  }
  return old.fsuid;
});
export const sys_setfsgid = SYSCALL_DEFINE("setfsgid", [UInt], (task, gid) => {
  const old = task.cred;
  if (gid !== UNCHANGED && (gid === old.gid || gid === old.egid || gid === old.sgid || gid === old.fsgid || capable(task, CAP_SETGID)) && gid !== old.fsgid) {
    const c = prepare_creds(old);
    c.fsgid = gid;
    commit(task, c, false);
  }
  return old.fsgid;
});

const NGROUPS_MAX = 65536;
export const sys_getgroups = SYSCALL_DEFINE("getgroups", [Int, Ptr], (task, size, list) => {
  if (size < 0) throw EINVAL;
  const { groups } = task.cred;
  if (size > 0) {
    if (groups.length > size) throw EINVAL;
    groups.forEach((g, i) => put_user_u32(task.kernel.mem, list + 4 * i, g));
  }
  return groups.length;
});
export const sys_setgroups = SYSCALL_DEFINE("setgroups", [Int, Ptr], (task, size, list) => {
  if (!capable(task, CAP_SETGID)) throw EPERM;
  if (size < 0 || size > NGROUPS_MAX) throw EINVAL;
  const groups: number[] = [];
  for (let i = 0; i < size; i++) {
    const g = get_user_u32(task.kernel.mem, list + 4 * i);
    if (g === UNCHANGED) throw EINVAL;
    groups.push(g);
  }
  const c = prepare_creds(task.cred);
  c.groups = groups.sort((a, b) => a - b);
  return commit(task, c, false);
});

// --- capabilities

const VERSION_1 = 0x19980330;
const VERSION_2 = 0x20071026;
const VERSION_3 = 0x20080522;
/** Number of 32-bit words per set; for an unknown version writes the preferred one and throws EINVAL (0: only asked for it). */
function cap_validate(task: Task, header: number, data: number): number {
  const m = task.kernel.mem;
  check_read(m, header, 8);
  const version = get_user_u32(m, header);
  if (version === VERSION_1) return 1;
  if (version === VERSION_2 || version === VERSION_3) return 2;
  put_user_u32(m, header, VERSION_3);
  if (data === 0) return 0;
  throw EINVAL;
}
export const sys_capget = SYSCALL_DEFINE("capget", [Ptr, Ptr], (task, header, data) => {
  const m = task.kernel.mem;
  const words = cap_validate(task, header, data);
  if (words === 0 || data === 0) return 0;
  const pid = get_user_u32(m, header + 4) | 0;
  if (pid < 0) throw EINVAL;
  const t = pid === 0 ? task : find_task(task.kernel, pid);
  if (t === undefined) throw ESRCH;
  const c = t.cred;
  check_write(m, data, 12 * words);
  for (let w = 0; w < words; w++) {
    [c.cap_effective, c.cap_permitted, c.cap_inheritable].forEach((s, i) => put_user_u32(m, data + 12 * w + 4 * i, w === 0 ? s.lo : s.hi));
  }
  return 0;
});
export const sys_capset = SYSCALL_DEFINE("capset", [Ptr, Ptr], (task, header, data) => {
  const m = task.kernel.mem;
  const words = cap_validate(task, header, data);
  if (words === 0) throw EINVAL;
  const pid = get_user_u32(m, header + 4);
  if (pid !== 0 && pid !== task.pid) throw EPERM;
  check_read(m, data, 12 * words);
  const read = (i: number): Caps => new Caps(get_user_u32(m, data + 4 * i), words === 2 ? get_user_u32(m, data + 12 + 4 * i) & 0x1ff : 0);
  const effective = read(0);
  const permitted = read(1);
  const inheritable = read(2);
  const old = task.cred;
  if (!inheritable.issubset(old.cap_inheritable.or(old.cap_permitted)) && !capable(task, CAP_SETPCAP)) throw EPERM;
  if (!inheritable.issubset(old.cap_inheritable.or(old.cap_bset))) throw EPERM;
  if (!permitted.issubset(old.cap_permitted) || !effective.issubset(permitted)) throw EPERM;
  const c = prepare_creds(old);
  c.cap_effective = effective;
  c.cap_permitted = permitted;
  c.cap_inheritable = inheritable;
  c.cap_ambient = c.cap_ambient.and(permitted).and(inheritable);
  return commit(task, c, false);
});

/**
 * execve: the ids of a set-user-ID or set-group-ID program and the capabilities that go with them. `uid`, `gid`: the file's owner where the
 * bit is set, else undefined. Returns whether AT_SECURE holds.  cf. cap_bprm_creds_from_file()
 */
export function bprm_creds(task: Task, uid: number | undefined, gid: number | undefined): { cred: Cred; secure: boolean } {
  const old = task.cred;
  const c = prepare_creds(old);
  if (!task.no_new_privs) {
    if (uid !== undefined) c.euid = uid;
    if (gid !== undefined) c.egid = gid;
  }
  c.suid = c.fsuid = c.euid;
  c.sgid = c.fsgid = c.egid;
  const changed = c.euid !== old.uid || c.egid !== old.gid;
  if (changed) c.cap_ambient = CAP_EMPTY_SET;
  const root = (c.securebits & SECBIT_NOROOT) === 0;
  if (root && (c.euid === 0 || c.uid === 0)) {
    c.cap_permitted = old.cap_bset.or(old.cap_inheritable);
    c.cap_effective = c.euid === 0 ? c.cap_permitted : c.cap_ambient;
  } else {
    c.cap_permitted = c.cap_ambient;
    c.cap_effective = c.cap_ambient;
  }
  c.securebits &= ~SECBIT_KEEP_CAPS;
  return { cred: c, secure: c.uid !== c.euid || c.gid !== c.egid };
}
