// kernel/pid.ts — finding tasks, processes, groups and sessions by number.  cf. kernel/pid.c
import { EAGAIN } from "../include/uapi/errno.ts";
import type { Kernel } from "./kernel.ts";
import type { Task } from "./task.ts";

/** numbers below are not given out again after the first round */
const RESERVED_PIDS = 300;

/** A free number: not a thread's, nor a group's or session's that still has members. Throws EAGAIN. */
export function alloc_pid(kernel: Kernel): number {
  const max = kernel.pid_max;
  for (let tries = 0, pid = kernel.last_pid + 1; tries <= max; tries++, pid++) {
    if (pid >= max) pid = RESERVED_PIDS;
    if (kernel.tasks.has(pid) || pidInUse(kernel, pid)) continue;
    kernel.last_pid = pid;
    return pid;
  }
  throw EAGAIN;
}
function pidInUse(kernel: Kernel, pid: number): boolean {
  for (const t of kernel.tasks.values()) if (t.signal.pgrp === pid || t.signal.session === pid) return true;
  return false;
}

export function find_task(kernel: Kernel, pid: number): Task | undefined {
  return kernel.tasks.get(pid);
}
/** The process with this id: its leader. */
export function find_process(kernel: Kernel, pid: number): Task | undefined {
  const t = kernel.tasks.get(pid);
  return t !== undefined && t.group_leader === t ? t : undefined;
}
/** All processes (leaders, zombies among them) in the order of their creation. */
export function processes(kernel: Kernel): Task[] {
  const out: Task[] = [];
  for (const t of kernel.tasks.values()) if (t.group_leader === t) out.push(t);
  return out;
}
export function pgrp_members(kernel: Kernel, pgrp: number): Task[] {
  return processes(kernel).filter((t) => t.signal.pgrp === pgrp);
}
export function session_members(kernel: Kernel, session: number): Task[] {
  return processes(kernel).filter((t) => t.signal.session === session);
}
/** parent as getppid() and /proc tell it */
export function task_ppid(task: Task): number {
  return task.real_parent?.tgid ?? 0;
}
/** The init process. */
export function child_reaper(kernel: Kernel): Task | undefined {
  return kernel.tasks.get(1);
}
