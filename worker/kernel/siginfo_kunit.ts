// kernel/siginfo_kunit.ts — siginfo_t as user space sees it: which union is used, and where its fields are.  cf. kernel/signal.c siginfo_layout()
import { SIGALRM, SIGCHLD, SIGFPE, SIGIO, SIGKILL, SIGRTMIN, SIGSEGV, SIGSYS, SIGUSR1, SI_KERNEL, SI_TIMER, SI_USER } from "../include/uapi/signal.ts";
import { KUNIT_CASE, KUNIT_CASE_PARAM, type KunitSuite } from "../kunit/suite.ts";
import type { SigInfo } from "./signal_types.ts";
import { SIGINFO_SIZE, write_siginfo } from "./siginfo.ts";

const SI_QUEUE = -1;
const SEGV_MAPERR = 1;
const FPE_INTDIV = 1;
const CLD_EXITED = 1;
const POLL_IN = 1;
const SYS_SECCOMP = 1;

/** what, the information, [offset, 32-bit value] of all that is not zero */
const LAYOUTS: readonly (readonly [string, SigInfo, readonly (readonly [number, number])[]])[] = [
  ["kill", { signo: SIGUSR1, errno: 0, code: SI_USER, pid: 7, uid: 1000 }, [[0, SIGUSR1], [16, 7], [20, 1000]]],
  ["kernel", { signo: SIGKILL, errno: 0, code: SI_KERNEL }, [[0, SIGKILL], [8, SI_KERNEL]]],
  ["sigqueue", { signo: SIGRTMIN, errno: 0, code: SI_QUEUE, pid: 7, uid: 5, value_lo: 0x89abcdef, value_hi: 0x01234567 }, [[0, SIGRTMIN], [8, 0xffffffff], [16, 7], [20, 5], [24, 0x89abcdef], [28, 0x01234567]]],
  ["timer", { signo: SIGALRM, errno: 0, code: SI_TIMER, tid: 3, overrun: 9, value_lo: 42 }, [[0, SIGALRM], [8, SI_TIMER >>> 0], [16, 3], [20, 9], [24, 42]]],
  ["fault", { signo: SIGSEGV, errno: 0, code: SEGV_MAPERR, addr: 0x123456789a }, [[0, SIGSEGV], [8, SEGV_MAPERR], [16, 0x3456789a], [20, 0x12]]],
  ["division", { signo: SIGFPE, errno: 0, code: FPE_INTDIV, addr: 0x401000 }, [[0, SIGFPE], [8, FPE_INTDIV], [16, 0x401000]]],
  ["child", { signo: SIGCHLD, errno: 0, code: CLD_EXITED, pid: 12, uid: 0, status: 3, utime: 0x100000002, stime: 4 }, [[0, SIGCHLD], [8, CLD_EXITED], [16, 12], [24, 3], [32, 2], [36, 1], [40, 4]]],
  ["poll", { signo: SIGIO, errno: 0, code: POLL_IN, band: 0x41, fd: 5 }, [[0, SIGIO], [8, POLL_IN], [16, 0x41], [24, 5]]],
  ["seccomp", { signo: SIGSYS, errno: 0, code: SYS_SECCOMP, call_addr: 0x7000, syscall: 39, arch: 0xc000003e }, [[0, SIGSYS], [8, SYS_SECCOMP], [16, 0x7000], [24, 39], [28, 0xc000003e]]],
];

export const siginfoSuite: KunitSuite = {
  name: "siginfo",
  module: "kernel/siginfo",
  cases: [
    KUNIT_CASE_PARAM("layout", LAYOUTS, ([what]) => what, (test, [, info, fields]) => {
      const v = new DataView(new ArrayBuffer(SIGINFO_SIZE));
      for (let i = 0; i < SIGINFO_SIZE; i++) v.setUint8(i, 0xaa);
      write_siginfo(v, 0, info);
      const want = new Map(fields);
      for (let at = 0; at < SIGINFO_SIZE; at += 4) test.KUNIT_EXPECT_EQ(v.getUint32(at, true), want.get(at) ?? 0, `word at ${at}`);
    }),
    KUNIT_CASE("a_user_may_send_the_number_of_a_fault", (test) => {
      // kill(pid, SIGSEGV): no address, but who it was
      const v = new DataView(new ArrayBuffer(SIGINFO_SIZE));
      write_siginfo(v, 0, { signo: SIGSEGV, errno: 0, code: SI_USER, pid: 9, uid: 1 });
      test.KUNIT_EXPECT_EQ(v.getInt32(16, true), 9, "pid");
    }),
  ],
};
