// kernel/signal_kunit.ts — which signal is taken first, what is queued twice and what is not, what cancels what.
import { EAGAIN } from "../include/uapi/errno.ts";
import {
  SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGKILL, SIGRTMIN, SIGSEGV, SIGSTOP, SIGTERM, SIGTSTP, SIGURG, SIGUSR1, SIGUSR2, SIGWINCH, SIG_IGN, SI_USER,
} from "../include/uapi/signal.ts";
import { KUNIT_CASE, KUNIT_CASE_PARAM, type KunitSuite } from "../kunit/suite.ts";
import type { KUnitTest } from "../kunit/test.ts";
import { RLIMIT_SIGPENDING, SigSet } from "./signal_types.ts";
import { dequeue_signal, flush_sigqueue, recalc_sigpending, send_signal, set_current_blocked, sig_kernel_coredump, sig_kernel_ignore, sig_kernel_only, sig_kernel_stop } from "./signal.ts";
import type { Task } from "./task.ts";

const SI_QUEUE = -1;
const NONE = new SigSet();
const HANDLER = 0x1000;

/** The task that runs the suites, with a handler for everything: nothing kills or stops it. Afterwards it is as it was. */
function withHandlers(test: KUnitTest, run: (task: Task, send: (sig: number, value?: number, group?: boolean) => void, take: () => number[]) => void): void {
  const task = test.kernel.current!;
  const handlers = task.sighand.action.map((a) => a?.handler);
  const blocked = task.blocked;
  for (const a of task.sighand.action) if (a !== undefined) a.handler = HANDLER;
  try {
    run(
      task,
      (sig, value, group = false) => send_signal(sig, { signo: sig, errno: 0, code: value === undefined ? SI_USER : SI_QUEUE, pid: 1, uid: 0, value_lo: value ?? 0, value_hi: 0 }, task, group),
      () => {
        const order: number[] = [];
        for (let i = dequeue_signal(task, NONE); i !== undefined; i = dequeue_signal(task, NONE)) order.push(i.code === SI_QUEUE ? i.signo * 1000 + i.value_lo! : i.signo);
        return order;
      },
    );
  } finally {
    task.sighand.action.forEach((a, i) => a !== undefined && (a.handler = handlers[i]!));
    flush_sigqueue(task.pending);
    flush_sigqueue(task.signal.shared_pending);
    task.blocked = blocked;
    recalc_sigpending(task);
  }
}

