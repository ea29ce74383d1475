// fs/proc/sysctl.ts — /proc/sys.  cf. fs/proc/proc_sysctl.c, kernel/sysctl.c
import { EINVAL, EPERM } from "../../include/uapi/errno.ts";
import { CAP_SYS_ADMIN, capable } from "../../kernel/cred.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { NR_OPEN } from "../fs_struct.ts";
import { MAX_QUEUED_EVENTS, MAX_USER_WATCHES } from "../notify/inotify.ts";
import { PIPE_MAX_SIZE } from "../pipe.ts";
import { kstrtol } from "../pseudo.ts";
import type { ProcTable, ProcTableEntry } from "./internal.ts";

const ro = (show: (k: Kernel) => string | number): ProcTableEntry => ({ mode: 0o444, show: (k) => `${show(k)}\n` });
/** A number between min and max that a program may change. */
const int = (get: (k: Kernel) => number, set: (k: Kernel, v: number) => void, min: number, max: number): ProcTableEntry => ({
  mode: 0o644,
  show: (k) => `${get(k)}\n`,
  store: (k, _t, text) => {
    const v = kstrtol(text.trim().split(/\s/)[0] ?? "");
    if (v < min || v > max) throw EINVAL;
    set(k, v);
  },
});
/** A number from 0 on that root alone sees and sets. */
const priv = (get: (k: Kernel) => number, set: (k: Kernel, v: number) => void, max: number): ProcTableEntry => ({ ...int(get, set, 0, max), mode: 0o600 });
const text = (get: (k: Kernel) => string, set: (k: Kernel, v: string) => void, max: number): ProcTableEntry => ({
  mode: 0o644,
  show: (k) => `${get(k)}\n`,
  store: (k, t, s) => {
    if (!capable(t, CAP_SYS_ADMIN)) throw EPERM;
    set(k, s.replace(/\n.*$/s, "").slice(0, max));
  },
});

function set_printk(k: Kernel, s: string): void {
  const v = s.trim().split(/\s+/).map((x) => kstrtol(x));
  const p = k.printk;
  if (v[0] !== undefined) p.console_loglevel = v[0];
  if (v[1] !== undefined) p.default_message_loglevel = v[1];
  if (v[2] !== undefined) p.minimum_console_loglevel = v[2];
  if (v[3] !== undefined) p.default_console_loglevel = v[3];
}
function boot_id(k: Kernel): string {
  if (k.random.boot_id === "") k.random.boot_id = k.random.uuid();
  return k.random.boot_id;
}

