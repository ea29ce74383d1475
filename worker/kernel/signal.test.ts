// kernel/signal.test.ts — processes and signals: what is sent, taken, stopped, waited for.
import { expect, test } from "vitest";
import { SA_NOCLDWAIT, SA_RESTART, SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGKILL, SIGSTOP, SIGTERM, SIGTSTP, SIGUSR1, SIG_IGN, SS_AUTODISARM } from "../include/uapi/signal.ts";
import { WCONTINUED, WNOHANG, WUNTRACED } from "../include/uapi/wait.ts";
import { sys_exit, sys_exit_group, sys_wait4, sys_waitid } from "./exit.ts";
import { sys_kill, sys_rt_sigprocmask, sys_rt_sigqueueinfo, sys_rt_sigsuspend, sys_rt_sigtimedwait, sys_tgkill } from "./signal_calls.ts";
import { sys_vfork, sys_clone } from "./fork.ts";
import { HALT } from "./panic.ts";
import { sys_getppid, sys_setpgid, sys_setsid } from "./sys.ts";
import { FakeKernel } from "./testing.ts";
import { sys_alarm } from "./time/itimer.ts";
import { sys_nanosleep } from "./time/posix_timers.ts";
import type { Task } from "./task.ts";
import { EXIT_ZOMBIE, TASK_STOPPED } from "./task.ts";

const HANDLER = 0x123456;
const catches = (t: Task, sig: number, flags = 0): void => void Object.assign(t.sighand.action[sig]!, { handler: HANDLER, flags });
const status = (f: FakeKernel): number => f.kernel.mem.view.getUint32(f.user + 64, true);
const wait = (f: FakeKernel, t: Task, options = 0, pid = -1): unknown => f.call(t, sys_wait4, pid, f.user + 64, options, 0);

test("a parent that waits is woken by the child's exit and reads its status", () => {
  const f = new FakeKernel();
  const p = f.process();
  expect(wait(f, p)).toBe("ECHILD");
  const c = f.process(p);
  expect(wait(f, p, WNOHANG)).toBe(0);
  expect(wait(f, p)).toBeUndefined();
  f.call(c, sys_exit_group, 7);
  f.run();
  expect(f.result(p)).toBe(c.pid);
  expect(status(f)).toBe(7 << 8);
  expect(f.kernel.tasks.has(c.pid)).toBe(false);
  expect(wait(f, p)).toBe("ECHILD");
});

test("a signal without handler ends the process, and the status says which", () => {
  const f = new FakeKernel();
  const p = f.process();
  const c = f.process(p);
  expect(f.call(p, sys_kill, c.pid, SIGTERM)).toBe(0);
  f.signals(c);
  expect(c.state).toBe(EXIT_ZOMBIE);
  expect(wait(f, p)).toBe(c.pid);
  expect(status(f)).toBe(SIGTERM);
});

test("a sleeping call is interrupted by a handler, restarted under SA_RESTART, and not at all by an ignored signal", () => {
  const f = new FakeKernel();
  const p = f.process();
  const c = f.process(p);
  catches(p, SIGUSR1);
  expect(wait(f, p)).toBeUndefined();
  f.call(c, sys_kill, p.pid, SIGUSR1);
  f.run();
  expect(f.result(p)).toBe("EINTR");
  expect(f.handled).toEqual([[p.pid, SIGUSR1]]);

  catches(p, SIGUSR1, SA_RESTART);
  expect(wait(f, p)).toBeUndefined();
  f.call(c, sys_kill, p.pid, SIGUSR1);
  f.run();
  expect(f.result(p)).not.toBe("EINTR");
  expect(f.handled.length).toBe(2);
  f.call(c, sys_exit, 0);
  f.run();
  expect(f.result(p)).toBe(c.pid);
});

test("stop and continue are told to the parent, and a nanosleep goes on where it was", () => {
  const f = new FakeKernel();
  const p = f.process();
  const c = f.process(p);
  const v = f.kernel.mem.view;
  v.setUint32(f.user, 1, true);
  const start = f.now;
  expect(f.call(c, sys_nanosleep, f.user, 0)).toBeUndefined();
  f.run(start + 300_000_000);
  f.call(p, sys_kill, c.pid, SIGSTOP);
  f.run();
  expect(c.state).toBe(TASK_STOPPED);
  expect(wait(f, p, WUNTRACED)).toBe(c.pid);
  expect(status(f)).toBe((SIGSTOP << 8) | 0x7f);
  expect(wait(f, p, WUNTRACED | WNOHANG)).toBe(0);
  f.call(p, sys_kill, c.pid, SIGCONT);
  f.run();
  expect(wait(f, p, WCONTINUED)).toBe(c.pid);
  expect(status(f)).toBe(0xffff);
  expect(f.result(c)).toBeUndefined();
  f.run(start + 900_000_000);
  expect(f.result(c)).toBeUndefined();
  f.run(start + 1_100_000_000);
  expect(f.result(c)).toBe(0);
});

