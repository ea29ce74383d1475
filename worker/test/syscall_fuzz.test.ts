// test/syscall_fuzz.test.ts — random calls with random arguments from several processes: an errno, a result or a sleep, and never an error of ours.
import { expect, test } from "vitest";
import { syscall_table } from "../arch/um/syscall_64.ts";
import { FilesStruct, FsStruct } from "../fs/fs_struct.ts";
import { sys_kill } from "../kernel/signal_calls.ts";
import type { Kind, Syscall } from "../kernel/syscall.ts";
import { formatSyscall } from "../kernel/strace.ts";
import type { Task } from "../kernel/task.ts";
import { Mm } from "../mm/mm_types.ts";
import { Dice } from "./dice.ts";
import { FsKernel } from "./fs_kernel.ts";

/** Not called: they end the machine, or need a CPU. */
const LEFT_OUT = new Set(["reboot", "exit", "exit_group", "execve", "execveat", "rt_sigreturn", "arch_prctl", "restart_syscall", "vfork"]);

class Fuzzer {
  readonly f = new FsKernel();
  readonly dice: Dice;
  readonly calls: Syscall[] = [];
  tasks: Task[] = [];
  last = "";
  constructor(seed: number) {
    this.dice = new Dice(seed);
    for (const row of syscall_table) if (row !== undefined && row.state !== "errno" && !LEFT_OUT.has(row.call.name)) this.calls.push(row.call);
    this.f.init.mm = new Mm();
    this.f.write_file("/a", "some text");
    this.f.sys("mkdir", "/d", 0o755);
  }
  private spawn(): Task {
    const { f } = this;
    const t = f.process();
    t.mm = new Mm();
    t.files = new FilesStruct();
    t.fs = new FsStruct(f.kernel.vfs.root, f.kernel.vfs.root);
    return t;
  }
  private argument(kind: Kind): number {
    const { dice, f } = this;
    const user = f.user + 0x8000 + 16 * dice.below(512);
    if (kind.show === "fd" || kind.show === "dirfd") return dice.of([-1, -100, 0, 1, 2, 3, 4, 5, 6, 7, 8, 99]);
    if (kind.show === "path") return dice.of([f.user, f.user + 16, f.user + 32, f.user + 48, f.user + 64, user, 0]);
    if (kind.show === "signal") return dice.of([0, 10, 12, 17, 18, 19, 23, 28, 34, 64, 65, -1]);
    const width32 = kind.width === "s32" || kind.width === "u32";
    let v = dice.of([0, 0, 1, 2, 3, 4, 7, 8, 16, 100, 128, 4096, user, user, user, user, f.kernel.mem.size - 8, 2 ** 31, 2 ** 32 - 1, dice.next(), 1 << dice.below(31), 2 ** 47, 2 ** 63]);
    if (kind.width === "s64" && dice.below(8) === 0) v = -dice.below(100);
    if (kind.width === "s32") return v | 0;
    return width32 ? v % 2 ** 32 : v;
  }
  run(count: number): void {
    const { f, dice } = this;
    const m = f.kernel.mem;
    for (let i = 0; i < count; i++) {
      this.tasks = this.tasks.filter((t) => !t.exit_state_dead());
      while (this.tasks.length < 3) this.tasks.push(this.spawn());
      ["/a", "/d/b", "/d", "c", "/dev/zero"].forEach((s, k) => m.u8.set([...s, "\0"].map((c) => c.charCodeAt(0)), f.user + 16 * k));
      for (let k = 0; k < 8; k++) m.view.setUint32(f.user + 0x8000 + 4 * dice.below(4096), dice.of([0, 1, 2, dice.next(), f.user + 0x8000]), true);
      const t = dice.of(this.tasks);
      // one that sleeps or is stopped is woken by a signal now and then
      if (f.result(t) === undefined && this.started.has(t)) {
        if (dice.below(4) === 0) f.call(f.init, sys_kill, t.pid, 18);
        if (dice.below(4) === 0) f.call(f.init, sys_kill, t.pid, 9);
        f.run(f.now + 1000);
        if (f.result(t) === undefined || t.exit_state_dead()) continue;
      }
      const call = dice.of(this.calls);
      const args = call.kinds.map((k) => this.argument(k));
      this.last = `${i}: ${call.name}(${args.join(", ")})`;
      this.started.add(t);
      f.call(t, call, ...args);
      this.last += `\n${formatSyscall(m, call, args, undefined)}`;
      f.run(f.now + dice.below(2000));
      this.digest = (Math.imul(this.digest, 31) + (f.kernel.time.monotonic() % 65521) + call.name.length) | 0;
    }
  }
  private readonly started = new Set<Task>();
  digest = 0;
}

test.each([1, 2, 3])("seed %i", (seed) => {
  const fuzzer = new Fuzzer(seed * 7919);
  try {
    fuzzer.run(4000);
  } catch (e) {
    throw new Error(`after ${fuzzer.last}`, { cause: e });
  }
  expect(fuzzer.f.kernel.halted).toBeUndefined();
});

test("the same calls have the same effects", () => {
  const [a, b] = [new Fuzzer(5), new Fuzzer(5)];
  a.run(1000);
  b.run(1000);
  expect(a.digest).toBe(b.digest);
});
