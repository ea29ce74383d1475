// kernel/time/posix_cpu_timers.ts — what happens after so much CPU time: ITIMER_VIRTUAL and _PROF, RLIMIT_CPU, timers on CPU clocks.
//   cf. kernel/time/posix-cpu-timers.c
import { SIGKILL, SIGPROF, SIGVTALRM, SIGXCPU } from "../../include/uapi/signal.ts";
import { group_send_sig } from "../signal.ts";
import { RLIMIT_CPU, type Itimer, type SignalStruct } from "../signal_types.ts";
import { process_cputime } from "../sys.ts";
import type { Task } from "../task.ts";
import { NSEC_PER_SEC } from "./timekeeping.ts";

/** CPU ns until something of the task's process is due; Infinity if nothing is armed. */
export function next_cpu_timer(task: Task): number {
  const signal = task.signal;
  const { utime, stime } = process_cputime(task);
  let next = Infinity;
  if (signal.it_virt.expires !== 0) next = Math.min(next, signal.it_virt.expires - utime);
  if (signal.it_prof.expires !== 0) next = Math.min(next, signal.it_prof.expires - utime - stime);
  const lim = signal.rlim[RLIMIT_CPU]!;
  // one that has passed (RLIMIT_CPU can be set to less than what was used) is due at once, not when the CPU happens to come back here
  if (lim.cur !== Infinity) next = Math.min(next, Math.max(1, lim.cur * NSEC_PER_SEC - utime - stime));
  for (const t of signal.posix_timers.values()) if (t.cpu_task !== undefined && t.due !== 0 && !t.signal_queued) next = Math.min(next, t.due - t.now(task.kernel));
  return next;
}

function itimer(task: Task, it: Itimer, now: number, sig: number): void {
  if (it.expires === 0 || now < it.expires) return;
  it.expires = it.interval === 0 ? 0 : it.expires + it.interval;
  group_send_sig(sig, task);
}

/** Sends what has become due. Clears signal.cpu_timers when nothing is left to watch. */
export function run_posix_cpu_timers(task: Task): void {
  const signal: SignalStruct = task.signal;
  const { utime, stime } = process_cputime(task);
  itimer(task, signal.it_virt, utime, SIGVTALRM);
  itimer(task, signal.it_prof, utime + stime, SIGPROF);
  const lim = signal.rlim[RLIMIT_CPU]!;
  const used = utime + stime;
  if (lim.max !== Infinity && used >= lim.max * NSEC_PER_SEC) group_send_sig(SIGKILL, task);
  else if (lim.cur !== Infinity && used >= lim.cur * NSEC_PER_SEC) {
    group_send_sig(SIGXCPU, task);
    // once a second from now on, as Linux does
    if (lim.cur < lim.max) lim.cur++;
  }
  let armed = signal.it_virt.expires !== 0 || signal.it_prof.expires !== 0 || lim.cur !== Infinity;
  for (const t of [...signal.posix_timers.values()]) {
    if (t.cpu_task === undefined || t.due === 0) continue;
    armed = true;
    if (!t.signal_queued && t.now(task.kernel) >= t.due) t.expire(task.kernel);
  }
  signal.cpu_timers = armed;
}
