// kernel/futex.test.ts — futexes: waiting, waking, moving, owning, dying.
import { expect, test } from "vitest";
import { sys_exit } from "./exit.ts";
import {
  FUTEX_CMP_REQUEUE, FUTEX_LOCK_PI, FUTEX_OWNER_DIED, FUTEX_UNLOCK_PI, FUTEX_WAIT, FUTEX_WAIT_BITSET, FUTEX_WAITERS, FUTEX_WAKE, FUTEX_WAKE_BITSET, FUTEX_WAKE_OP,
  sys_futex, sys_futex_requeue, sys_futex_wait, sys_futex_waitv, sys_futex_wake, sys_set_robust_list,
} from "./futex.ts";
import { SIGUSR1 } from "../include/uapi/signal.ts";
import { sys_kill } from "./signal_calls.ts";
import { FakeKernel, type Result } from "./testing.ts";
import type { Task } from "./task.ts";

const futex = (f: FakeKernel, t: Task, addr: number, op: number, val = 0, timeout = 0, addr2 = 0, val3 = 0): Result => f.call(t, sys_futex, addr, op, val, timeout, addr2, val3);
const setup = (): { f: FakeKernel; a: Task; b: Task; c: Task; word: number; other: number } => {
  const f = new FakeKernel();
  const a = f.process();
  return { f, a, b: f.thread(a), c: f.thread(a), word: f.user, other: f.user + 64 };
};

test("a waiter sleeps while the word has the value, and is woken in order of arrival", () => {
  const { f, a, b, c, word } = setup();
  expect(futex(f, a, word, FUTEX_WAIT, 1)).toBe("EAGAIN");
  expect(futex(f, a, word + 1, FUTEX_WAIT, 0)).toBe("EINVAL");
  expect(futex(f, a, word, FUTEX_WAIT, 0)).toBeUndefined();
  expect(futex(f, b, word, FUTEX_WAIT, 0)).toBeUndefined();
  expect(futex(f, c, word, FUTEX_WAKE, 1)).toBe(1);
  f.run();
  expect([f.result(a), f.result(b)]).toEqual([0, undefined]);
  expect(futex(f, c, word, FUTEX_WAKE, 9)).toBe(1);
  f.run();
  expect(f.result(b)).toBe(0);
  expect(f.kernel.futexes.queues.size).toBe(0);
});

test("a wait ends with its time", () => {
  const { f, a, word } = setup();
  f.kernel.mem.view.setUint32(f.user + 256 + 8, 5_000_000, true);
  const start = f.now;
  expect(futex(f, a, word, FUTEX_WAIT, 0, f.user + 256)).toBeUndefined();
  f.run(start + 4_000_000);
  expect(f.result(a)).toBeUndefined();
  f.run(start + 6_000_000);
  expect(f.result(a)).toBe("ETIMEDOUT");
  expect(f.kernel.futexes.queues.size).toBe(0);
});

test("a signal with a handler ends a wait and leaves nobody queued", () => {
  const { f, a, word } = setup();
  a.sighand.action[SIGUSR1]!.handler = 0x5000;
  expect(futex(f, a, word, FUTEX_WAIT, 0)).toBeUndefined();
  f.call(f.init, sys_kill, a.pid, SIGUSR1);
  f.run();
  expect(f.result(a)).toBe("EINTR");
  expect(f.kernel.futexes.queues.size).toBe(0);
});

test("a bitset chooses whom to wake", () => {
  const { f, a, b, c, word } = setup();
  futex(f, a, word, FUTEX_WAIT_BITSET, 0, 0, 0, 1);
  futex(f, b, word, FUTEX_WAIT_BITSET, 0, 0, 0, 2);
  expect(futex(f, c, word, FUTEX_WAKE_BITSET, 9, 0, 0, 2)).toBe(1);
  f.run();
  expect([f.result(a), f.result(b)]).toEqual([undefined, 0]);
});

test("requeueing wakes some and moves the rest", () => {
  const { f, a, b, c, word, other } = setup();
  futex(f, a, word, FUTEX_WAIT, 0);
  futex(f, b, word, FUTEX_WAIT, 0);
  expect(futex(f, c, word, FUTEX_CMP_REQUEUE, 1, 1, other, 5)).toBe("EAGAIN");
  expect(futex(f, c, word, FUTEX_CMP_REQUEUE, 1, 1, other, 0)).toBe(2);
  f.run();
  expect([f.result(a), f.result(b)]).toEqual([0, undefined]);
  expect(futex(f, c, word, FUTEX_WAKE, 1)).toBe(0);
  expect(futex(f, c, other, FUTEX_WAKE, 1)).toBe(1);
});

