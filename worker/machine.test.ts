// machine.test.ts — what must hold of a whole machine: the boot log, page 0, the ways into the kernel, the executors.  (More: test/machine.test.ts)
import { describe, expect, test } from "vitest";
import { TestMachine } from "./test/boot.ts";
import { imageWith } from "./test/image_with.ts";
import { KERNEL_VSYSCALL } from "./arch/um/trampoline.ts";

const SESSION = 'ls /\ncat /proc/version\necho $((6*7)) $(echo sub) | tr a-z A-Z\nfor i in 1 2 3; do echo $i; done | sort -r | head -1\nsleep 2 & wait\necho x > /root/f; cat /root/f\npoweroff\n';

describe("a boot", () => {
  test("in lines and order of Linux's", { timeout: 120_000 }, async () => {
    const m = await TestMachine.create({ cmdline: "ubd0=disk rw mem=128m init=/bin/sh" });
    m.machine.boot();
    const lines = m.text.replaceAll("\r", "").split("\n");
    const order = [
      "Core dump limits :", "Linux version 6.12.0", "Zone ranges:", "Built 1 zonelists", "Kernel command line: ubd0=disk rw mem=128m init=/bin/sh root=98:0 console=tty0",
      'Unknown kernel command line parameters "mem=128m", will be passed to user space.', "Dentry cache hash table", "Memory: ", "devtmpfs: initialized",
      "zpoline: setting up trampoline code done", "clocksource: Switched to clocksource timer", "Initialized stdio console driver", "printk: console [tty0] enabled", "EXT4-fs (ubda): mounted filesystem",
      "VFS: Mounted root (ext4 filesystem) on device 98:0.", "devtmpfs: mounted", "This architecture does not have kernel memory protection.", "Run /bin/sh as init process",
    ];
    const found = order.map((start) => lines.findIndex((l) => l.startsWith(start)));
    expect(found).not.toContain(-1);
    expect([...found].sort((a, b) => a - b)).toEqual(found);
  });

  test("without a disk panics in Linux's words: status 134", async () => {
    const m = await TestMachine.create({ cmdline: "mem=64m", disks: {} });
    m.machine.boot();
    expect(m.text).toContain('VFS: Cannot open root device "98:0" or unknown-block(98,0): error -6');
    expect(m.text).toContain("Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(98,0)");
    expect(m.machine.exit_status).toBe(134);
  });
});

describe("page 0", () => {
  test("holds the trampoline byte for byte, and the entry behind it", async () => {
    const m = await TestMachine.create({ cmdline: "ubd0=disk mem=64m init=/bin/sh" });
    m.machine.boot();
    const page = m.machine.cpu.mem.u8.slice(0, 4096);
    const want = new Uint8Array(4096);
    want.fill(0x90, 0, 463);
    want.set([0xeb, 0x7f], 214);
    want.set([0x49, 0xbb, 0x00, 0x10, 0, 0, 0, 0, 0, 0, 0x59, 0x41, 0xff, 0xe3], 463);
    expect(page).toEqual(want);
    expect([...m.machine.cpu.mem.u8.slice(KERNEL_VSYSCALL, KERNEL_VSYSCALL + 5)]).toEqual([0x0f, 0x01, 0xc1, 0xff, 0xe1]);
  });
});

describe("the ways into the kernel", () => {
  // the address of every block moves with the way calls are made in none of them: the same console, byte for byte
  const consoleOf = async (mode: string): Promise<{ text: string; m: TestMachine }> => {
    const m = await TestMachine.boot({ cmdline: `ubd0=disk rw mem=128m loglevel=3 init=/sbin/init zpoline=${mode}` });
    m.type(SESSION);
    expect(m.finish()).toBe(0);
    return { text: m.text, m };
  };
  test("give the same session", { timeout: 300_000 }, async () => {
    const eager = await consoleOf("1");
    const lazy = await consoleOf("lazy");
    const trap = await consoleOf("0");
    expect(lazy.text).toBe(eager.text);
    expect(trap.text).toBe(eager.text);
    expect(eager.m.machine.arch.zpoline.trapped).toBe(0);
    expect(trap.m.machine.arch.page0_calls).toBe(0);
    expect(lazy.m.machine.arch.zpoline.lazily).toBeGreaterThan(20);
    expect(lazy.m.machine.arch.page0_calls).toBeGreaterThan(lazy.m.machine.arch.zpoline.trapped);
  });
});

