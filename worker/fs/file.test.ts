// fs/file.test.ts — open files: reading and writing, seeks, descriptors, select, poll, epoll, locks, attributes.
import { beforeEach, describe, expect, test } from "vitest";
import type { Task } from "../kernel/task.ts";
import { KSigaction } from "../kernel/signal_types.ts";
import { send_sig } from "../kernel/signal.ts";
import { FsKernel } from "../test/fs_kernel.ts";

let k: FsKernel;
let other: Task;
beforeEach(() => {
  k = new FsKernel();
  other = k.thread(k.init);
});
const O_NONBLOCK = 0o4000;
const open = (path: string, flags: number): number => k.sys("open", path, flags, 0o644) as number;
const i32 = (at: number): number => k.kernel.mem.view.getInt32(at, true);
function pipe(flags = 0): [number, number] {
  const p = k.buf(8);
  k.sys("pipe2", p, flags);
  return [i32(p), i32(p + 4)];
}
const words = (...v: number[]): number => k.bytes(new Uint8Array(new Uint32Array(v).buffer));

describe("positions", () => {
  test("reads and writes move the position; pread and pwrite do not", () => {
    const fd = open("/f", 0o102);
    const buf = k.buf(16);
    expect(k.sys("write", fd, "hello world", 11)).toBe(11);
    expect(k.sys("lseek", fd, 0, 1)).toBe(11);
    expect(k.sys("pread64", fd, buf, 5, 6)).toBe(5);
    expect(k.text(buf, 5)).toBe("world");
    expect(k.sys("pwrite64", fd, "W", 1, 6)).toBe(1);
    expect(k.sys("lseek", fd, -5, 2)).toBe(6);
    expect(k.sys("read", fd, buf, 16)).toBe(5);
    expect(k.text(buf, 5)).toBe("World");
    expect(k.sys("read", fd, buf, 16)).toBe(0);
    expect(k.sys("lseek", fd, -1, 0)).toBe("EINVAL");
    expect(k.sys("lseek", fd, 0, 9)).toBe("EINVAL");
    expect(k.sys("lseek", fd, 3, 3)).toBe(3);
    expect(k.sys("lseek", fd, 3, 4)).toBe(11);
    expect(k.sys("lseek", fd, 11, 3)).toBe("ENXIO");
  });
  test("a write past the end leaves zeros", () => {
    const fd = open("/f", 0o102);
    k.sys("lseek", fd, 10000, 0);
    expect(k.sys("write", fd, "x", 1)).toBe(1);
    const buf = k.buf(16);
    k.kernel.mem.u8.fill(9, buf, buf + 16);
    expect(k.sys("pread64", fd, buf, 16, 9990)).toBe(11);
    expect([...k.kernel.mem.u8.subarray(buf, buf + 11)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 120]);
    expect(k.sys("ftruncate", fd, 5)).toBe(0);
    expect(k.sys("ftruncate", fd, 10001)).toBe(0);
    expect(k.sys("pread64", fd, buf, 1, 10000)).toBe(1);
    expect(k.kernel.mem.u8[buf]).toBe(0);
  });
  test("O_APPEND writes at the end, whoever else wrote", () => {
    const a = open("/f", 0o2101);
    const b = open("/f", 0o2001);
    k.sys("write", a, "a", 1);
    k.sys("write", b, "b", 1);
    k.sys("lseek", a, 0, 0);
    k.sys("write", a, "c", 1);
    expect(k.read_file("/f")).toBe("abc");
  });
  test("the wrong mode is EBADF, a pipe has no position", () => {
    const w = open("/f", 0o101);
    expect(k.sys("read", w, k.buf(1), 1)).toBe("EBADF");
    const r = open("/f", 0);
    expect(k.sys("write", r, "x", 1)).toBe("EBADF");
    expect(k.sys("write", r, "x", 0)).toBe("EBADF");
    expect(k.sys("read", 99, k.buf(1), 1)).toBe("EBADF");
    expect(k.sys("lseek", pipe()[0], 0, 0)).toBe("ESPIPE");
    expect(k.sys("read", open("/", 0), k.buf(1), 1)).toBe("EISDIR");
    expect(k.sys("read", r, 8, 1)).toBe("EFAULT");
    expect(k.sys("write", w, 8, 1)).toBe("EFAULT");
  });
  test("RLIMIT_FSIZE cuts a write, then raises SIGXFSZ", () => {
    const fd = open("/f", 0o101);
    k.init.signal.rlim[1] = { cur: 4, max: 4 };
    k.init.sighand.action[25] = Object.assign(new KSigaction(), { handler: 0x200000 });
    expect(k.sys("write", fd, "123456", 6)).toBe(4);
    expect(k.sys("write", fd, "x", 1)).toBe("EFBIG");
    expect(k.handled).toEqual([[1, 25]]);
  });
});

