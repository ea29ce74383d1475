// fs/pipe.test.ts — pipes, FIFOs, splice, eventfd, timerfd, signalfd, inotify: what sleeps and what wakes it.
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

function pipe(flags = 0): [number, number] {
  const p = k.buf(8);
  expect(k.sys("pipe2", p, flags)).toBe(0);
  return [k.kernel.mem.view.getInt32(p, true), k.kernel.mem.view.getInt32(p + 4, true)];
}
/** Signal `sig` of the init process is caught, so that it interrupts. */
function catchSignal(sig: number, flags = 0): void {
  k.init.sighand.action[sig] = Object.assign(new KSigaction(), { handler: 0x200000, flags });
}

describe("pipe", () => {
  test("a read sleeps until there is something, and takes no more than there is", () => {
    const [r, w] = pipe();
    const buf = k.buf(16);
    expect(k.sys("read", r, buf, 16)).toBe(undefined);
    expect(k.sysAs(other, "write", w, "hello", 5)).toBe(5);
    k.run();
    expect(k.result(k.init)).toBe(5);
    expect(k.text(buf, 5)).toBe("hello");
  });
  test("without writers a read ends; without readers a write is EPIPE and SIGPIPE", () => {
    const [r, w] = pipe();
    const buf = k.buf(16);
    k.sys("write", w, "x", 1);
    k.sys("close", w);
    expect(k.sys("read", r, buf, 16)).toBe(1);
    expect(k.sys("read", r, buf, 16)).toBe(0);
    const [r2, w2] = pipe();
    k.sys("close", r2);
    catchSignal(13);
    expect(k.sys("write", w2, "x", 1)).toBe("EPIPE");
    expect(k.handled).toEqual([[1, 13]]);
  });
  test("O_NONBLOCK: EAGAIN instead of sleeping; room is counted in pages, which are free when all of them was read", () => {
    const [r, w] = pipe(O_NONBLOCK);
    const buf = k.buf(70000);
    expect(k.sys("read", r, buf, 16)).toBe("EAGAIN");
    expect(k.sys("write", w, buf, 70000)).toBe(65536);
    expect(k.sys("write", w, buf, 1)).toBe("EAGAIN");
    expect(k.sys("read", r, buf, 4095)).toBe(4095);
    expect(k.sys("write", w, buf, 1)).toBe("EAGAIN");
    expect(k.sys("read", r, buf, 1)).toBe(1);
    expect(k.sys("write", w, buf, 5000)).toBe(4096);
  });
  test("a long write sleeps with what it could do, goes on, and moves every byte once", () => {
    const [r, w] = pipe();
    const data = k.buf(100000);
    for (let i = 0; i < 100000; i++) k.kernel.mem.u8[data + i] = i % 251;
    expect(k.sys("write", w, data, 100000)).toBe(undefined);
    const buf = k.buf(100000);
    let got = 0;
    while (got < 100000) {
      const n = k.sysAs(other, "read", r, buf + got, 30000) as number;
      got += n;
      k.run();
    }
    expect(k.result(k.init)).toBe(100000);
    for (let i = 0; i < 100000; i++) if (k.kernel.mem.u8[buf + i] !== i % 251) expect(i).toBe(-1);
  });
  test("a signal ends a write with what was moved, and a read with EINTR or a restart", () => {
    const [r, w] = pipe();
    const buf = k.buf(100000);
    catchSignal(10);
    expect(k.sys("write", w, buf, 100000)).toBe(undefined);
    send_sig(10, k.init);
    k.run();
    expect(k.result(k.init)).toBe(65536);
    k.sysAs(other, "read", r, buf, 65536);
    expect(k.sys("read", r, buf, 1)).toBe(undefined);
    send_sig(10, k.init);
    k.run();
    expect(k.result(k.init)).toBe("EINTR");
    catchSignal(12, 0x10000000);
    expect(k.sys("read", r, buf, 1)).toBe(undefined);
    send_sig(12, k.init);
    k.run();
    expect(k.result(k.init)).toBe(undefined);
    k.sysAs(other, "write", w, "z", 1);
    k.run();
    expect(k.result(k.init)).toBe(1);
  });
  test("writev and readv are one transfer", () => {
    const [r, w] = pipe();
    const iov = k.bytes(new Uint8Array(new BigUint64Array([BigInt(k.str("ab")), 2n, BigInt(k.str("cde")), 3n]).buffer));
    expect(k.sys("writev", w, iov, 2)).toBe(5);
    const a = k.buf(4);
    const b = k.buf(4);
    const in_ = k.bytes(new Uint8Array(new BigUint64Array([BigInt(a), 3n, BigInt(b), 4n]).buffer));
    expect(k.sys("readv", r, in_, 2)).toBe(5);
    expect(k.text(a, 3) + k.text(b, 2)).toBe("abcde");
  });
  test("FIFOs: an open waits for the other side", () => {
    expect(k.sys("mknod", "/fifo", 0o010644, 0)).toBe(0);
    expect(k.sys("open", "/fifo", 1 | O_NONBLOCK, 0)).toBe("ENXIO");
    expect(k.sys("open", "/fifo", 0, 0)).toBe(undefined);
    const w = k.sysAs(other, "open", "/fifo", 1, 0) as number;
    expect(w).toBeTypeOf("number");
    k.run();
    const r = k.result(k.init) as number;
    expect(r).toBeTypeOf("number");
    expect(k.sys("write", w, "hi", 2)).toBe(2);
    const buf = k.buf(8);
    expect(k.sys("read", r, buf, 8)).toBe(2);
    k.sys("close", w);
    expect(k.sys("read", r, buf, 8)).toBe(0);
    k.sys("close", r);
    expect(k.sys("open", "/fifo", 1 | O_NONBLOCK, 0)).toBe("ENXIO");
  });
  test("an interrupted FIFO open leaves nothing behind", () => {
    k.sys("mknod", "/fifo", 0o010644, 0);
    catchSignal(10);
    expect(k.sys("open", "/fifo", 0, 0)).toBe(undefined);
    send_sig(10, k.init);
    k.run();
    expect(k.result(k.init)).toBe("EINTR");
    expect(k.sys("open", "/fifo", 1 | O_NONBLOCK, 0)).toBe("ENXIO");
  });
  test("under O_ASYNC the owner is told by SIGIO, or by the signal that F_SETSIG chose", () => {
    const [r, w] = pipe();
    catchSignal(29);
    catchSignal(10);
    k.sys("fcntl", r, 8, 1);
    expect(k.sys("fcntl", r, 9, 0)).toBe(1);
    k.sys("write", w, "x", 1);
    k.sys("fcntl", r, 4, 0o20000);
    k.sys("write", w, "x", 1);
    k.sys("fcntl", r, 10, 10);
    k.sys("write", w, "x", 1);
    k.sys("fcntl", r, 4, 0);
    k.sys("write", w, "x", 1);
    expect(k.handled).toEqual([[1, 29], [1, 10]]);
    expect(k.sys("fcntl", r, 8, 9999)).toBe("ESRCH");
  });
  test("pipe sizes are set and limited", () => {
    const [, w] = pipe();
    expect(k.sys("fcntl", w, 1032, 0)).toBe(65536);
    expect(k.sys("fcntl", w, 1031, 5000)).toBe(8192);
    expect(k.sys("write", w, k.buf(8192), 8192)).toBe(8192);
    expect(k.sys("fcntl", w, 1031, 4096)).toBe("EBUSY");
  });
});