test("SIGKILL reaches a stopped process", () => {
  const f = new FakeKernel();
  const p = f.process();
  const c = f.process(p);
  f.call(p, sys_kill, c.pid, SIGSTOP);
  f.signals(c);
  expect(c.state).toBe(TASK_STOPPED);
  f.call(p, sys_kill, c.pid, SIGKILL);
  f.run();
  expect(wait(f, p)).toBe(c.pid);
  expect(status(f)).toBe(SIGKILL);
});

test("a process group in no one's care is hung up and continued when its parent goes", () => {
  const f = new FakeKernel();
  const shell = f.process();
  f.call(shell, sys_setsid);
  const job = f.process(shell);
  f.call(job, sys_setpgid, 0, 0);
  catches(job, SIGHUP);
  f.call(shell, sys_kill, job.pid, SIGTSTP);
  f.signals(job);
  expect(job.state).toBe(TASK_STOPPED);
  f.call(shell, sys_exit_group, 0);
  f.run();
  expect(f.handled).toEqual([[job.pid, SIGHUP]]);
  expect(f.call(job, sys_getppid)).toBe(1);
});

test("a terminal's stop does not reach an orphaned group", () => {
  const f = new FakeKernel();
  const p = f.process();
  f.call(p, sys_setsid);
  f.call(p, sys_kill, p.pid, SIGTSTP);
  f.signals(p);
  expect(p.state).not.toBe(TASK_STOPPED);
});

test("a parent that ignores SIGCHLD has no zombies", () => {
  const f = new FakeKernel();
  const p = f.process();
  const [a, b] = [f.process(p), f.process(p)];
  p.sighand.action[SIGCHLD]!.handler = SIG_IGN;
  expect(wait(f, p)).toBeUndefined();
  f.call(a, sys_exit, 1);
  f.run();
  expect(f.result(p)).toBeUndefined();
  f.call(b, sys_exit, 1);
  f.run();
  expect(f.result(p)).toBe("ECHILD");
  catches(p, SIGCHLD, SA_NOCLDWAIT);
  const c = f.process(p);
  f.call(c, sys_exit, 1);
  expect(f.kernel.tasks.has(c.pid)).toBe(false);
});

test("vfork sleeps until the child is gone", () => {
  const f = new FakeKernel();
  const p = f.process();
  expect(f.call(p, sys_vfork)).toBeUndefined();
  const child = [...p.children][0]!;
  f.call(child, sys_exit, 3);
  f.run();
  expect(f.result(p)).toBe(child.pid);
  expect(wait(f, p)).toBe(child.pid);
});

test("an address space cannot be copied", () => {
  const f = new FakeKernel();
  const p = f.process();
  expect(f.call(p, sys_clone, SIGCHLD, 0, 0, 0, 0)).toBe("EINVAL");
});

test("exit_group ends all threads, also sleeping ones; the leader is the one waited for", () => {
  const f = new FakeKernel();
  const p = f.process();
  const leader = f.process(p);
  const thread = f.thread(leader);
  expect(f.call(thread, sys_nanosleep, (f.kernel.mem.view.setUint32(f.user, 9, true), f.user), 0)).toBeUndefined();
  f.call(leader, sys_exit_group, 5);
  expect(wait(f, p, WNOHANG)).toBe(0);
  f.run();
  expect(wait(f, p)).toBe(leader.pid);
  expect(status(f)).toBe(5 << 8);
  expect(f.kernel.tasks.has(thread.pid)).toBe(false);
});

test("a signal for the process is taken by a thread that does not block it", () => {
  const f = new FakeKernel();
  const p = f.process();
  const t = f.thread(p);
  catches(p, SIGUSR1);
  f.kernel.mem.view.setUint32(f.user, 1 << (SIGUSR1 - 1), true);
  expect(f.call(p, sys_rt_sigprocmask, 0, f.user, 0, 8)).toBe(0);
  f.call(f.init, sys_kill, p.pid, SIGUSR1);
  f.signals(p);
  expect(f.handled).toEqual([]);
  f.signals(t);
  expect(f.handled).toEqual([[t.pid, SIGUSR1]]);
  f.call(f.init, sys_tgkill, p.tgid, p.pid, SIGUSR1);
  f.signals(t);
  f.signals(p);
  expect(f.handled.length).toBe(1);
});

