// drivers/tty/tty_jobctrl.ts — controlling terminals, foreground groups, hang-up.  cf. drivers/tty/tty_jobctrl.c, tty_io.c __tty_hangup()
import { EINVAL, EIO, ENOTTY, EPERM, ERESTARTSYS, ESRCH } from "../../include/uapi/errno.ts";
import { SIGCONT, SIGHUP, SIGTTIN, SIGTTOU, SIG_IGN } from "../../include/uapi/signal.ts";
import { CAP_SYS_ADMIN, CAP_SYS_TTY_CONFIG, capable } from "../../kernel/cred.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { find_task, pgrp_members, processes, session_members } from "../../kernel/pid.ts";
import { group_send_sig, is_current_pgrp_orphaned, kill_pgrp } from "../../kernel/signal.ts";
import { SYSCALL_DEFINE } from "../../kernel/syscall.ts";
import type { Task } from "../../kernel/task.ts";
import { get_user_s32, put_user_u32 } from "../../kernel/uaccess.ts";
import type { TtyStruct } from "./tty_struct.ts";
import type { File } from "../../fs/fs.ts";

function is_ignored(task: Task, sig: number): boolean {
  return task.blocked.has(sig) || task.sighand.action[sig]!.handler === SIG_IGN;
}

/** May a background process do this to the terminal? Throws EIO, or ERESTARTSYS with the group stopped by `sig`.  cf. __tty_check_change() */
export function tty_check_change(task: Task, tty: TtyStruct, sig: number = SIGTTOU): void {
  if (task.signal.tty !== tty) return;
  const { pgrp } = task.signal;
  if (tty.pgrp === 0 || pgrp === tty.pgrp) return;
  if (is_ignored(task, sig)) {
    if (sig === SIGTTIN) throw EIO;
    return;
  }
  if (is_current_pgrp_orphaned(task)) throw EIO;
  kill_pgrp(task.kernel, pgrp, sig);
  throw ERESTARTSYS;
}

/** It becomes the terminal of the caller's session.  cf. __proc_set_tty() */
function proc_set_tty(task: Task, tty: TtyStruct): void {
  tty.pgrp = task.signal.pgrp;
  tty.session = task.signal.session;
  task.signal.tty = tty;
  task.signal.tty_old_pgrp = 0;
}

/** What open() without O_NOCTTY does for a session leader without a terminal.  cf. tty_open_proc_set_tty() */
export function tty_open_proc_set_tty(task: Task, tty: TtyStruct, readable: boolean): void {
  const { signal } = task;
  if (signal.leader && signal.tty === undefined && tty.session === 0 && readable) proc_set_tty(task, tty);
}

function session_clear_tty(kernel: Kernel, session: number): void {
  for (const p of session_members(kernel, session)) p.signal.tty = undefined;
}

/** TIOCSCTTY. Throws EPERM. */
export function tiocsctty(task: Task, tty: TtyStruct, file: File, arg: number): number {
  const { signal } = task;
  if (signal.leader && signal.session === tty.session) return 0;
  if (!signal.leader || signal.tty !== undefined) throw EPERM;
  if (tty.session !== 0) {
    // somebody else's: root may steal it
    if (arg !== 1 || !capable(task, CAP_SYS_ADMIN)) throw EPERM;
    session_clear_tty(task.kernel, tty.session);
  }
  if (!file.readable && !capable(task, CAP_SYS_ADMIN)) throw EPERM;
  proc_set_tty(task, tty);
  return 0;
}

/** The session leader lets go of `tty`: by exit, or TIOCNOTTY.  cf. disassociate_ctty() */
export function disassociate_ctty(task: Task, tty: TtyStruct, on_exit: boolean): void {
  const kernel = task.kernel;
  if (!task.signal.leader) return;
  if (on_exit && tty.driver.kind === "console") tty_hangup(tty, true);
  else if (tty.pgrp !== 0) {
    kill_pgrp(kernel, tty.pgrp, SIGHUP);
    if (!on_exit) kill_pgrp(kernel, tty.pgrp, SIGCONT);
  }
  task.signal.tty_old_pgrp = 0;
  if (task.signal.tty !== undefined) {
    tty.session = 0;
    tty.pgrp = 0;
  }
  session_clear_tty(kernel, task.signal.session);
}