describe("moving data inside the kernel", () => {
  test("sendfile into a pipe moves what there is room for, and sleeps only for the first room", () => {
    k.write_file("/f", "0123456789".repeat(10000));
    const f = k.sys("open", "/f", 0, 0) as number;
    const [r, w] = pipe();
    const off = k.buf(8);
    k.kernel.mem.view.setUint32(off, 5, true);
    expect(k.sys("sendfile", w, f, off, 200000)).toBe(65536);
    expect(k.sys("sendfile", w, f, off, 200000)).toBe(undefined);
    const buf = k.buf(100000);
    expect(k.sysAs(other, "read", r, buf, 65536)).toBe(65536);
    k.run();
    expect(k.result(k.init)).toBe(99995 - 65536);
    expect(k.sysAs(other, "read", r, buf + 65536, 65536)).toBe(99995 - 65536);
    expect(k.text(buf, 20)).toBe("56789012345678901234");
    expect(k.kernel.mem.view.getUint32(off, true)).toBe(100000);
    expect(k.sys("lseek", f, 0, 1)).toBe(0);
  });
  test("splice and tee move and copy between pipes; copy_file_range copies files", () => {
    const [r1, w1] = pipe();
    const [r2, w2] = pipe();
    k.sys("write", w1, "spliced", 7);
    expect(k.sys("tee", r1, w2, 100, 0)).toBe(7);
    expect(k.sys("splice", r1, 0, w2, 0, 3, 0)).toBe(3);
    const buf = k.buf(32);
    expect(k.sys("read", r2, buf, 32)).toBe(10);
    expect(k.text(buf, 10)).toBe("splicedspl");
    expect(k.sys("splice", r1, 0, w1, 0, 3, 0)).toBe("EINVAL");
    k.write_file("/a", "copy me");
    const a = k.sys("open", "/a", 0, 0) as number;
    const b = k.sys("open", "/b", 0o101, 0o644) as number;
    expect(k.sys("copy_file_range", a, 0, b, 0, 100, 0)).toBe(7);
    expect(k.read_file("/b")).toBe("copy me");
    expect(k.sys("splice", a, 0, w2, 0, 5, 0)).toBe(0);
    const off = k.buf(8);
    expect(k.sys("splice", a, off, w2, 0, 4, 0)).toBe(4);
    expect(k.sys("read", r2, buf, 32)).toBe(4);
  });
});