/** Keys are paths below /proc. */
export const SYSCTL_FILES: ProcTable = {
  "sys/kernel/ostype": ro((k) => k.uts.sysname),
  "sys/kernel/osrelease": ro((k) => k.uts.release),
  "sys/kernel/version": ro((k) => k.uts.version),
  "sys/kernel/hostname": text((k) => k.uts.nodename, (k, v) => (k.uts.nodename = v), 64),
  "sys/kernel/domainname": text((k) => k.uts.domainname, (k, v) => (k.uts.domainname = v), 64),
  "sys/kernel/core_pattern": text((k) => k.vfs.core_pattern, (k, v) => (k.vfs.core_pattern = v), 127),
  "sys/kernel/core_uses_pid": int((k) => Number(k.vfs.core_uses_pid), (k, v) => (k.vfs.core_uses_pid = v !== 0), 0, 0x7fffffff),
  "sys/kernel/pid_max": int((k) => k.pid_max, (k, v) => (k.pid_max = v), 301, 4194304),
  "sys/kernel/ngroups_max": ro(() => 65536),
  "sys/kernel/cap_last_cap": ro(() => 40),
  "sys/kernel/threads-max": ro((k) => Math.max(20, Math.floor(k.mem.size / 4096 / 8 / 8) * 8)),
  "sys/kernel/arch": ro((k) => k.uts.machine),
  "sys/kernel/ctrl-alt-del": int((k) => Number(k.cad), (k, v) => (k.cad = v !== 0), 0, 0x7fffffff),
  "sys/kernel/ns_last_pid": ro((k) => k.last_pid),
  "sys/kernel/panic": ro(() => 0),
  "sys/kernel/panic_on_oops": ro(() => 1),
  "sys/kernel/pty/max": ro(() => 4096),
  "sys/kernel/pty/reserve": ro(() => 1024),
  "sys/kernel/randomize_va_space": ro(() => 0),
  "sys/kernel/dmesg_restrict": ro(() => 0),
  "sys/kernel/kptr_restrict": ro(() => 0),
  "sys/kernel/sched_rr_timeslice_ms": ro(() => 1),
  "sys/kernel/sysrq": int((k) => k.sysrq, (k, v) => (k.sysrq = v), 0, 0x7fffffff),
  "sys/kernel/tainted": ro(() => 0),
  "sys/kernel/overflowuid": ro(() => 65534),
  "sys/kernel/overflowgid": ro(() => 65534),
  "sys/kernel/printk": {
    mode: 0o644,
    show: (k) => `${k.printk.console_loglevel}\t${k.printk.default_message_loglevel}\t${k.printk.minimum_console_loglevel}\t${k.printk.default_console_loglevel}\n`,
    store: (k, _t, s) => set_printk(k, s),
  },
  "sys/kernel/random/boot_id": ro(boot_id),
  "sys/kernel/random/uuid": ro((k) => k.random.uuid()),
  "sys/kernel/random/entropy_avail": ro(() => 256),
  "sys/kernel/random/poolsize": ro(() => 256),
  "sys/kernel/random/write_wakeup_threshold": ro(() => 256),
  "sys/kernel/random/urandom_min_reseed_secs": ro(() => 60),
  "sys/vm/nr_trim_pages": int((k) => k.pages.nr_trim_pages, (k, v) => (k.pages.nr_trim_pages = v), 0, 0x7fffffff),
  "sys/vm/max_map_count": ro(() => 65530),
  "sys/vm/overcommit_memory": ro(() => 0),
  "sys/vm/overcommit_ratio": ro(() => 50),
  "sys/vm/drop_caches": {
    mode: 0o200,
    show: () => "0\n",
    store: (_k, _t, s) => {
      const v = kstrtol(s);
      if (v < 1 || v > 4) throw EINVAL;
    },
  },
  "sys/vm/swappiness": ro(() => 60),
  "sys/vm/oom_kill_allocating_task": ro(() => 0),
  "sys/vm/panic_on_oom": ro(() => 0),
  "sys/fs/file-max": ro(() => 9223372036854775807n.toString()),
  "sys/fs/file-nr": ro((k) => `${k.vfs.nr_files}\t0\t9223372036854775807`),
  "sys/fs/nr_open": ro(() => NR_OPEN),
  "sys/fs/dentry-state": ro((k) => `${k.vfs.dentry_lru.size}\t${k.vfs.dentry_lru.size}\t45\t0\t0\t0`),
  "sys/fs/mount-max": ro(() => 100000),
  "sys/fs/overflowuid": ro(() => 65534),
  "sys/fs/overflowgid": ro(() => 65534),
  "sys/fs/leases-enable": ro(() => 1),
  "sys/fs/lease-break-time": int((k) => k.vfs.locks.lease_break_time, (k, v) => (k.vfs.locks.lease_break_time = v), 0, 0x7fffffff),
  "sys/fs/pipe-max-size": ro(() => PIPE_MAX_SIZE),
  "sys/fs/pipe-user-pages-hard": ro(() => 0),
  "sys/fs/pipe-user-pages-soft": ro(() => 16384),
  "sys/fs/inotify/max_queued_events": ro(() => MAX_QUEUED_EVENTS),
  "sys/fs/inotify/max_user_instances": ro(() => 128),
  "sys/fs/inotify/max_user_watches": ro(() => MAX_USER_WATCHES),
  "sys/fs/protected_hardlinks": priv((k) => k.vfs.protected_hardlinks, (k, v) => (k.vfs.protected_hardlinks = v), 1),
  "sys/fs/protected_symlinks": priv((k) => k.vfs.protected_symlinks, (k, v) => (k.vfs.protected_symlinks = v), 1),
  "sys/fs/protected_fifos": priv((k) => k.vfs.protected_fifos, (k, v) => (k.vfs.protected_fifos = v), 2),
  "sys/fs/protected_regular": priv((k) => k.vfs.protected_regular, (k, v) => (k.vfs.protected_regular = v), 2),
  "sys/fs/suid_dumpable": ro(() => 0),
};
