// fs/statfs.ts — statfs, fstatfs, ustat.  cf. fs/statfs.c
import { EBADF, EINVAL } from "../include/uapi/errno.ts";
import { AT_FDCWD } from "../include/uapi/fcntl.ts";
import {
  MNT_NOATIME, MNT_NODEV, MNT_NODIRATIME, MNT_NOEXEC, MNT_NOSUID, MNT_NOSYMFOLLOW, MNT_READONLY, MNT_RELATIME, SB_RDONLY, ST_NOATIME, ST_NODEV, ST_NODIRATIME,
  ST_NOEXEC, ST_NOSUID, ST_NOSYMFOLLOW, ST_RDONLY, ST_RELATIME, ST_SYNCHRONOUS, ST_VALID, MS_SYNCHRONOUS,
} from "../include/uapi/mount.ts";
import { new_decode_dev } from "../include/uapi/stat.ts";
import { Fd, Path as PathArg, Ptr, SYSCALL_DEFINE, UInt } from "../kernel/syscall.ts";
import type { Task } from "../kernel/task.ts";
import { check_write, put_user_u64, clear_user, put_user_u32 } from "../kernel/uaccess.ts";
import type { Mount, SuperBlock } from "./fs.ts";
import { LOOKUP_FOLLOW, user_path_at } from "./namei.ts";

const MNT_TO_ST: readonly (readonly [number, number])[] = [
  [MNT_READONLY, ST_RDONLY], [MNT_NOSUID, ST_NOSUID], [MNT_NODEV, ST_NODEV], [MNT_NOEXEC, ST_NOEXEC], [MNT_NOATIME, ST_NOATIME],
  [MNT_NODIRATIME, ST_NODIRATIME], [MNT_RELATIME, ST_RELATIME], [MNT_NOSYMFOLLOW, ST_NOSYMFOLLOW],
];

function calculate_f_flags(sb: SuperBlock, mnt: Mount | undefined): number {
  let f = ST_VALID;
  if (mnt !== undefined) for (const [m, s] of MNT_TO_ST) if ((mnt.mnt_flags & m) !== 0) f |= s;
  if ((sb.s_flags & SB_RDONLY) !== 0) f |= ST_RDONLY;
  if ((sb.s_flags & MS_SYNCHRONOUS) !== 0) f |= ST_SYNCHRONOUS;
  return f;
}

/** struct statfs of x86-64, 120 bytes */
function put_statfs(task: Task, addr: number, sb: SuperBlock, mnt: Mount | undefined): number {
  const m = task.kernel.mem;
  const st = sb.statfs();
  check_write(m, addr, 120);
  const fields = [st.type, st.bsize, st.blocks, st.bfree, st.bavail, st.files, st.ffree];
  fields.forEach((v, i) => put_user_u64(m, addr + i * 8, v));
  put_user_u32(m, addr + 56, st.fsid[0]);
  put_user_u32(m, addr + 60, st.fsid[1]);
  put_user_u64(m, addr + 64, st.namelen);
  put_user_u64(m, addr + 72, st.bsize);
  put_user_u64(m, addr + 80, st.flags | calculate_f_flags(sb, mnt));
  clear_user(m, addr + 88, 32);
  return 0;
}

/** statfs(2) */
export const sys_statfs = SYSCALL_DEFINE("statfs", [PathArg, Ptr], (task, name, buf) => {
  const { mnt, dentry } = user_path_at(task, AT_FDCWD, name, LOOKUP_FOLLOW);
  return put_statfs(task, buf, dentry.d_sb, mnt);
});
/** fstatfs(2) */
export const sys_fstatfs = SYSCALL_DEFINE("fstatfs", [Fd, Ptr], (task, fd, buf) => {
  const file = task.files!.fget_raw(fd);
  if (file.f_inode === undefined) throw EBADF;
  return put_statfs(task, buf, file.f_inode.i_sb, file.f_path?.mnt);
});
/** ustat(2): struct ustat {s32 tfree; u64 tinode; char fname[6], fpack[6]} */
export const sys_ustat = SYSCALL_DEFINE("ustat", [UInt, Ptr], (task, dev, ubuf) => {
  const s_dev = new_decode_dev(dev);
  const sb = task.kernel.vfs.supers.find((s) => s.s_dev === s_dev);
  if (sb === undefined) throw EINVAL;
  const st = sb.statfs();
  clear_user(task.kernel.mem, ubuf, 32);
  put_user_u32(task.kernel.mem, ubuf, st.bfree);
  put_user_u64(task.kernel.mem, ubuf + 8, st.ffree);
  return 0;
});
