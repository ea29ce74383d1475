// fs/proc/tools.test.ts — what tools look for in /proc and /sys is there, in the form in which Linux has it.
import { beforeAll, expect, test } from "vitest";
import { TestMachine } from "../../test/boot.ts";

let m: TestMachine;
beforeAll(async () => {
  m = await TestMachine.boot({ cmdline: "ubd0=disk rw mem=64m loglevel=4 init=/sbin/init" });
});

test("numbers that are unsigned in Linux are; statm has seven", () => {
  const statm = m.run("cat /proc/self/statm");
  expect(statm).toMatch(/^\d+ \d+ 0 \d+ 0 \d+ 0\n$/);
  // the stack lies below the data: (2^64 - x) >> 12
  expect(BigInt(statm.split(" ")[5]!)).toBeGreaterThan(2n ** 52n - 100_000n);
  expect(m.run("cat /proc/self/timerslack_ns; echo -5 > /proc/self/oom_adj; cat /proc/self/oom_adj")).toBe("50000\n-4\n");
  // the shell's own
  expect(m.run("echo 15 > /proc/$$/oom_adj; cat /proc/$$/oom_score_adj; echo 0 > /proc/$$/oom_adj; echo 99 > /proc/$$/oom_adj")).toBe("1000\nsh: write error: Invalid argument\n");
});
test("limits of sockets and of System V's objects can be read where programs read them", () => {
  expect(m.run("sysctl -n net.core.somaxconn net.core.rmem_max net.ipv4.ip_local_port_range kernel.sem kernel.shmmni fs.mqueue.msg_max")).toBe("4096\n212992\n32768\t60999\n32000\t1024000000\t500\t32000\n4096\n10\n");
});
test("ps is told which numbers are terminals", () => {
  expect(m.run("cat /proc/tty/drivers; cat /proc/tty/ldiscs")).toBe(
    "/dev/tty             /dev/tty        5       0 system:/dev/tty\n/dev/console         /dev/console    5       1 system:console\n/dev/ptmx            /dev/ptmx       5       2 system\n" +
      "pty_slave            /dev/pts      136 0-1048575 pty:slave\npty_master           /dev/ptm      128 0-1048575 pty:master\nUML console          /dev/tty        4 0-15 console\nn_tty       0\n",
  );
});
test("interfaces and disks are in /sys by class and by number", () => {
  expect(m.run("cd /sys/class/net/lo; cat address mtu operstate carrier type; ping -c1 -q 127.0.0.1 > /dev/null; cat statistics/rx_packets; cd /")).toBe("00:00:00:00:00:00\n65536\nunknown\n1\n772\n2\n");
  expect(m.run("cat /sys/block/ubda/queue/rotational /sys/block/ubda/size /sys/dev/block/98:0/uevent; ls -a /sys/block/ubda/holders | wc -l")).toBe("0\n131072\nMAJOR=98\nMINOR=0\nDEVNAME=ubda\nDEVTYPE=disk\n2\n");
});
test("vmstat counts what the disks moved", () => {
  const pgpgout = (): number => Number(/pgpgout (\d+)/.exec(m.run("cat /proc/vmstat"))![1]);
  const before = pgpgout();
  m.run("dd if=/dev/zero of=/big bs=64k count=16 2>/dev/null; sync; rm /big");
  expect(pgpgout() - before).toBeGreaterThanOrEqual(1024);
});