describe("descriptors", () => {
  test("the lowest free number is taken; dup shares the position", () => {
    const a = open("/f", 0o102);
    const b = open("/f", 2);
    expect([a, b]).toEqual([0, 1]);
    k.sys("close", 0);
    expect(k.sys("dup", 1)).toBe(0);
    k.sys("write", 0, "xyz", 3);
    expect(k.sys("lseek", 1, 0, 1)).toBe(3);
    expect(k.sys("dup2", 1, 7)).toBe(7);
    expect(k.sys("dup2", 1, 1)).toBe(1);
    expect(k.sys("dup2", 5, 6)).toBe("EBADF");
    expect(k.sys("dup2", 1, 5000)).toBe("EBADF");
    expect(k.sys("dup3", 1, 1, 0)).toBe("EINVAL");
    expect(k.sys("dup3", 1, 9, 0o2000000)).toBe(9);
    expect(k.sys("fcntl", 9, 1, 0)).toBe(1);
    expect(k.sys("fcntl", 1, 0, 5)).toBe(5);
    expect(k.sys("fcntl", 1, 1030, 5)).toBe(6);
    k.init.files!.do_close_on_exec(k.init);
    expect(k.sys("fcntl", 9, 1, 0)).toBe("EBADF");
    expect(k.sys("close", 99)).toBe("EBADF");
    expect(k.sys("close_range", 3, 4000000000, 0)).toBe(0);
    expect(k.init.files!.fds.filter((f) => f !== undefined).length).toBe(2);
  });
  test("RLIMIT_NOFILE is EMFILE, and nothing is lost", () => {
    k.init.signal.rlim[7] = { cur: 3, max: 3 };
    pipe();
    const p = k.buf(8);
    expect(k.sys("pipe", p)).toBe("EMFILE");
    expect(open("/f", 0o102)).toBe(2);
    expect(open("/f", 0o102)).toBe("EMFILE");
    expect(k.sys("fcntl", 0, 0, 3)).toBe("EINVAL");
    expect(k.kernel.vfs.nr_files).toBe(3);
  });
  test("status flags are read and changed", () => {
    const fd = open("/f", 0o102);
    expect(k.sys("fcntl", fd, 3, 0)).toBe(0o100002);
    k.sys("fcntl", fd, 4, O_NONBLOCK | 0o2000 | 1);
    expect(k.sys("fcntl", fd, 3, 0)).toBe(0o106002);
    const on = words(0);
    k.sys("ioctl", fd, 0x5421, on);
    expect(k.sys("fcntl", fd, 3, 0)).toBe(0o102002);
    expect(k.sys("ioctl", fd, 0x5401, on)).toBe("ENOTTY");
    k.sys("write", fd, "12345", 5);
    k.sys("lseek", fd, 1, 0);
    const n = words(0);
    expect(k.sys("ioctl", fd, 0x541b, n)).toBe(0);
    expect(i32(n)).toBe(4);
  });
  test("O_PATH names a place and nothing else", () => {
    k.write_file("/f", "x");
    const fd = open("/f", 0o10000000);
    expect(k.sys("read", fd, k.buf(1), 1)).toBe("EBADF");
    expect(k.sys("fstat", fd, k.buf(144))).toBe(0);
    expect(k.sys("fchmod", fd, 0o600)).toBe("EBADF");
    k.sys("symlink", "f", "/l");
    const l = open("/l", 0o10400000);
    const buf = k.buf(8);
    expect(k.sys("readlinkat", l, "", buf, 8)).toBe(1);
  });
});

