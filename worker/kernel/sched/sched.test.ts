// kernel/sched/sched.test.ts — who runs when, and timers.
import { expect, test } from "vitest";
import { FakeKernel } from "../testing.ts";
import { sys_nanosleep } from "../time/posix_timers.ts";
import { KTimer, Timers } from "../time/timer.ts";
import { TIMESLICE } from "./core.ts";

class Note extends KTimer {
  readonly name: string;
  constructor(name: string) {
    super();
    this.name = name;
  }
  expire(): void {}
}

test("timers fire by time, and at equal times in the order in which they were armed", () => {
  const timers = new Timers();
  const order = [5, 3, 3, 9, 1, 3, 7].map((at, i) => {
    const t = new Note(`${at}.${i}`);
    timers.add(t, at);
    return t;
  });
  timers.del(order[6]!);
  const out: string[] = [];
  for (let t = timers.pop(8) as Note | undefined; t !== undefined; t = timers.pop(8) as Note | undefined) out.push(t.name);
  expect(out).toEqual(["1.4", "3.1", "3.2", "3.5", "5.0"]);
  expect(timers.next()).toBe(9);
});

test("runnable tasks take turns, a slice each", () => {
  const f = new FakeKernel();
  const { sched } = f.kernel;
  const [a, b] = [f.process(), f.process()];
  sched.wake_up_new_task(a);
  sched.wake_up_new_task(b);
  const ran = [];
  for (let i = 0; i < 6; i++) {
    const t = sched.schedule()!;
    ran.push(t.pid);
    sched.account(t, TIMESLICE / 2);
  }
  expect(ran).toEqual([a.pid, a.pid, b.pid, b.pid, a.pid, a.pid]);
  expect(a.utime).toBe(2 * TIMESLICE);
});

test("a real-time task goes before the others until it sleeps", () => {
  const f = new FakeKernel();
  const { sched } = f.kernel;
  const [a, b] = [f.process(), f.process()];
  b.rt_priority = 1;
  sched.wake_up_new_task(a);
  expect(sched.schedule()).toBe(a);
  sched.wake_up_new_task(b);
  expect(sched.schedule()).toBe(b);
  sched.account(b, 3 * TIMESLICE);
  expect(sched.schedule()).toBe(b);
  sched.park(b, true);
  expect(sched.schedule()).toBe(a);
});

test("the CPU is given no more than the time to the next timer", () => {
  const f = new FakeKernel();
  const t = f.process();
  f.kernel.sched.wake_up_new_task(t);
  f.kernel.sched.schedule();
  f.kernel.time.timers.add(new Note("x"), f.now + 1234);
  expect(f.kernel.sched.budget()).toBe(1234);
});

test("sleepers wake in order of their times, and idle time jumps", () => {
  const f = new FakeKernel();
  const m = f.kernel.mem;
  const tasks = [30, 10, 20].map((ms) => {
    const t = f.process();
    m.view.setUint32(f.user, 0, true);
    m.view.setUint32(f.user + 8, ms * 1_000_000, true);
    expect(f.call(t, sys_nanosleep, f.user, 0)).toBeUndefined();
    return t;
  });
  const start = f.now;
  f.run(start + 15_000_000);
  expect(tasks.map((t) => f.result(t))).toEqual([undefined, 0, undefined]);
  f.run(start + 40_000_000);
  expect(tasks.map((t) => f.result(t))).toEqual([0, 0, 0]);
  expect(f.now).toBe(start + 40_000_000);
  expect(f.kernel.time.idle).toBeGreaterThan(39_000_000);
});
