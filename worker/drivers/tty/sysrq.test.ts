// drivers/tty/sysrq.test.ts — the keys of magic SysRq in a booted machine, and the panic that one of them is.
import { expect, test } from "vitest";
import { TestMachine } from "../../test/boot.ts";

test("/proc/sysrq-trigger says and does what Linux says and does; a crash shows the kernel's stack, registers and the last calls", async () => {
  const m = await TestMachine.boot({ cmdline: "ubd0=disk rw mem=64m loglevel=5 init=/sbin/init" });
  const press = (keys: string): string => m.run(`echo ${keys} > /proc/sysrq-trigger`);
  expect(press("h")).toBe(
    "sysrq: HELP : loglevel(0-9) reboot(b) crash(c) terminate-all-tasks(e) kill-all-tasks(i) thaw-filesystems(j) show-memory-usage(m) nice-all-RT-tasks(n) poweroff(o) show-registers(p) sync(s) " +
      "show-task-states(t) unmount(u) show-blocked-tasks(w) \n",
  );
  expect(m.run("cat /proc/sysrq-trigger; ls -l /proc/sysrq-trigger | cut -c1-10; cat /proc/sys/kernel/sysrq")).toBe("cat: read error: I/O error\n--w-------\n1\n");
  expect(press("s")).toBe("sysrq: Emergency Sync\nEmergency Sync complete\n");
  expect(press("m")).toMatch(/^sysrq: Show Memory\nMem-Info:\n.* free:\d+ free_pcp:0 free_cma:0\nNode 0 .*\nNormal free:\d+kB .*\nlowmem_reserve\[\]: 0 0\nNormal: .*= \d+kB\n\d+ total pagecache pages\n16384 pages RAM\n/s);
  // what is of level "info" shows on the console of a machine with a higher one only
  expect(press("t")).toBe("sysrq: Show State\n");
  expect(m.run("dmesg | grep -A4 'task:init'")).toBe("task:init            state:S stack:0     pid:1     tgid:1     ppid:0      flags:0x00000000\nCall Trace:\n schedule\n sys_rt_sigtimedwait\n do_syscall_64\n");
  // one byte is a key; behind an underscore all are
  expect(press("82")).toContain("Changing Loglevel");
  expect(m.run("cut -f1 /proc/sys/kernel/printk")).toBe("8\n");
  expect(press("_h5")).toMatch(/HELP : .*\n(.*\n)*sysrq: Changing Loglevel\nsysrq: Loglevel set to 5\n/);
  // every process but init: which starts another shell
  let from = m.text.length;
  m.type("sleep 1000 & echo i > /proc/sysrq-trigger\n");
  expect(m.until(/Kill All Tasks[^]*[#$] $/, from)).toContain("sysrq: Kill All Tasks");
  expect(m.run("ps | grep -c '[s]leep 1000'")).toBe("0\n");
  expect(press("u")).toMatch(/^sysrq: Emergency Remount R\/O\n(.*\n)?Emergency Remount complete\n$/);
  expect(m.run("echo > /x; umask 0")).toContain("Read-only file system");
  from = m.text.length;
  m.type("echo c > /proc/sysrq-trigger\n");
  expect(m.finish()).toBe(134);
  expect(m.text.slice(from).replaceAll("\r", "")).toMatch(
    new RegExp(
      "sysrq: Trigger a crash\nKernel panic - not syncing: sysrq triggered crash\nCPU: 0 UID: 0 PID: \\d+ Comm: sh Not tainted 6\\.12\\S* #1 .*\nCall Trace:\n panic\n sysrq_handle_crash\n __handle_sysrq\n write_sysrq_trigger\n" +
        " sys_write\n do_syscall_64\n __kernel_vsyscall\nModules linked in:\nPid: \\d+, comm: sh Not tainted 6\\.12\\S*\nRIP: 0033:0x1003\nRSP: [0-9a-f]{16}  EFLAGS: [0-9a-f]{8}\nRAX: 0{15}1 (.*\n){5}Last system calls: .*\\[\\d+\\] write\n$",
    ),
  );
});
