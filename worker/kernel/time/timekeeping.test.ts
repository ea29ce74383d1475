// kernel/time/timekeeping.test.ts — CLOCK_REALTIME is set: what waits for a reading of it follows, what waits for time to pass does not.
import { expect, test } from "vitest";
import { SIGALRM } from "../../include/uapi/signal.ts";
import { FakeKernel } from "../testing.ts";
import { sys_clock_nanosleep, sys_clock_settime, sys_timer_create, sys_timer_gettime, sys_timer_settime } from "./posix_timers.ts";
import { sys_rt_sigprocmask } from "../signal_calls.ts";

const REALTIME = 0;
const ABSTIME = 1;
const SEC = 1_000_000_000;

/** Writes a timespec at `at`. */
function timespec(f: FakeKernel, at: number, sec: number): number {
  const v = f.kernel.mem.view;
  v.setUint32(at, sec, true);
  v.setUint32(at + 4, 0, true);
  v.setUint32(at + 8, 0, true);
  v.setUint32(at + 12, 0, true);
  return at;
}

test("a sleep until a reading of the clock ends when the clock is set past it, a relative one does not", () => {
  const f = new FakeKernel();
  const [a, b] = [f.process(), f.process()];
  const now = f.kernel.time.realtime().sec;
  expect(f.call(a, sys_clock_nanosleep, REALTIME, ABSTIME, timespec(f, f.user, now + 1000), 0)).toBeUndefined();
  expect(f.call(b, sys_clock_nanosleep, REALTIME, 0, timespec(f, f.user + 16, 1000), 0)).toBeUndefined();
  expect(f.call(f.init, sys_clock_settime, REALTIME, timespec(f, f.user + 32, now + 990))).toBe(0);
  f.run(f.now + 5 * SEC);
  expect(f.result(a)).toBeUndefined();
  f.run(f.now + 6 * SEC);
  expect(f.result(a)).toBe(0);
  expect(f.result(b)).toBeUndefined();
});

test("an absolute timer of CLOCK_REALTIME fires at its reading, also when the clock was set back", () => {
  const f = new FakeKernel();
  const p = f.process();
  const now = f.kernel.time.realtime().sec;
  const v = f.kernel.mem.view;
  // blocked, so that it stays to be seen
  v.setUint32(f.user + 200, 1 << (SIGALRM - 1), true);
  f.call(p, sys_rt_sigprocmask, 0, f.user + 200, 0, 8);
  expect(f.call(p, sys_timer_create, REALTIME, 0, f.user)).toBe(0);
  timespec(f, f.user + 16, 0);
  timespec(f, f.user + 32, now + 100);
  expect(f.call(p, sys_timer_settime, 0, ABSTIME, f.user + 16, 0)).toBe(0);
  expect(f.call(f.init, sys_clock_settime, REALTIME, timespec(f, f.user + 64, now - 50))).toBe(0);
  f.call(p, sys_timer_gettime, 0, f.user + 96);
  expect(v.getUint32(f.user + 112, true)).toBeGreaterThanOrEqual(149);
  f.run(f.now + 120 * SEC);
  expect(p.signal.shared_pending.signal.has(SIGALRM)).toBe(false);
  f.run(f.now + 40 * SEC);
  expect(p.signal.shared_pending.signal.has(SIGALRM)).toBe(true);
});