describe("waiting", () => {
  test("select tells what is ready and changes only the sets", () => {
    const [r, w] = pipe();
    const rd = words(1 << r, 0);
    const wr = words(1 << w, 0);
    const tv = k.bytes(new Uint8Array(16));
    expect(k.sys("select", 8, rd, wr, 0, tv)).toBe(1);
    expect([i32(rd), i32(wr)]).toEqual([0, 1 << w]);
    k.sys("write", w, "x", 1);
    const both = words((1 << r) | (1 << w), 0);
    const wr2 = words((1 << r) | (1 << w), 0);
    expect(k.sys("select", 8, both, wr2, 0, 0)).toBe(2);
    expect([i32(both), i32(wr2)]).toEqual([1 << r, 1 << w]);
    expect(k.sys("select", 8, words(1 << 6, 0), 0, 0, 0)).toBe("EBADF");
    expect(k.sys("select", -1, 0, 0, 0, 0)).toBe("EINVAL");
  });
  test("select sleeps for its time-out exactly, and writes back what is left", () => {
    const [r, w] = pipe();
    const rd = words(1 << r, 0);
    const tv = k.bytes(new Uint8Array(new BigUint64Array([1n, 500000n]).buffer));
    const t0 = k.now;
    expect(k.sys("select", 8, rd, 0, 0, tv)).toBe(undefined);
    k.run(t0 + 1_500_000_000);
    expect(k.result(k.init)).toBe(undefined);
    k.run(t0 + 1_500_000_001);
    expect(k.result(k.init)).toBe(0);
    expect(i32(rd)).toBe(0);
    const tv2 = k.bytes(new Uint8Array(new BigUint64Array([2n, 0n]).buffer));
    const rd2 = words(1 << r, 0);
    expect(k.sys("select", 8, rd2, 0, 0, tv2)).toBe(undefined);
    k.run(k.now + 500_000_000);
    k.sysAs(other, "write", w, "x", 1);
    k.run();
    expect(k.result(k.init)).toBe(1);
    expect([i32(tv2), i32(tv2 + 8)]).toEqual([1, 499999]);
  });
  test("poll reports events, hang-ups, errors and closed descriptors", () => {
    const [r, w] = pipe();
    const fds = words(r, 1, w, 4, 77, 1, 0xffffffff, 1);
    expect(k.sys("poll", fds, 4, -1)).toBe(2);
    const revents = (i: number): number => k.kernel.mem.view.getUint16(fds + 8 * i + 6, true);
    expect([0, 1, 2, 3].map(revents)).toEqual([0, 4, 0x20, 0]);
    k.sys("close", w);
    expect(k.sys("poll", fds, 1, -1)).toBe(1);
    expect(revents(0)).toBe(0x10);
    const [r2, w2] = pipe();
    k.sys("close", r2);
    const e = words(w2, 4);
    expect(k.sys("poll", e, 1, 0)).toBe(1);
    expect(k.kernel.mem.view.getUint16(e + 6, true)).toBe(0xc);
  });
  test("ppoll's mask holds while it sleeps, and only then", () => {
    const [r] = pipe();
    k.init.sighand.action[10] = Object.assign(new KSigaction(), { handler: 0x200000 });
    k.sys("rt_sigprocmask", 0, k.bytes([0, 2, 0, 0, 0, 0, 0, 0]), 0, 8);
    const fds = words(r, 1);
    expect(k.sys("ppoll", fds, 1, 0, k.bytes(new Uint8Array(8)), 8)).toBe(undefined);
    send_sig(10, k.init);
    k.run();
    expect(k.result(k.init)).toBe("EINTR");
    expect(k.init.blocked.has(10)).toBe(true);
  });
  test("epoll: level, edge, one shot, change and removal", () => {
    const ep = k.sys("epoll_create1", 0) as number;
    const [r, w] = pipe();
    const out = k.buf(120);
    const ev = (events: number, data: number): number => words(events >>> 0, data, 0);
    expect(k.sys("epoll_ctl", ep, 1, r, ev(1, 7))).toBe(0);
    expect(k.sys("epoll_ctl", ep, 1, r, ev(1, 7))).toBe("EEXIST");
    expect(k.sys("epoll_ctl", ep, 3, w, ev(1, 7))).toBe("ENOENT");
    k.write_file("/f", "");
    expect(k.sys("epoll_ctl", ep, 1, open("/f", 0), ev(1, 7))).toBe("EPERM");
    expect(k.sys("epoll_ctl", ep, 1, ep, ev(1, 7))).toBe("EINVAL");
    expect(k.sys("epoll_wait", ep, out, 10, -1)).toBe(undefined);
    k.sysAs(other, "write", w, "xx", 2);
    k.run();
    expect(k.result(k.init)).toBe(1);
    expect([i32(out), i32(out + 4)]).toEqual([1, 7]);
    expect(k.sys("epoll_wait", ep, out, 10, 0)).toBe(1);
    k.sys("epoll_ctl", ep, 3, r, ev(0x80000001, 8));
    expect(k.sys("epoll_wait", ep, out, 10, 0)).toBe(1);
    expect(k.sys("epoll_wait", ep, out, 10, 0)).toBe(0);
    k.sys("write", w, "y", 1);
    expect(k.sys("epoll_wait", ep, out, 10, 0)).toBe(1);
    expect(k.sys("epoll_wait", ep, out, 10, 0)).toBe(0);
    k.sys("epoll_ctl", ep, 3, r, ev(0x40000001, 9));
    expect(k.sys("epoll_wait", ep, out, 10, 0)).toBe(1);
    expect(k.sys("epoll_wait", ep, out, 10, 0)).toBe(0);
    k.sys("epoll_ctl", ep, 3, r, ev(1, 9));
    const fds = words(ep, 1);
    expect(k.sys("poll", fds, 1, 0)).toBe(1);
    expect(k.sys("epoll_ctl", ep, 2, r, 0)).toBe(0);
    expect(k.sys("poll", fds, 1, 0)).toBe(0);
    expect(k.sys("epoll_wait", ep, out, 0, 0)).toBe("EINVAL");
    k.sys("epoll_ctl", ep, 1, r, ev(1, 1));
    k.sys("close", r);
    expect(k.sys("epoll_wait", ep, out, 10, 0)).toBe(0);
  });
});

