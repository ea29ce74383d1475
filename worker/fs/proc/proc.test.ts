// fs/proc/proc.test.ts — /proc, /sys, /dev as programs read them.
import { beforeEach, describe, expect, test } from "vitest";
import { FsKernel } from "../../test/fs_kernel.ts";

let k: FsKernel;
beforeEach(() => {
  k = new FsKernel();
  for (const d of ["/proc", "/sys", "/dev"]) k.sys("mkdir", d, 0o755);
  expect(k.sys("mount", "proc", "/proc", "proc", 0, 0)).toBe(0);
  expect(k.sys("mount", "sysfs", "/sys", "sysfs", 0, 0)).toBe(0);
  expect(k.sys("mount", "dev", "/dev", "devtmpfs", 0, 0)).toBe(0);
  k.init.mm = undefined;
  k.init.comm = "in(it)\n";
});

describe("proc", () => {
  test("every plain file reads, ends with a newline, and reads the same in small pieces", () => {
    const walk = (dir: string): void => {
      for (const name of k.ls(dir)) {
        if (name === "." || name === ".." || name === "kmsg") continue;
        const path = `${dir}/${name}`;
        const st = k.stat(path);
        expect(st, path).toBeTypeOf("object");
        const mode = (st as { mode: number }).mode;
        if ((mode & 0o170000) === 0o040000 && !/^\/proc\/\d+$/.test(path)) walk(path);
        if ((mode & 0o170000) !== 0o100000) continue;
        const text = k.read_file(path);
        expect(text, path).not.toMatch(/^E[A-Z]+$/);
        if (text !== "") expect(text.endsWith("\n"), path).toBe(true);
      }
    };
    walk("/proc");
    walk("/sys");
  });
  test("self leads to the caller, thread-self to its thread", () => {
    const t = k.process();
    const buf = k.buf(64);
    expect(k.sysAs(t, "readlink", "/proc/self", buf, 64)).toBe(String(t.tgid).length);
    expect(k.sysAs(t, "readlink", "/proc/thread-self", buf, 64)).toBe(`${t.tgid}/task/${t.pid}`.length);
    expect(k.read_file("/proc/self/comm")).toBe("in(it)\n\n");
  });
  test("stat and status show the process", () => {
    const stat = k.read_file("/proc/1/stat");
    expect(stat.split(" ").length - 1).toBe(51);
    expect(stat.startsWith("1 (in(it)\n) R 0 1 1 0 -1 ")).toBe(true);
    const status = k.read_file("/proc/1/status");
    expect(status).toContain("Name:\tin(it)\\n\n");
    expect(status).toMatch(/\nState:\tR \(running\)\nTgid:\t1\nNgid:\t0\nPid:\t1\nPPid:\t0\n/);
    expect(status).toContain("CapEff:\t000001ffffffffff\n");
  });
  test("fd shows descriptors as links, which open what they show", () => {
    k.write_file("/f", "text");
    const fd = k.sys("open", "/f", 0, 0) as number;
    const buf = k.buf(64);
    expect(k.sys("readlink", `/proc/1/fd/${fd}`, buf, 64)).toBe(2);
    expect(k.text(buf, 2)).toBe("/f");
    expect(k.read_file(`/proc/self/fd/${fd}`)).toBe("text");
    k.sys("unlink", "/f");
    const n = k.sys("readlink", `/proc/1/fd/${fd}`, buf, 64) as number;
    expect(k.text(buf, n)).toBe("/f (deleted)");
    expect(k.read_file(`/proc/self/fd/${fd}`)).toBe("text");
    expect(k.read_file(`/proc/self/fdinfo/${fd}`)).toMatch(/^pos:\t0\nflags:\t0100000\nmnt_id:\t\d+\n/);
    k.sys("close", fd);
    expect(k.stat(`/proc/self/fd/${fd}`)).toBe("ENOENT");
    const p = k.buf(8);
    k.sys("pipe", p);
    const m = k.sys("readlink", "/proc/self/fd/0", buf, 64) as number;
    expect(k.text(buf, m)).toMatch(/^pipe:\[\d+\]$/);
  });
  test("a process that is gone leaves no directory", () => {
    const t = k.process();
    expect(k.ls(`/proc/${t.pid}`).length).toBeGreaterThan(20);
    const fd = k.sys("open", `/proc/${t.pid}/status`, 0, 0) as number;
    k.kernel.tasks.delete(t.pid);
    expect(k.stat(`/proc/${t.pid}`)).toBe("ENOENT");
    expect(k.ls("/proc")).not.toContain(String(t.pid));
    const buf = k.buf(16);
    expect(k.sys("read", fd, buf, 16)).toBe("ESRCH");
  });
  test("mounts lists what is mounted where, with its options", () => {
    k.sys("mkdir", "/a b", 0o755);
    k.sys("mount", "t", "/a b", "tmpfs", 0x40e, "mode=1777");
    const lines = k.read_file("/proc/mounts").split("\n");
    expect(lines).toContain("t /a\\040b tmpfs rw,nosuid,nodev,noexec,noatime,mode=1777 0 0");
    expect(lines).toContain("proc /proc proc rw,relatime 0 0");
    expect(k.read_file("/proc/self/mountinfo")).toMatch(/\d+ \d+ 0:\d+ \/ \/a\\040b rw,nosuid,nodev,noexec,noatime - tmpfs t rw,mode=1777\n/);
    k.sys("chroot", "/a b");
    k.sys("mkdir", "/proc", 0o755);
    k.sys("mount", "p", "/proc", "proc", 0, 0);
    expect(k.read_file("/proc/mounts")).toBe("t / tmpfs rw,nosuid,nodev,noexec,noatime,mode=1777 0 0\np /proc proc rw,relatime 0 0\n");
  });
  test("sysctls are read and written", () => {
    expect(k.read_file("/proc/sys/kernel/ostype")).toBe("Linux\n");
    k.write_file("/proc/sys/kernel/hostname", "box\n");
    expect(k.kernel.uts.nodename).toBe("box");
    const fd = k.sys("open", "/proc/sys/vm/nr_trim_pages", 1, 0) as number;
    expect(k.sys("write", fd, "-1", 2)).toBe("EINVAL");
    expect(k.sys("write", fd, "0\n", 2)).toBe(2);
    expect(k.read_file("/proc/sys/vm/nr_trim_pages")).toBe("0\n");
    expect(k.ls("/proc/sys")).toEqual([".", "..", "kernel", "vm", "fs"]);
    expect(k.read_file("/proc/sys/kernel/random/uuid")).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\n$/);
  });
  test("exitcode takes an integer and shows it", () => {
    k.write_file("/proc/exitcode", "7\n");
    expect(k.kernel.exitcode).toBe(7);
    expect(k.read_file("/proc/exitcode")).toBe("7\n");
  });
  test("meminfo has the lines of a machine without an MMU", () => {
    const info = k.read_file("/proc/meminfo");
    expect(info).toMatch(/^MemTotal: {10}12288 kB\nMemFree: {11}\d+ kB\n/);
    expect(info).toMatch(/Mlocked: {15}0 kB\nMmapCopy: {14}0 kB\nSwapTotal:/);
  });
});

