// arch/um/signal_kunit.ts — signal frames: where they are put, what the handler gets, and that sigreturn brings back what was.
import { SA_ONSTACK, SIGUSR1, SI_USER } from "../../include/uapi/signal.ts";
import { KUNIT_CASE, type KunitSuite } from "../../kunit/suite.ts";
import type { KUnitTest } from "../../kunit/test.ts";
import { KSigaction, SigSet } from "../../kernel/signal_types.ts";
import type { Task } from "../../kernel/task.ts";
import { RAX, RBX, RDI, RDX, RSI, RSP } from "../../cpu/state.ts";
import type { UmArch } from "./process.ts";
import { Overflow, setup_rt_frame, sys_rt_sigreturn } from "./signal.ts";

const HANDLER = 0x12340;
const RESTORER = 0x56780;
const RED_ZONE = 128;
const DF = 0x400;
const TF = 0x100;
const PAGES = 8;

/** Two stacks, and registers that are put back afterwards. */
function withStack(test: KUnitTest, run: (task: Task, state: UmArch["cpu"]["state"], stack: number, top: number) => void): void {
  const { kernel } = test;
  const { state } = (kernel.arch as UmArch).cpu;
  const task = kernel.current!;
  const stack = test.KUNIT_ASSERT_NOT_NULL(kernel.pages.alloc_pages_exact(PAGES), "pages");
  const saved = state.save();
  const kept = { blocked: task.blocked, sp: task.sas_ss_sp, size: task.sas_ss_size, flags: task.sas_ss_flags, nr: task.syscall_nr, ax: task.thread.orig_ax };
  try {
    state.reset();
    run(task, state, stack, stack + PAGES * 4096);
  } finally {
    state.load(saved);
    task.blocked = kept.blocked;
    task.sas_ss_sp = kept.sp;
    task.sas_ss_size = kept.size;
    task.sas_ss_flags = kept.flags;
    task.syscall_nr = kept.nr;
    task.thread.orig_ax = kept.ax;
    kernel.pages.free_pages_exact(stack, PAGES);
  }
}
function signal(flags = 0): Parameters<typeof setup_rt_frame>[1] {
  const ka = new KSigaction();
  ka.handler = HANDLER;
  ka.restorer = RESTORER;
  ka.flags = flags;
  return { sig: SIGUSR1, info: { signo: SIGUSR1, errno: 0, code: SI_USER, pid: 42, uid: 0 }, ka };
}

