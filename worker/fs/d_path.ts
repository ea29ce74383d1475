// fs/d_path.ts — getcwd.  cf. fs/d_path.c
import { ENOENT, ERANGE } from "../include/uapi/errno.ts";
import { OutBuf, SYSCALL_DEFINE, Size } from "../kernel/syscall.ts";
import { check_write } from "../kernel/uaccess.ts";
import { d_path } from "./dcache.ts";

/** getcwd(2): the length with its NUL */
export const sys_getcwd = SYSCALL_DEFINE("getcwd", [OutBuf, Size], (task, buf, size) => {
  const fs = task.fs!;
  if (fs.pwd.dentry.d_unhashed) throw ENOENT;
  const { text, reachable } = d_path(fs.pwd, fs.root);
  const s = reachable ? text : `(unreachable)${text}`;
  if (s.length + 1 > size) throw ERANGE;
  const m = task.kernel.mem;
  check_write(m, buf, s.length + 1);
  for (let i = 0; i < s.length; i++) m.u8[buf + i] = s.charCodeAt(i);
  m.u8[buf + s.length] = 0;
  return s.length + 1;
});
