// fs/vfs.ts — the state of the VFS of one kernel: file system types, the mount tree, locks, counters.  cf. fs/filesystems.c, fs/dcache.c, fs/super.c
import { EBUSY } from "../include/uapi/errno.ts";
import { MKDEV } from "../include/uapi/stat.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { WaitQueue } from "../kernel/sched/wait.ts";
import type { SigInfo } from "../kernel/signal_types.ts";
import type { Task } from "../kernel/task.ts";
import type { Dentry, File, FileSystemType, Mount, Path, SuperBlock } from "./fs.ts";
import { shrink_dcache } from "./dcache.ts";
import { fput, path_get, path_put } from "./file_table.ts";
import { do_coredump } from "./coredump.ts";
import { FileLocks } from "./locks.ts";
import { Fsnotify } from "./notify/fsnotify.ts";
import { Nameidata } from "./namei.ts";
import { NamesCache } from "./names.ts";
import type { Devtmpfs } from "./devtmpfs.ts";
import type { HostfsType } from "./hostfs/hostfs_kern.ts";
import type { DevptsType } from "./devpts/inode.ts";
import type { ProcEntry } from "./proc/internal.ts";
import type { AnonInodes } from "./anon_inodes.ts";

export class Vfs {
  readonly kernel: Kernel;
  /** registered file system types, in the order of /proc/filesystems */
  readonly file_systems: FileSystemType[] = [];
  /** mounted super blocks, in the order of their first mount */
  readonly supers: SuperBlock[] = [];
  /** every attached mount, in the order of /proc/mounts */
  readonly mounts: Mount[] = [];
  /** mounts of trees that are not in the tree, but held by a descriptor: of fsmount, of open_tree with OPEN_TREE_CLONE */
  readonly detached = new Set<Mount>();
  /** what is mounted on a dentry (all mounts of it, under whatever parent) */
  readonly mountpoints = new Map<Dentry, Mount[]>();
  /** root of the mount tree, root of init */
  root!: Path;
  readonly locks: FileLocks;
  readonly fsnotify: Fsnotify;
  readonly names = new NamesCache();
  /** /proc/sys/fs/protected_*: who may follow, link and open what others made in sticky directories */
  protected_hardlinks = 0;
  protected_symlinks = 0;
  protected_fifos = 0;
  protected_regular = 0;
  /** the path walk that is going on */
  readonly nd = new Nameidata();
  /** makes inodes for pipes, epolls, eventfds ... */
  anon!: AnonInodes;
  /** the one instance of devtmpfs, once it is initialized */
  devtmpfs: Devtmpfs | undefined;
  devpts!: DevptsType;
  /** the directory that the host hands files in through, and takes them out of */
  hostfs!: HostfsType;
  /** further files of /sys: path to text without newline */
  readonly sysfs_entries = new Map<string, string>();
  /** least recently made dentries first; d_count 0 ones are dropped when there are more than max_dentries */
  readonly dentry_lru = new Set<Dentry>();
  max_dentries = 32768;
  /** files of /proc that other subsystems add, by path */
  readonly proc_entries = new Map<string, ProcEntry>();
  /** lines of /proc/consoles */
  readonly consoles: string[] = [];
  /** what /proc/cpuinfo lists, as the CPU has it (arch/um) */
  cpu_flags = "fpu tsc cx8 cmov mmx fxsr sse sse2 syscall nx lm constant_tsc";
  /** /proc/sys/kernel/core_pattern, core_uses_pid */
  core_pattern = "core";
  core_uses_pid = false;
  nr_files = 0;
  nr_negative = 0;
  next_mnt_id = 1;
  /** changes of the mount tree so far, and who waits for one */
  mnt_event = 0;
  readonly mnt_wq = new WaitQueue();
  next_anon_dev = 1;
  next_anon_ino = 1;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
    this.locks = new FileLocks();
    this.fsnotify = new Fsnotify(kernel);
  }

  /** The tree of mounts changed: whoever polls /proc/mounts hears of it. */
  touch_mnt_namespace(): void {
    this.mnt_event++;
    this.mnt_wq.wake_up();
  }
  /** Throws EBUSY when the name is taken. */
  register_filesystem(type: FileSystemType): void {
    if (this.get_fs_type(type.name) !== undefined) throw EBUSY;
    this.file_systems.push(type);
  }
  get_fs_type(name: string): FileSystemType | undefined {
    return this.file_systems.find((t) => t.name === name);
  }
  /** What file systems cache, KiB: all of it, and what is not written yet. */
  page_cache_kb(): { cached: number; dirty: number } {
    let cached = 0;
    let dirty = 0;
    for (const sb of this.supers) {
      const c = sb.cached_bytes();
      cached += c.cached;
      dirty += c.dirty;
    }
    return { cached: Math.floor(cached / 1024), dirty: Math.floor(dirty / 1024) };
  }
  /** s_dev for a file system without a block device: 0:N. */
  get_anon_bdev(): number {
    return MKDEV(0, this.next_anon_dev++);
  }
  /** inode number for file systems that have none of their own */
  get_next_ino(): number {
    return this.next_anon_ino++;
  }
  /** For kernel/, which comes before fs/: a task is gone, and with it what is cached of its directory in /proc.  cf. proc_flush_pid() */
  proc_flush_pid(task: Task): void {
    for (const { mnt_sb } of this.mounts) {
      if (mnt_sb.type.name !== "proc") continue;
      const of = mnt_sb.s_root.d_children.get(String(task.group_leader.pid));
      const gone = task.group_leader === task ? of : of?.d_children.get("task")?.d_children.get(String(task.pid));
      if (gone !== undefined) shrink_dcache(this, gone);
    }
  }
  /** For mm/, which comes before fs/, too: one reference less of what a mapping or an address space holds. */
  fput(task: Task | undefined, file: File): void {
    fput(task, file);
  }
  /** For kernel/, too: a core file for a process that a signal ends; whether it has one. */
  do_coredump(task: Task, info: SigInfo): boolean {
    return do_coredump(task, info);
  }
  path_put(path: Path): void {
    path_put(path);
  }
  /** One process more executes the file: nobody may write to it. */
  get_exe(path: Path): void {
    path_get(path);
    const inode = path.dentry.d_inode;
    if (inode !== undefined) inode.i_writecount--;
  }
}
