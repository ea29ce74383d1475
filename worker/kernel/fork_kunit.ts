// kernel/fork_kunit.ts — what clone refuses without an MMU and always, and what child and parent share.
import { EINVAL } from "../include/uapi/errno.ts";
import {
  CLONE_FILES, CLONE_FS, CLONE_NEWNS, CLONE_PARENT_SETTID, CLONE_PIDFD, CLONE_SIGHAND, CLONE_THREAD, CLONE_VFORK, CLONE_VM,
} from "../include/uapi/sched.ts";
import { SIGCHLD } from "../include/uapi/signal.ts";
import { KUNIT_CASE, KUNIT_CASE_PARAM, type KunitSuite } from "../kunit/suite.ts";
import type { KUnitTest } from "../kunit/test.ts";
import { copy_process, type CloneArgs } from "./fork.ts";
import { alloc_pid } from "./pid.ts";
import type { Task } from "./task.ts";

const CLONE_DETACHED = 0x400000;
const args = (flags: number, more: Partial<CloneArgs> = {}): CloneArgs => ({ flags, exit_signal: SIGCHLD, stack: 0, tls: 0, parent_tid: 0, child_tid: 0, pidfd: 0, set_tid: [], ...more });

/** A child that never runs; afterwards there is no trace of it. */
function withChild(test: KUnitTest, flags: number, run: (child: Task, parent: Task) => void): void {
  const parent = test.kernel.current!;
  const shared = { files: parent.files!.count, fs: parent.fs!.users, sighand: parent.sighand.count };
  const child = copy_process(parent, args(flags));
  try {
    run(child, parent);
  } finally {
    test.kernel.tasks.delete(child.pid);
    child.signal.threads.delete(child);
    parent.children.delete(child);
    parent.real_parent?.children.delete(child);
    parent.files!.count = shared.files;
    parent.fs!.users = shared.fs;
    parent.sighand.count = shared.sighand;
  }
}

export const forkSuite: KunitSuite = {
  name: "fork",
  module: "kernel/fork",
  cases: [
    KUNIT_CASE_PARAM(
      "refused",
      [
        ["fork", 0], ["without CLONE_VM", CLONE_FILES], ["a thread with signal handlers of its own", CLONE_VM | CLONE_THREAD], ["shared handlers in a memory of its own", CLONE_SIGHAND],
        ["namespaces", CLONE_VM | CLONE_NEWNS], ["a detached pidfd", CLONE_VM | CLONE_PIDFD | CLONE_DETACHED],
      ] as const,
      ([what]) => what,
      (test, [what, flags]) => {
        if (test.kernel.shadow !== undefined) test.kunit_skip("nommu.fork=shadow");
        const tasks = test.kernel.tasks.size;
        test.KUNIT_EXPECT_ERRNO(EINVAL, () => copy_process(test.kernel.current!, args(flags)), what);
        test.KUNIT_EXPECT_EQ(test.kernel.tasks.size, tasks, "tasks");
      },
    ),
    KUNIT_CASE("a_bad_pointer_leaves_nothing_behind", (test) => {
      const { tasks } = test.kernel;
      const before = tasks.size;
      let refused = false;
      try {
        copy_process(test.kernel.current!, args(CLONE_VM | CLONE_PARENT_SETTID, { parent_tid: 4 }));
      } catch {
        refused = true;
      }
      test.KUNIT_EXPECT_TRUE(refused, "EFAULT");
      test.KUNIT_EXPECT_EQ(tasks.size, before, "tasks");
    }),
    KUNIT_CASE("a_vfork_child_has_tables_of_its_own", (test) =>
      withChild(test, CLONE_VM | CLONE_VFORK, (child, parent) => {
        test.KUNIT_EXPECT_TRUE(child.mm === parent.mm, "the same memory");
        test.KUNIT_EXPECT_TRUE(child.files !== parent.files && child.fs !== parent.fs && child.sighand !== parent.sighand, "files, directory and handlers of its own");
        test.KUNIT_EXPECT_EQ(child.tgid, child.pid, "a process");
        test.KUNIT_EXPECT_TRUE(child.real_parent === parent && parent.children.has(child), "a child");
        test.KUNIT_EXPECT_EQ(child.exit_signal, SIGCHLD, "exit signal");
        test.KUNIT_EXPECT_TRUE(child.pending.signal.isEmpty(), "nothing pending");
      }),
    ),
    KUNIT_CASE("a_thread_shares", (test) =>
      withChild(test, CLONE_VM | CLONE_THREAD | CLONE_SIGHAND | CLONE_FILES | CLONE_FS, (child, parent) => {
        test.KUNIT_EXPECT_TRUE(child.files === parent.files && child.fs === parent.fs && child.sighand === parent.sighand && child.signal === parent.signal, "all of it");
        test.KUNIT_EXPECT_EQ(child.tgid, parent.tgid, "process id");
        test.KUNIT_EXPECT_NE(child.pid, parent.pid, "thread id");
        test.KUNIT_EXPECT_FALSE(parent.children.has(child), "a child");
        test.KUNIT_EXPECT_EQ(child.exit_signal, -1, "exit signal");
      }),
    ),
    KUNIT_CASE("a_wanted_pid", (test) => {
      const pid = 4242;
      const child = copy_process(test.kernel.current!, args(CLONE_VM, { set_tid: [pid] }));
      test.KUNIT_EXPECT_EQ(child.pid, pid);
      test.KUNIT_EXPECT_TRUE(test.kernel.tasks.get(pid) === child, "found by it");
      test.kernel.tasks.delete(pid);
      test.kernel.current!.children.delete(child);
    }),
    KUNIT_CASE("pids_go_round_and_leave_out_the_first_300", (test) => {
      const { kernel } = test;
      const { last_pid } = kernel;
      try {
        kernel.last_pid = kernel.pid_max - 2;
        test.KUNIT_EXPECT_EQ(alloc_pid(kernel), kernel.pid_max - 1, "the last");
        test.KUNIT_EXPECT_EQ(alloc_pid(kernel), 300, "the first of the next round");
        kernel.last_pid = 0;
        test.KUNIT_EXPECT_NE(alloc_pid(kernel), 1, "init's");
      } finally {
        kernel.last_pid = last_pid;
      }
    }),
  ],
};
