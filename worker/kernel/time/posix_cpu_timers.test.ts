// kernel/time/posix_cpu_timers.test.ts — when the kernel must look at a process's CPU time again.
import { expect, test } from "vitest";
import { SIGXCPU } from "../../include/uapi/signal.ts";
import { RLIMIT_CPU } from "../signal_types.ts";
import { FakeKernel } from "../testing.ts";
import { next_cpu_timer, run_posix_cpu_timers } from "./posix_cpu_timers.ts";

const SEC = 1_000_000_000;

test("RLIMIT_CPU below what was used is due after the next instruction, whatever the run loop's slices; then once a second", () => {
  const task = new FakeKernel().process();
  task.user_time = 2.5 * SEC;
  task.blocked.add(SIGXCPU);
  task.signal.rlim[RLIMIT_CPU] = { cur: 2, max: Infinity };
  expect(next_cpu_timer(task)).toBe(1);
  run_posix_cpu_timers(task);
  expect(task.signal.shared_pending.signal.has(SIGXCPU)).toBe(true);
  expect(next_cpu_timer(task)).toBe(0.5 * SEC);
});