describe("locks", () => {
  const flock = (type: number, start: number, len: number): number => k.bytes(new Uint8Array(new BigUint64Array([BigInt(type), BigInt(start), BigInt(len), 0n]).buffer));
  test("POSIX locks belong to processes, split and join, and wake who waits", () => {
    const p = k.process();
    const fd = open("/f", 0o102);
    const fd2 = k.sysAs(p, "open", "/f", 2, 0) as number;
    expect(k.sys("fcntl", fd, 6, flock(1, 0, 100))).toBe(0);
    expect(k.sysAs(p, "fcntl", fd2, 6, flock(0, 50, 1))).toBe("EAGAIN");
    expect(k.sys("fcntl", fd, 6, flock(2, 40, 20))).toBe(0);
    expect(k.sysAs(p, "fcntl", fd2, 6, flock(0, 50, 1))).toBe(0);
    const q = flock(1, 0, 0);
    expect(k.sysAs(p, "fcntl", fd2, 5, q)).toBe(0);
    expect([k.kernel.mem.view.getUint16(q, true), i32(q + 8), i32(q + 16), i32(q + 24)]).toEqual([1, 0, 40, 1]);
    expect(k.sysAs(p, "fcntl", fd2, 7, flock(1, 10, 10))).toBe(undefined);
    k.sys("close", fd);
    k.run();
    expect(k.result(p)).toBe(0);
  });
  test("two that wait for each other: EDEADLK", () => {
    const p = k.process();
    const fd = open("/f", 0o102);
    const fd2 = k.sysAs(p, "open", "/f", 2, 0) as number;
    k.sys("fcntl", fd, 6, flock(1, 0, 1));
    k.sysAs(p, "fcntl", fd2, 6, flock(1, 1, 1));
    expect(k.sys("fcntl", fd, 7, flock(1, 1, 1))).toBe(undefined);
    expect(k.sysAs(p, "fcntl", fd2, 7, flock(1, 0, 1))).toBe("EDEADLK");
  });
  test("OFD locks and flock belong to open files", () => {
    const a = open("/f", 0o102);
    const b = open("/f", 2);
    expect(k.sys("fcntl", a, 37, flock(1, 0, 0))).toBe(0);
    expect(k.sys("fcntl", b, 37, flock(1, 0, 0))).toBe("EAGAIN");
    k.sys("close", a);
    expect(k.sys("fcntl", b, 37, flock(1, 0, 0))).toBe(0);
    const c = open("/f", 2);
    expect(k.sys("flock", b, 2)).toBe(0);
    expect(k.sys("flock", c, 6)).toBe("EAGAIN");
    expect(k.sys("flock", c, 1)).toBe(undefined);
    k.sysAs(other, "flock", b, 8);
    k.run();
    expect(k.result(k.init)).toBe(0);
    expect(k.sys("flock", c, 3)).toBe("EINVAL");
  });
});