describe("dev", () => {
  test("devtmpfs has a node per device, with its numbers and mode", () => {
    expect(k.ls("/dev")).toEqual([".", "..", "mem", "null", "zero", "full", "random", "urandom", "kmsg"]);
    expect(k.stat("/dev/null")).toMatchObject({ mode: 0o020666, rdev: 0x103 });
    k.kernel.devices.device_create({ name: "sub/late", cls: "misc", devt: (10 << 20) | 1, mode: 0o600 });
    expect(k.stat("/dev/sub/late")).toMatchObject({ mode: 0o020600, rdev: 0xa01 });
    expect(k.sys("open", "/dev/sub/late", 0, 0)).toBe("ENXIO");
  });
  test("null, zero, full and random behave", () => {
    const buf = k.buf(16);
    const fd = (name: string): number => k.sys("open", `/dev/${name}`, 2, 0) as number;
    expect(k.sys("read", fd("null"), buf, 16)).toBe(0);
    expect(k.sys("write", fd("null"), buf, 16)).toBe(16);
    k.kernel.mem.u8.fill(1, buf, buf + 16);
    expect(k.sys("read", fd("zero"), buf, 15)).toBe(15);
    expect([...k.kernel.mem.u8.subarray(buf, buf + 16)]).toEqual([...new Array<number>(15).fill(0), 1]);
    expect(k.sys("write", fd("full"), buf, 1)).toBe("ENOSPC");
    const r = fd("urandom");
    k.sys("read", r, buf, 16);
    const first = k.text(buf, 16);
    k.sys("read", r, buf, 16);
    expect(k.text(buf, 16)).not.toBe(first);
    const other = new FsKernel();
    const b2 = other.buf(16);
    expect(other.sys("getrandom", b2, 16, 0)).toBe(16);
    expect(other.text(b2, 16)).toBe(first);
  });
  test("nodev mounts don't open devices", () => {
    k.sys("mkdir", "/m", 0o755);
    k.sys("mount", "t", "/m", "tmpfs", 4, 0);
    expect(k.sys("mknod", "/m/null", 0o020666, 0x103)).toBe(0);
    expect(k.sys("open", "/m/null", 0, 0)).toBe("EACCES");
  });
});

describe("sys", () => {
  test("devices are found by class and by number", () => {
    expect(k.read_file("/sys/class/mem/null/dev")).toBe("1:3\n");
    expect(k.read_file("/sys/dev/char/1:3/uevent")).toBe("MAJOR=1\nMINOR=3\nDEVNAME=null\n");
    expect(k.read_file("/sys/dev/char/1:3/subsystem/zero/dev")).toBe("1:5\n");
  });
});