describe("calls that no loader has seen", () => {
  const disk = imageWith("/bin/null_call", "worker/test/guest/zpoline/null_call.c");
  const said = async (mode: string): Promise<{ text: string; m: TestMachine }> => {
    const m = await TestMachine.boot({ disks: { disk }, cmdline: `ubd0=disk rw mem=64m loglevel=3 init=/sbin/init ${mode}` });
    return { text: m.run("null_call 2>&1; echo $?"), m };
  };
  test("a `syscall` made at run time is trapped, each time; a NULL call is a system call", { timeout: 120_000 }, async () => {
    const { text, m } = await said("zpoline=1");
    expect(text).toBe("made 1\nmade 1\nmade 1\nbytes 0f 05\nnull 1\n0\n");
    expect(m.machine.arch.zpoline.trapped).toBe(3);
  });
  test("zpoline=lazy rewrites it at its first use", { timeout: 120_000 }, async () => {
    const { text } = await said("zpoline=lazy");
    expect(text).toBe("made 1\nmade 1\nmade 1\nbytes ff d0\nnull 1\n0\n");
  });
  test("zpoline.check=1 makes a NULL call what it is elsewhere: SIGSEGV", { timeout: 120_000 }, async () => {
    const { text } = await said("zpoline=1 zpoline.check=1");
    expect(text).toMatch(/^made 1\nmade 1\nmade 1\nbytes 0f 05\n(Segmentation fault\n)?139\n$/);
  });
});

test("calls that leave something to be seen to: the same from compiled loops", { timeout: 120_000 }, async () => {
  const disk = imageWith("/bin/hot_calls", "worker/test/guest/zpoline/hot_calls.c");
  const run = async (jit: boolean, hot: number): Promise<unknown[]> => {
    const m = await TestMachine.boot({ disks: { disk: disk.slice() }, cmdline: "ubd0=disk rw mem=64m loglevel=3 init=/sbin/init", jit, hot });
    const text = m.run("hot_calls; cat /proc/self/stat /proc/uptime; echo $?");
    const { kernel, cpu } = m.machine;
    return [text, m.machine.retired, kernel.time.monotonic(), kernel.sched.user_ns, kernel.sched.system_ns, kernel.sched.nr_switches, cpu.log.noted, [...cpu.log.histogram]];
  };
  const plain = await run(false, 300);
  expect(plain[0]).toMatch(/^kill: 400 handled, 0 late\nppoll: 240 handled, 0 early, each or none interrupted\nreal: 40\ncpu: 10 10\nclock: 0 times back\nturns taken\nerrors: 0 wrong\n/);
  expect(await run(true, 300)).toEqual(plain);
});

describe("determinism", () => {
  const session = async (slice: number, jit: boolean): Promise<[string, number, number]> => {
    const m = await TestMachine.create({ cmdline: "ubd0=disk rw mem=128m loglevel=4 init=/sbin/init seed=1234", jit });
    m.machine.boot();
    m.until(/# $/, 0, slice);
    m.type(SESSION);
    for (;;) if (m.step(slice) === "halted") break;
    return [m.text, m.machine.retired, m.machine.kernel.time.monotonic()];
  };
  test("whatever the executor", { timeout: 300_000 }, async () => {
    expect(await session(500_001, false)).toEqual(await session(1_000_000, true));
  });
});
