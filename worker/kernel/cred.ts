// kernel/cred.ts — who a task is to the permission checks: ids, groups, capabilities.  cf. linux/kernel/cred.c, include/linux/cred.h
//
// A Cred that a task points to is never changed: who changes ids makes a copy (prepare_creds), edits it, and points the task to it, so that a
// file opened earlier, or a thread, keeps what it had.

/** A set of capabilities, numbers 0..63. */
export class Caps {
  lo = 0;
  hi = 0;
  constructor(lo = 0, hi = 0) {
    this.lo = lo >>> 0;
    this.hi = hi >>> 0;
  }
  has(cap: number): boolean {
    return ((cap < 32 ? this.lo >>> cap : this.hi >>> (cap - 32)) & 1) !== 0;
  }
  with(cap: number): Caps {
    return cap < 32 ? new Caps(this.lo | (1 << cap), this.hi) : new Caps(this.lo, this.hi | (1 << (cap - 32)));
  }
  without(cap: number): Caps {
    return cap < 32 ? new Caps(this.lo & ~(1 << cap), this.hi) : new Caps(this.lo, this.hi & ~(1 << (cap - 32)));
  }
  and(o: Caps): Caps {
    return new Caps(this.lo & o.lo, this.hi & o.hi);
  }
  or(o: Caps): Caps {
    return new Caps(this.lo | o.lo, this.hi | o.hi);
  }
  minus(o: Caps): Caps {
    return new Caps(this.lo & ~o.lo, this.hi & ~o.hi);
  }
  /** all of this are in o */
  issubset(o: Caps): boolean {
    return (this.lo & ~o.lo) === 0 && (this.hi & ~o.hi) === 0;
  }
  /** sixteen hex digits, as /proc/PID/status has it */
  toString(): string {
    return this.hi.toString(16).padStart(8, "0") + this.lo.toString(16).padStart(8, "0");
  }
}

export const CAP_CHOWN = 0;
export const CAP_DAC_OVERRIDE = 1;
export const CAP_DAC_READ_SEARCH = 2;
export const CAP_FOWNER = 3;
export const CAP_FSETID = 4;
export const CAP_KILL = 5;
export const CAP_SETGID = 6;
export const CAP_SETUID = 7;
export const CAP_SETPCAP = 8;
export const CAP_LINUX_IMMUTABLE = 9;
export const CAP_NET_BIND_SERVICE = 10;
export const CAP_NET_BROADCAST = 11;
export const CAP_NET_ADMIN = 12;
export const CAP_NET_RAW = 13;
export const CAP_IPC_LOCK = 14;
export const CAP_IPC_OWNER = 15;
export const CAP_SYS_MODULE = 16;
export const CAP_SYS_RAWIO = 17;
export const CAP_SYS_CHROOT = 18;
export const CAP_SYS_PTRACE = 19;
export const CAP_SYS_PACCT = 20;
export const CAP_SYS_ADMIN = 21;
export const CAP_SYS_BOOT = 22;
export const CAP_SYS_NICE = 23;
export const CAP_SYS_RESOURCE = 24;
export const CAP_SYS_TIME = 25;
export const CAP_SYS_TTY_CONFIG = 26;
export const CAP_MKNOD = 27;
export const CAP_LEASE = 28;
export const CAP_AUDIT_WRITE = 29;
export const CAP_AUDIT_CONTROL = 30;
export const CAP_SETFCAP = 31;
export const CAP_MAC_OVERRIDE = 32;
export const CAP_MAC_ADMIN = 33;
export const CAP_SYSLOG = 34;
export const CAP_WAKE_ALARM = 35;
export const CAP_BLOCK_SUSPEND = 36;
export const CAP_AUDIT_READ = 37;
export const CAP_PERFMON = 38;
export const CAP_BPF = 39;
export const CAP_CHECKPOINT_RESTORE = 40;
export const CAP_LAST_CAP = 40;

export const CAP_FULL_SET: Caps = Object.freeze(new Caps(0xffffffff, 0x1ff)) as Caps;
export const CAP_EMPTY_SET: Caps = Object.freeze(new Caps()) as Caps;

export class Cred {
  uid = 0;
  gid = 0;
  suid = 0;
  sgid = 0;
  euid = 0;
  egid = 0;
  fsuid = 0;
  fsgid = 0;
  /** supplementary groups, ascending */
  groups: readonly number[] = [];
  securebits = 0;
  cap_inheritable: Caps = CAP_EMPTY_SET;
  cap_permitted: Caps = CAP_FULL_SET;
  cap_effective: Caps = CAP_FULL_SET;
  cap_bset: Caps = CAP_FULL_SET;
  cap_ambient: Caps = CAP_EMPTY_SET;
}

/** A copy to change. */
export function prepare_creds(old: Cred): Cred {
  return Object.assign(new Cred(), old);
}

/** Is `gid` the file-system group or one of the supplementary groups? */
export function in_group_p(cred: Cred, gid: number): boolean {
  return cred.fsgid === gid || cred.groups.includes(gid);
}

export function capable(task: { cred: Cred }, cap: number): boolean {
  return task.cred.cap_effective.has(cap);
}