/** TIOCNOTTY. Throws ENOTTY. */
export function no_tty(task: Task, tty: TtyStruct): number {
  if (task.signal.tty !== tty) throw ENOTTY;
  disassociate_ctty(task, tty, false);
  task.signal.tty = undefined;
  return 0;
}

/** Tells the session that its terminal is gone.  cf. tty_signal_session_leader() */
function tty_signal_session_leader(tty: TtyStruct, exit_session: boolean): void {
  const kernel = tty.kernel;
  const { pgrp } = tty;
  if (tty.session !== 0) {
    for (const p of processes(kernel)) {
      if (p.signal.session !== tty.session) continue;
      if (p.signal.tty === tty) p.signal.tty = undefined;
      if (!p.signal.leader || p.exit_state_dead()) continue;
      if (!exit_session || p !== kernel.current?.group_leader) {
        group_send_sig(SIGHUP, p);
        group_send_sig(SIGCONT, p);
      }
      if (pgrp !== 0) p.signal.tty_old_pgrp = pgrp;
    }
  }
  if (exit_session && pgrp !== 0) kill_pgrp(kernel, pgrp, SIGHUP);
}

/** All open Files are cut off for ever: they read end of file and write EIO; whoever opens it anew has a fresh terminal.  cf. __tty_hangup() */
export function tty_hangup(tty: TtyStruct, exit_session: boolean): void {
  for (const f of [...tty.files]) {
    if (f.console) continue;
    f.hung_up = true;
    tty.files.delete(f);
    tty.hung++;
  }
  tty_signal_session_leader(tty, exit_session);
  tty.ldata.reset();
  tty.flip.clear();
  tty.stopped = tty.tco_stopped = false;
  tty.session = tty.pgrp = 0;
  tty.pktstatus = 0;
  tty.packet = false;
  tty.read_wait.wake_up();
  tty.write_wait.wake_up();
}

/** TIOCGPGRP, TIOCSPGRP, TIOCGSID. `real` is the slave when asked through the master. */
export function tty_jobctrl_ioctl(task: Task, tty: TtyStruct, real: TtyStruct, cmd: "getpgrp" | "setpgrp" | "getsid", arg: number): number {
  const kernel = task.kernel;
  const { mem } = kernel;
  if (cmd === "setpgrp") {
    try {
      tty_check_change(task, real);
    } catch (e) {
      if (e === EIO) throw ENOTTY;
      throw e;
    }
    const pgrp = get_user_s32(mem, arg);
    if (pgrp < 0) throw EINVAL;
    if (task.signal.tty !== real || real.session !== task.signal.session) throw ENOTTY;
    // a process of that number will do
    const member = pgrp_members(kernel, pgrp)[0] ?? find_task(kernel, pgrp);
    if (member === undefined) throw ESRCH;
    if (member.signal.session !== task.signal.session) throw EPERM;
    real.pgrp = pgrp;
    return 0;
  }
  if (tty === real && task.signal.tty !== real) throw ENOTTY;
  if (cmd === "getsid" && real.session === 0) throw ENOTTY;
  put_user_u32(mem, arg, cmd === "getpgrp" ? real.pgrp : real.session);
  return 0;
}

/** vhangup(2): of the caller's own terminal */
export const sys_vhangup = SYSCALL_DEFINE("vhangup", [], (task) => {
  if (!capable(task, CAP_SYS_TTY_CONFIG)) throw EPERM;
  const { tty } = task.signal;
  if (tty !== undefined) tty_hangup(tty, false);
  return 0;
});
