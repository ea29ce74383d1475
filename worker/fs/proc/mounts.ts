// fs/proc/mounts.ts — mounts, mountinfo, mountstats as a process sees them.  cf. fs/proc_namespace.c
import { MNT_NOATIME, MNT_NODEV, MNT_NODIRATIME, MNT_NOEXEC, MNT_NOSUID, MNT_NOSYMFOLLOW, MNT_READONLY, MNT_RELATIME, MS_DIRSYNC, MS_LAZYTIME, MS_MANDLOCK, MS_SYNCHRONOUS, SB_RDONLY } from "../../include/uapi/mount.ts";
import { MAJOR, MINOR } from "../../include/uapi/stat.ts";
import type { Task } from "../../kernel/task.ts";
import type { WaitQueue } from "../../kernel/sched/wait.ts";
import { d_path, dentry_path } from "../dcache.ts";
import { SeqFile } from "../pseudo.ts";
import { POLLERR, POLLIN, POLLPRI, POLLRDNORM, type Mount, type SuperBlock, type File, type Inode } from "../fs.ts";

/** Blanks, backslashes and the like as octal.  cf. mangle() */
const mangle = (s: string): string => s.replace(/[ \t\n\\#]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, "0")}`);

const MNT_OPTS: readonly (readonly [number, string])[] = [
  [MNT_NOSUID, ",nosuid"], [MNT_NODEV, ",nodev"], [MNT_NOEXEC, ",noexec"], [MNT_NOATIME, ",noatime"], [MNT_NODIRATIME, ",nodiratime"], [MNT_RELATIME, ",relatime"],
  [MNT_NOSYMFOLLOW, ",nosymfollow"],
];
const SB_OPTS: readonly (readonly [number, string])[] = [[MS_SYNCHRONOUS, ",sync"], [MS_DIRSYNC, ",dirsync"], [MS_MANDLOCK, ",mand"], [MS_LAZYTIME, ",lazytime"]];

const opts = (flags: number, table: readonly (readonly [number, string])[]): string => table.map(([bit, text]) => ((flags & bit) !== 0 ? text : "")).join("");
const sb_ro = (sb: SuperBlock): boolean => (sb.s_flags & SB_RDONLY) !== 0;

/** Mounts below the task's root, with their places. */
function* visible(t: Task): Generator<[Mount, string]> {
  const root = t.fs?.root;
  if (root === undefined) return;
  for (const mnt of t.kernel.vfs.mounts) {
    const { text, reachable } = d_path({ mnt, dentry: mnt.mnt_root }, root, false);
    if (reachable) yield [mnt, mangle(text)];
  }
}

/** cf. show_vfsmnt() */
export function show_mounts(t: Task): string {
  let s = "";
  for (const [mnt, where] of visible(t)) {
    const sb = mnt.mnt_sb;
    const ro = (mnt.mnt_flags & MNT_READONLY) !== 0 || sb_ro(sb);
    s += `${mangle(mnt.mnt_devname)} ${where} ${sb.type.name} ${ro ? "ro" : "rw"}${opts(sb.s_flags, SB_OPTS)}${opts(mnt.mnt_flags, MNT_OPTS)}${sb.show_options()} 0 0\n`;
  }
  return s;
}
/** cf. show_mountinfo() */
export function show_mountinfo(t: Task): string {
  let s = "";
  for (const [mnt, where] of visible(t)) {
    const sb = mnt.mnt_sb;
    const fs_root = mnt.mnt_root === sb.s_root ? "/" : mangle(dentry_path(mnt.mnt_root));
    s +=
      `${mnt.mnt_id} ${mnt.mnt_parent.mnt_id} ${MAJOR(sb.s_dev)}:${MINOR(sb.s_dev)} ${fs_root} ${where} ${(mnt.mnt_flags & MNT_READONLY) !== 0 ? "ro" : "rw"}${opts(mnt.mnt_flags, MNT_OPTS)}` +
      `${mnt.mnt_group_id !== 0 ? ` shared:${mnt.mnt_group_id}` : ""}${mnt.mnt_master !== 0 ? ` master:${mnt.mnt_master}` : ""}${mnt.mnt_unbindable ? " unbindable" : ""}` +
      ` - ${sb.type.name} ${mangle(mnt.mnt_devname)} ${sb_ro(sb) ? "ro" : "rw"}${opts(sb.s_flags, SB_OPTS)}${sb.show_options()}\n`;
  }
  return s;
}
/** cf. show_vfsstat() */
export function show_mountstats(t: Task): string {
  let s = "";
  for (const [mnt, where] of visible(t)) s += `device ${mangle(mnt.mnt_devname)} mounted on ${where} with fstype ${mnt.mnt_sb.type.name}\n`;
  return s;
}

/** /proc/PID/mounts and mountinfo: poll says POLLERR and POLLPRI once after each change.  cf. mounts_poll() */
export class ProcMounts extends SeqFile {
  private seen: number;
  constructor(inode: Inode) {
    super();
    this.seen = inode.i_sb.kernel.vfs.mnt_event;
  }
  override get polls(): boolean {
    return true;
  }
  override poll(file: File, _task: Task, queues: WaitQueue[] | undefined): number {
    const { vfs } = file.f_inode!.i_sb.kernel;
    queues?.push(vfs.mnt_wq);
    if (this.seen === vfs.mnt_event) return POLLIN | POLLRDNORM;
    this.seen = vfs.mnt_event;
    return POLLIN | POLLRDNORM | POLLERR | POLLPRI;
  }
}
