// kernel/restart.ts — restart_syscall(2): goes on with a call that a signal without handler interrupted.  cf. kernel/signal.c
import { EINTR } from "../include/uapi/errno.ts";
import { SYSCALL_DEFINE } from "./syscall.ts";

export const sys_restart_syscall = SYSCALL_DEFINE("restart_syscall", [], (task) => {
  if (task.restart_block === undefined) throw EINTR;
  return task.restart_block.restart(task);
});