export const signalFrameSuite: KunitSuite = {
  name: "signal_frame",
  module: "arch/um/signal",
  cases: [
    KUNIT_CASE("what_the_handler_gets", (test) =>
      withStack(test, (task, state, _stack, top) => {
        state.set(RSP, top - 1000);
        state.rip = 0x9999;
        state.rflags = state.rflags | DF | TF;
        setup_rt_frame(task, signal());
        const { view } = test.kernel.mem;
        const sp = state.get(RSP);
        test.KUNIT_EXPECT_EQ(state.rip, HANDLER, "rip");
        test.KUNIT_EXPECT_EQ(state.get(RDI), SIGUSR1, "rdi");
        test.KUNIT_EXPECT_EQ(state.get(RAX), 0, "rax");
        test.KUNIT_EXPECT_EQ(sp % 16, 8, "rsp as after a call");
        test.KUNIT_EXPECT_LE(sp, top - 1000 - RED_ZONE, "rsp, below the red zone");
        test.KUNIT_EXPECT_EQ(view.getUint32(sp, true), RESTORER, "return address");
        test.KUNIT_EXPECT_EQ(view.getInt32(state.get(RSI), true), SIGUSR1, "si_signo");
        test.KUNIT_EXPECT_EQ(view.getInt32(state.get(RSI) + 16, true), 42, "si_pid");
        test.KUNIT_EXPECT_EQ(view.getUint32(state.get(RDX) + 40 + 16 * 8, true), 0x9999, "uc_mcontext.rip");
        test.KUNIT_EXPECT_EQ(state.rflags & (DF | TF), 0, "DF and TF");
      }),
    ),
    KUNIT_CASE("the_red_zone_is_not_touched", (test) =>
      withStack(test, (task, state, _stack, top) => {
        const sp = top - 2048;
        test.kernel.mem.u8.fill(0x5a, sp - RED_ZONE, sp + 64);
        state.set(RSP, sp);
        setup_rt_frame(task, signal());
        test.KUNIT_EXPECT_TRUE(test.kernel.mem.u8.subarray(sp - RED_ZONE, sp + 64).every((b) => b === 0x5a), "all bytes as they were");
      }),
    ),
    KUNIT_CASE("sigreturn_brings_everything_back", (test) =>
      withStack(test, (task, state, _stack, top) => {
        for (let r = 0; r < 16; r++) state.set_lo_hi(r, 0x1000 + r, r);
        state.set(RSP, top - 512);
        state.rip = 0x8888;
        task.blocked = new SigSet(0x40);
        const before = state.save();
        setup_rt_frame(task, signal());
        for (let r = 0; r < 16; r++) if (r !== RSP) state.set(r, 7);
        task.blocked = new SigSet(0x80);
        state.set(RSP, state.get(RSP) + 8); // the handler's ret
        sys_rt_sigreturn.body(task);
        test.KUNIT_EXPECT_MEMEQ(state.save().subarray(0, 128), before.subarray(0, 128), "registers");
        test.KUNIT_EXPECT_EQ(state.rip, 0x8888, "rip");
        test.KUNIT_EXPECT_EQ(task.blocked.lo, 0x40, "mask");
        test.KUNIT_EXPECT_EQ(task.thread.orig_ax, -1, "nothing to restart");
      }),
    ),
    KUNIT_CASE("an_alternate_stack_is_used_when_asked_for", (test) =>
      withStack(test, (task, state, stack, top) => {
        task.sas_ss_sp = stack;
        task.sas_ss_size = 4 * 4096;
        task.sas_ss_flags = 0;
        state.set(RSP, top - 64);
        setup_rt_frame(task, signal());
        test.KUNIT_EXPECT_TRUE(state.get(RSP) > stack + 4 * 4096, "without SA_ONSTACK: the old stack");
        state.set(RSP, top - 64);
        setup_rt_frame(task, signal(SA_ONSTACK));
        const sp = state.get(RSP);
        test.KUNIT_EXPECT_TRUE(sp >= stack && sp < stack + 4 * 4096, "with it: the alternate one");
        setup_rt_frame(task, signal(SA_ONSTACK));
        test.KUNIT_EXPECT_TRUE(state.get(RSP) < sp, "a second one goes below the first");
      }),
    ),
    KUNIT_CASE("an_alternate_stack_that_is_too_small", (test) =>
      withStack(test, (task, state, stack, top) => {
        task.sas_ss_sp = stack + 4096;
        task.sas_ss_size = 512;
        task.sas_ss_flags = 0;
        state.set(RSP, top - 64);
        let told = false;
        try {
          setup_rt_frame(task, signal(SA_ONSTACK));
        } catch (e) {
          told = e instanceof Overflow;
        }
        test.KUNIT_EXPECT_TRUE(told, "Overflow");
      }),
    ),
    KUNIT_CASE("data_is_saved_in_all_of_rbx", (test) =>
      withStack(test, (task, state, _stack, top) => {
        state.set_lo_hi(RBX, 0x89abcdef | 0, 0x01234567);
        state.set(RSP, top - 64);
        setup_rt_frame(task, signal());
        const uc = state.get(RDX);
        test.KUNIT_EXPECT_EQ(test.kernel.mem.view.getUint32(uc + 40 + 11 * 8, true), 0x89abcdef, "low half");
        test.KUNIT_EXPECT_EQ(test.kernel.mem.view.getUint32(uc + 40 + 11 * 8 + 4, true), 0x01234567, "high half");
      }),
    ),
  ],
};
