// fs/fasync.ts — SIGIO: files under O_ASYNC tell their owner that something happened.  cf. fs/fcntl.c send_sigio(), kill_fasync()
import { EAGAIN } from "../include/uapi/errno.ts";
import { FASYNC } from "../include/uapi/fcntl.ts";
import { SIGIO, SIGURG } from "../include/uapi/signal.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { find_process, pgrp_members } from "../kernel/pid.ts";
import { send_signal, si_kernel } from "../kernel/signal.ts";
import type { Task } from "../kernel/task.ts";
import { POLLERR, POLLHUP, POLLIN, POLLMSG, POLLOUT, POLLPRI, POLLRDNORM, POLLWRNORM, type File } from "./fs.ts";

/** si_code of SIGIO */
export const POLL_IN = 1;
export const POLL_OUT = 2;
export const POLL_MSG = 3;
export const POLL_ERR = 4;
export const POLL_PRI = 5;
export const POLL_HUP = 6;
const BAND: Readonly<Record<number, number>> = {
  [POLL_IN]: POLLIN | POLLRDNORM,
  [POLL_OUT]: POLLOUT | POLLWRNORM,
  [POLL_MSG]: POLLIN | POLLRDNORM | POLLMSG,
  [POLL_ERR]: POLLERR,
  [POLL_PRI]: POLLPRI,
  [POLL_HUP]: POLLHUP | POLLERR,
};

/** To the owner of a file under O_ASYNC. */
export function kill_fasync(kernel: Kernel, file: File, code: number): void {
  if ((file.f_flags & FASYNC) !== 0) send_sigio(kernel, file, code);
}

/** The process, or the group, that F_SETOWN named. */
function owners(kernel: Kernel, file: File): Task[] {
  if (file.f_owner === 0) return [];
  if (file.f_owner < 0) return pgrp_members(kernel, -file.f_owner);
  const owner = find_process(kernel, file.f_owner);
  return owner === undefined ? [] : [owner];
}

/** SIGURG: urgent data came.  cf. send_sigurg() */
export function send_sigurg(kernel: Kernel, file: File): void {
  for (const t of owners(kernel, file)) send_signal(SIGURG, si_kernel(SIGURG), t, true);
}

/** Sends SIGIO to F_SETOWN's process or group; or what F_SETSIG chose, with what happened and the descriptor that O_ASYNC was set through. */
export function send_sigio(kernel: Kernel, file: File, code: number): void {
  const signo = file.f_owner_sig;
  for (const t of owners(kernel, file)) {
    if (signo !== 0) {
      try {
        send_signal(signo, { signo, errno: 0, code, band: BAND[code]!, fd: file.f_fasync_fd }, t, true);
        continue;
      } catch (e) {
        // the queue is full: the plain one says that something was lost
        if (e !== EAGAIN) throw e;
      }
    }
    send_signal(SIGIO, si_kernel(SIGIO), t, true);
  }
}