test("real-time signals queue, each with its value, lowest number first; others merge", () => {
  const f = new FakeKernel();
  const p = f.process();
  const v = f.kernel.mem.view;
  v.setUint32(f.user, 0xffffffff, true);
  v.setUint32(f.user + 4, 0xffffffff, true);
  f.call(p, sys_rt_sigprocmask, 2, f.user, 0, 8);
  for (const [sig, value] of [[40, 1], [39, 2], [40, 3], [SIGUSR1, 4], [SIGUSR1, 5]] as const) {
    v.setInt32(f.user + 16, sig, true);
    v.setInt32(f.user + 24, -1, true);
    v.setUint32(f.user + 16 + 24, value, true);
    expect(f.call(p, sys_rt_sigqueueinfo, p.pid, sig, f.user + 16)).toBe(0);
  }
  const got = [];
  const [set, info, zero] = [f.user, f.user + 256, f.user + 512];
  for (;;) {
    const sig = f.call(p, sys_rt_sigtimedwait, set, info, zero, 8);
    if (sig === "EAGAIN") break;
    got.push([sig, v.getUint32(info + 24, true)]);
  }
  expect(got).toEqual([[SIGUSR1, 4], [39, 2], [40, 1], [40, 3]]);
});

test("sigtimedwait sleeps for its signal, without its handler running, and no longer than it was told", () => {
  const f = new FakeKernel();
  const p = f.process();
  catches(p, SIGUSR1);
  const v = f.kernel.mem.view;
  v.setUint32(f.user, 1 << (SIGUSR1 - 1), true);
  v.setUint32(f.user + 16, 2, true);
  f.call(p, sys_rt_sigprocmask, 0, f.user, 0, 8);
  expect(f.call(p, sys_rt_sigtimedwait, f.user, 0, f.user + 16, 8)).toBeUndefined();
  f.call(f.init, sys_kill, p.pid, SIGUSR1);
  f.run();
  expect(f.result(p)).toBe(SIGUSR1);
  expect(f.handled).toEqual([]);
  expect(p.blocked.has(SIGUSR1)).toBe(true);
  const start = f.now;
  expect(f.call(p, sys_rt_sigtimedwait, f.user, 0, f.user + 16, 8)).toBeUndefined();
  f.run(start + 3e9);
  expect(f.result(p)).toBe("EAGAIN");
});

test("sigsuspend lets one signal in and puts the mask back", () => {
  const f = new FakeKernel();
  const p = f.process();
  catches(p, SIGUSR1);
  const v = f.kernel.mem.view;
  v.setUint32(f.user, 1 << (SIGUSR1 - 1), true);
  f.call(p, sys_rt_sigprocmask, 0, f.user, 0, 8);
  f.call(f.init, sys_kill, p.pid, SIGUSR1);
  f.signals(p);
  expect(f.handled).toEqual([]);
  expect(f.call(p, sys_rt_sigsuspend, f.user + 16, 8)).toBe("EINTR");
  expect(f.handled).toEqual([[p.pid, SIGUSR1]]);
});

test("alarm sends SIGALRM in time and says what was left of the one before", () => {
  const f = new FakeKernel();
  const p = f.process();
  catches(p, 14);
  const start = f.now;
  expect(f.call(p, sys_alarm, 10)).toBe(0);
  expect(f.call(p, sys_alarm, 2)).toBe(10);
  f.run(start + 1_900_000_000);
  f.signals(p);
  expect(f.handled).toEqual([]);
  f.run(start + 2_100_000_000);
  f.signals(p);
  expect(f.handled).toEqual([[p.pid, 14]]);
});

test("init is protected from signals it does not catch; its end is the machine's", () => {
  const f = new FakeKernel();
  const p = f.process();
  f.call(p, sys_kill, 1, SIGKILL);
  f.call(p, sys_kill, 1, SIGINT);
  f.signals(f.init);
  expect(f.init.exit_state_dead()).toBe(false);
  expect(() => f.call(f.init, sys_exit, 1)).toThrow();
  expect(f.log[0]).toBe("Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100");
  expect(f.kernel.halted).toBe("panic");
  expect(HALT).toBeDefined();
});

test("waitid leaves the child with WNOWAIT", () => {
  const f = new FakeKernel();
  const p = f.process();
  const c = f.process(p);
  f.call(c, sys_exit, 9);
  const info = f.user + 128;
  expect(f.call(p, sys_waitid, 0, 0, info, 4 | 0x01000000, 0)).toBe(0);
  const v = f.kernel.mem.view;
  expect([v.getInt32(info, true), v.getInt32(info + 8, true), v.getInt32(info + 16, true), v.getInt32(info + 24, true)]).toEqual([SIGCHLD, 1, c.pid, 9]);
  expect(wait(f, p)).toBe(c.pid);
});

test("SS_AUTODISARM: the alternate stack is gone while the handler runs; without it, it stays", () => {
  const f = new FakeKernel();
  for (const flags of [0, SS_AUTODISARM]) {
    const t = f.process();
    catches(t, SIGUSR1);
    Object.assign(t, { sas_ss_sp: f.user, sas_ss_size: 4096, sas_ss_flags: flags });
    f.call(t, sys_kill, t.pid, SIGUSR1);
    f.signals(t);
    expect(t.sas_ss_size).toBe(flags === 0 ? 4096 : 0);
  }
});