export const signalSuite: KunitSuite = {
  name: "signal",
  module: "kernel/signal",
  cases: [
    KUNIT_CASE("the_lowest_number_first", (test) =>
      withHandlers(test, (_, send, take) => {
        for (const sig of [SIGTERM, SIGHUP, SIGUSR2, SIGINT]) send(sig);
        test.KUNIT_EXPECT_MEMEQ(take(), [SIGHUP, SIGINT, SIGUSR2, SIGTERM]);
      }),
    ),
    KUNIT_CASE("faults_before_all_others", (test) =>
      withHandlers(test, (_, send, take) => {
        for (const sig of [SIGHUP, SIGUSR1, SIGSEGV]) send(sig);
        test.KUNIT_EXPECT_MEMEQ(take(), [SIGSEGV, SIGHUP, SIGUSR1]);
      }),
    ),
    KUNIT_CASE("the_thread_s_own_before_the_process_s", (test) =>
      withHandlers(test, (_, send, take) => {
        send(SIGHUP, undefined, true);
        send(SIGTERM);
        test.KUNIT_EXPECT_MEMEQ(take(), [SIGTERM, SIGHUP]);
      }),
    ),
    KUNIT_CASE("an_old_signal_is_pending_once", (test) =>
      withHandlers(test, (_, send, take) => {
        for (let i = 0; i < 3; i++) send(SIGUSR1, i);
        test.KUNIT_EXPECT_MEMEQ(take(), [SIGUSR1 * 1000]);
      }),
    ),
    KUNIT_CASE("real_time_signals_queue_in_order", (test) =>
      withHandlers(test, (_, send, take) => {
        for (const v of [3, 1, 2]) send(SIGRTMIN + 1, v);
        send(SIGRTMIN, 9);
        test.KUNIT_EXPECT_MEMEQ(take(), [SIGRTMIN * 1000 + 9, (SIGRTMIN + 1) * 1000 + 3, (SIGRTMIN + 1) * 1000 + 1, (SIGRTMIN + 1) * 1000 + 2]);
      }),
    ),
    KUNIT_CASE("a_full_queue_is_EAGAIN", (test) =>
      withHandlers(test, (task, send) => {
        const limit = task.signal.rlim[RLIMIT_SIGPENDING]!;
        const { cur } = limit;
        limit.cur = 2;
        try {
          send(SIGRTMIN, 1);
          send(SIGRTMIN, 2);
          test.KUNIT_EXPECT_ERRNO(EAGAIN, () => send(SIGRTMIN, 3), "a third");
          send(SIGUSR1);
          test.KUNIT_EXPECT_TRUE(task.pending.signal.has(SIGUSR1), "an old signal gets through");
        } finally {
          limit.cur = cur;
        }
      }),
    ),
    KUNIT_CASE("what_is_blocked_stays", (test) =>
      withHandlers(test, (task, send, take) => {
        const mask = new SigSet();
        for (const sig of [SIGUSR1, SIGKILL, SIGSTOP]) mask.add(sig);
        set_current_blocked(task, mask);
        test.KUNIT_EXPECT_FALSE(task.blocked.has(SIGKILL) || task.blocked.has(SIGSTOP), "SIGKILL or SIGSTOP blocked");
        send(SIGUSR1);
        test.KUNIT_EXPECT_FALSE(task.signal_pending(), "pending");
        test.KUNIT_EXPECT_EQ(dequeue_signal(task, task.blocked), undefined, "to be taken");
        set_current_blocked(task, NONE);
        test.KUNIT_EXPECT_TRUE(task.signal_pending(), "pending once unblocked");
        test.KUNIT_EXPECT_MEMEQ(take(), [SIGUSR1]);
      }),
    ),
    KUNIT_CASE("ignored_signals_are_not_queued_unless_blocked", (test) =>
      withHandlers(test, (task, send, take) => {
        task.sighand.action[SIGUSR1]!.handler = SIG_IGN;
        send(SIGUSR1);
        test.KUNIT_EXPECT_EQ(take().length, 0, "queued");
        const mask = new SigSet();
        mask.add(SIGUSR1);
        set_current_blocked(task, mask);
        send(SIGUSR1);
        test.KUNIT_EXPECT_TRUE(task.pending.signal.has(SIGUSR1), "a blocked one may yet get a handler");
      }),
    ),
    KUNIT_CASE("SIGCONT_takes_stops_back_and_a_stop_takes_SIGCONT_back", (test) =>
      withHandlers(test, (_, send, take) => {
        send(SIGTSTP);
        send(SIGCONT);
        test.KUNIT_EXPECT_MEMEQ(take(), [SIGCONT]);
        send(SIGCONT);
        send(SIGTSTP);
        test.KUNIT_EXPECT_MEMEQ(take(), [SIGTSTP]);
      }),
    ),
    KUNIT_CASE_PARAM(
      "defaults",
      [[SIGCHLD, "ignore"], [SIGURG, "ignore"], [SIGWINCH, "ignore"], [SIGCONT, "ignore"], [SIGTSTP, "stop"], [SIGSTOP, "stop"], [SIGSEGV, "core"], [SIGTERM, "end"], [SIGRTMIN, "end"]] as const,
      ([sig]) => String(sig),
      (test, [sig, does]) => test.KUNIT_EXPECT_EQ(sig_kernel_ignore(sig) ? "ignore" : sig_kernel_stop(sig) ? "stop" : sig_kernel_coredump(sig) ? "core" : "end", does),
    ),
    KUNIT_CASE("only_two_can_not_be_caught", (test) => test.KUNIT_EXPECT_MEMEQ(Array.from({ length: 64 }, (_, i) => i + 1).filter(sig_kernel_only), [SIGKILL, SIGSTOP])),
  ],
};