describe("attributes", () => {
  test("times: now, given, omitted", () => {
    k.write_file("/f", "x");
    const st = k.buf(144);
    const ts = k.bytes(new Uint8Array(new BigUint64Array([5n, 6n, 7n, 0x3ffffffen]).buffer));
    expect(k.sys("utimensat", -100, "/f", ts, 0)).toBe(0);
    k.sys("stat", "/f", st);
    expect([i32(st + 72), i32(st + 80)]).toEqual([5, 6]);
    expect(i32(st + 88)).toBeGreaterThan(1_700_000_000 - 1);
    k.sys("utimes", "/f", 0);
    k.sys("stat", "/f", st);
    expect(i32(st + 72)).toBeGreaterThan(1_700_000_000 - 1);
    expect(k.sys("utimensat", -100, "/f", k.bytes(new Uint8Array(new BigUint64Array([5n, 1000000000n, 7n, 0n]).buffer)), 0)).toBe("EINVAL");
  });
  test("extended attributes are set, listed, replaced and removed", () => {
    k.write_file("/f", "");
    const buf = k.buf(64);
    expect(k.sys("setxattr", "/f", "user.a", "one", 3, 0)).toBe(0);
    expect(k.sys("setxattr", "/f", "user.a", "two", 3, 1)).toBe("EEXIST");
    expect(k.sys("setxattr", "/f", "user.b", "two", 3, 2)).toBe("ENODATA");
    expect(k.sys("getxattr", "/f", "user.a", buf, 64)).toBe(3);
    expect(k.sys("getxattr", "/f", "user.a", buf, 2)).toBe("ERANGE");
    expect(k.sys("getxattr", "/f", "user.a", 0, 0)).toBe(3);
    expect(k.sys("listxattr", "/f", buf, 64)).toBe(7);
    expect(k.sys("setxattr", "/f", "what.a", "x", 1, 0)).toBe("EOPNOTSUPP");
    expect(k.sys("removexattr", "/f", "user.a")).toBe(0);
    expect(k.sys("getxattr", "/f", "user.a", buf, 64)).toBe("ENODATA");
  });
  test("statfs and statx describe the file system and the file", () => {
    k.write_file("/f", "12345");
    const buf = k.buf(256);
    expect(k.sys("statfs", "/f", buf)).toBe(0);
    expect(k.kernel.mem.view.getUint32(buf, true)).toBe(0x858458f6);
    expect(k.sys("statx", -100, "/f", 0, 0xfff, buf)).toBe(0);
    expect(k.kernel.mem.view.getUint16(buf + 28, true)).toBe(0o100644);
    expect(i32(buf + 40)).toBe(5);
    expect(k.sys("newfstatat", open("/f", 0), "", buf, 0x1000)).toBe(0);
    expect(k.sys("newfstatat", 0, "", buf, 0)).toBe("ENOENT");
  });
  test("a ramfs file sized from empty is contiguous; fallocate makes and punches pages", () => {
    const fd = open("/f", 0o102);
    expect(k.sys("ftruncate", fd, 20000)).toBe(0);
    const file = k.init.files!.fget(fd);
    const at = file.f_op.get_unmapped_area(file, 0, 20000)!;
    expect(at % 4096).toBe(0);
    expect(file.f_op.get_unmapped_area(file, 1, 8192)).toBe(at + 4096);
    expect(file.f_op.get_unmapped_area(file, 0, 40000)).toBe(undefined);
    k.kernel.mem.u8[at + 5000] = 77;
    const buf = k.buf(4);
    k.sys("pread64", fd, buf, 1, 5000);
    expect(k.kernel.mem.u8[buf]).toBe(77);
    const free = k.kernel.pages.nr_free;
    expect(k.sys("fallocate", fd, 3, 4096, 4096)).toBe(0);
    expect(k.kernel.pages.nr_free).toBe(free + 1);
    expect(file.f_op.get_unmapped_area(file, 0, 20000)).toBe(undefined);
    expect(k.sys("fallocate", fd, 0, 0, 30000)).toBe(0);
    expect(k.stat("/f")).toMatchObject({ size: 30000 });
    k.sys("close", fd);
    k.sys("unlink", "/f");
  });
});