describe("eventfd, timerfd, signalfd", () => {
  const u64 = (v: bigint): number => k.bytes(new Uint8Array(new BigUint64Array([v]).buffer));
  const get = (at: number): bigint => k.kernel.mem.view.getBigUint64(at, true);
  test("an eventfd adds what is written and gives it at once, or one by one", () => {
    const fd = k.sys("eventfd2", 3, 0) as number;
    const buf = k.buf(8);
    expect(k.sys("write", fd, u64(4n), 8)).toBe(8);
    expect(k.sys("read", fd, buf, 8)).toBe(8);
    expect(get(buf)).toBe(7n);
    expect(k.sys("read", fd, buf, 8)).toBe(undefined);
    k.sysAs(other, "write", fd, u64(1n), 8);
    k.run();
    expect(k.result(k.init)).toBe(8);
    expect(k.sys("write", fd, u64(0xffffffffffffffffn), 8)).toBe("EINVAL");
    expect(k.sys("write", fd, u64(0xfffffffffffffffen), 8)).toBe(8);
    expect(k.sys("write", fd, u64(1n), 8)).toBe(undefined);
    expect(k.sysAs(other, "read", fd, buf, 8)).toBe(8);
    expect(get(buf)).toBe(0xfffffffffffffffen);
    k.run();
    expect(k.result(k.init)).toBe(8);
    const sem = k.sys("eventfd2", 2, 1 | O_NONBLOCK) as number;
    expect([k.sys("read", sem, buf, 8), k.sys("read", sem, buf, 8), k.sys("read", sem, buf, 8)]).toEqual([8, 8, "EAGAIN"]);
  });
  test("a timerfd counts what passed", () => {
    const fd = k.sys("timerfd_create", 1, 0) as number;
    const spec = k.bytes(new Uint8Array(new BigUint64Array([0n, 1000000n, 0n, 5000000n]).buffer));
    expect(k.sys("timerfd_settime", fd, 0, spec, 0)).toBe(0);
    const buf = k.buf(8);
    const start = k.now;
    expect(k.sys("read", fd, buf, 8)).toBe(undefined);
    k.run(start + 5_000_000);
    expect(k.result(k.init)).toBe(8);
    expect(get(buf)).toBe(1n);
    k.run(k.now + 3_500_000);
    expect(k.sys("read", fd, buf, 8)).toBe(8);
    expect(get(buf)).toBe(3n);
    const cur = k.buf(32);
    k.sys("timerfd_gettime", fd, cur);
    expect(get(cur + 8)).toBe(1000000n);
    expect(Number(get(cur + 24))).toBeGreaterThan(400000);
  });
  test("a signalfd gives blocked signals", () => {
    const mask = u64(1n << 9n);
    k.sys("rt_sigprocmask", 0, mask, 0, 8);
    const fd = k.sys("signalfd4", -1, mask, 8, 0) as number;
    const buf = k.buf(128);
    expect(k.sys("read", fd, buf, 128)).toBe(undefined);
    send_sig(10, k.init);
    k.run();
    expect(k.result(k.init)).toBe(128);
    expect(k.kernel.mem.view.getUint32(buf, true)).toBe(10);
  });
});

describe("inotify", () => {
  function events(fd: number): string[] {
    const buf = k.buf(4096);
    const n = k.sys("read", fd, buf, 4096);
    if (typeof n !== "number") return [String(n)];
    const out: string[] = [];
    const v = k.kernel.mem.view;
    for (let p = buf; p < buf + n; p += 16 + v.getUint32(p + 12, true)) {
      let name = "";
      for (let i = p + 16; i < p + 16 + v.getUint32(p + 12, true) && k.kernel.mem.u8[i] !== 0; i++) name += String.fromCharCode(k.kernel.mem.u8[i]!);
      out.push(`${v.getInt32(p, true)} ${v.getUint32(p + 4, true).toString(16)} ${name}`);
    }
    return out;
  }
  test("a watched directory tells of its files, a watched file of itself", () => {
    k.sys("mkdir", "/d", 0o755);
    const fd = k.sys("inotify_init1", O_NONBLOCK) as number;
    expect(k.sys("inotify_add_watch", fd, "/d", 0xfff)).toBe(1);
    expect(events(fd)).toEqual(["EAGAIN"]);
    k.write_file("/d/f", "x");
    expect(events(fd)).toEqual(["1 100 f", "1 20 f", "1 2 f", "1 8 f"]);
    k.sys("rename", "/d/f", "/d/g");
    k.sys("mkdir", "/d/sub", 0o755);
    expect(events(fd)).toEqual(["1 40 f", "1 80 g", "1 40000100 sub"]);
    expect(k.sys("inotify_add_watch", fd, "/d/g", 0x400)).toBe(2);
    k.sys("unlink", "/d/g");
    expect(events(fd)).toEqual(["2 400 ", "2 8000 ", "1 200 g"]);
    expect(k.sys("inotify_rm_watch", fd, 1)).toBe(0);
    expect(events(fd)).toEqual(["1 8000 "]);
    expect(k.kernel.vfs.fsnotify.active).toBe(0);
  });
});