test("FUTEX_WAKE_OP changes one word and wakes on both", () => {
  const { f, a, b, c, word, other } = setup();
  f.kernel.mem.view.setUint32(other, 3, true);
  futex(f, a, word, FUTEX_WAIT, 0);
  futex(f, b, other, FUTEX_WAIT, 3);
  // add 4; wake the second if the old value was > 2
  expect(futex(f, c, word, FUTEX_WAKE_OP, 1, 1, other, ((1 << 28) | (4 << 24) | (4 << 12) | 2) >>> 0)).toBe(2);
  expect(f.kernel.mem.view.getUint32(other, true)).toBe(7);
});

test("a PI futex is handed to its waiter, and a ring of locks is refused", () => {
  const { f, a, b, c, word, other } = setup();
  const v = f.kernel.mem.view;
  expect(futex(f, a, word, FUTEX_LOCK_PI)).toBe(0);
  expect(v.getUint32(word, true)).toBe(a.pid);
  expect(futex(f, a, word, FUTEX_LOCK_PI)).toBe("EDEADLK");
  expect(futex(f, b, other, FUTEX_LOCK_PI)).toBe(0);
  expect(futex(f, b, word, FUTEX_LOCK_PI)).toBeUndefined();
  expect(v.getUint32(word, true)).toBe((FUTEX_WAITERS | a.pid) >>> 0);
  expect(futex(f, a, other, FUTEX_LOCK_PI)).toBe("EDEADLK");
  expect(futex(f, c, word, FUTEX_UNLOCK_PI)).toBe("EPERM");
  expect(futex(f, a, word, FUTEX_UNLOCK_PI)).toBe(0);
  f.run();
  expect(f.result(b)).toBe(0);
  expect(v.getUint32(word, true)).toBe(b.pid);
});

test("a dying owner's PI futex goes to its waiter with FUTEX_OWNER_DIED", () => {
  const { f, a, b, word } = setup();
  futex(f, b, word, FUTEX_LOCK_PI);
  futex(f, a, word, FUTEX_LOCK_PI);
  f.call(b, sys_exit, 0);
  f.run();
  expect(f.result(a)).toBe(0);
  expect(f.kernel.mem.view.getUint32(word, true)).toBe(FUTEX_OWNER_DIED | a.pid);
});

test("a dying thread's robust locks are marked and a waiter woken", () => {
  const { f, a, b } = setup();
  const v = f.kernel.mem.view;
  const [head, node] = [f.user + 512, f.user + 600];
  const lock = node + 16;
  v.setUint32(head, node, true);
  v.setUint32(head + 8, 16, true);
  v.setUint32(node, head, true);
  v.setUint32(lock, (FUTEX_WAITERS | b.pid) >>> 0, true);
  expect(f.call(b, sys_set_robust_list, head, 24)).toBe(0);
  futex(f, a, lock, FUTEX_WAIT, (FUTEX_WAITERS | b.pid) >>> 0);
  f.call(b, sys_exit, 0);
  f.run();
  expect(f.result(a)).toBe(0);
  expect(v.getUint32(lock, true)).toBe((FUTEX_WAITERS | FUTEX_OWNER_DIED) >>> 0);
});

test("futex_waitv says which of many was woken", () => {
  const { f, a, b, word, other } = setup();
  const v = f.kernel.mem.view;
  const vec = f.user + 1024;
  [word, other].forEach((addr, i) => {
    v.setUint32(vec + 24 * i + 8, addr, true);
    v.setUint32(vec + 24 * i + 16, 2, true);
  });
  expect(f.call(a, sys_futex_waitv, vec, 2, 0, 0, 1)).toBeUndefined();
  expect(futex(f, b, other, FUTEX_WAKE, 1)).toBe(1);
  f.run();
  expect(f.result(a)).toBe(1);
  expect(f.kernel.futexes.queues.size).toBe(0);
});

test("the calls of Linux 6.7 wait, move and wake as the old one does", () => {
  const { f, a, b, c, word, other } = setup();
  const U32 = 2;
  expect(f.call(a, sys_futex_wait, word, 1, 1, U32, 0, 0)).toBe("EAGAIN");
  expect(f.call(a, sys_futex_wait, word, 0, 1, 1, 0, 0)).toBe("EINVAL");
  expect(f.call(a, sys_futex_wait, word, 0, 1, U32, 0, 0)).toBeUndefined();
  expect(f.call(b, sys_futex_wait, word, 0, 1, U32, 0, 0)).toBeUndefined();
  const v = f.kernel.mem.view;
  const two = f.user + 512;
  v.setUint32(two + 8, word, true);
  v.setUint32(two + 16, U32, true);
  v.setUint32(two + 32, other, true);
  v.setUint32(two + 40, U32, true);
  expect(f.call(c, sys_futex_requeue, two, 0, 1, 1)).toBe(2);
  f.run();
  expect([f.result(a), f.result(b)]).toEqual([0, undefined]);
  expect(f.call(c, sys_futex_wake, other, 2, 1, U32)).toBe(0);
  expect(f.call(c, sys_futex_wake, other, 1, 1, U32)).toBe(1);
});
