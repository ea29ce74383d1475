// net/net.test.ts — sockets: unix, TCP, UDP, raw, netlink, interfaces.
import { beforeEach, expect, test } from "vitest";
import { FilesStruct, FsStruct } from "../fs/fs_struct.ts";
import type { Task } from "../kernel/task.ts";
import { FsKernel } from "../test/fs_kernel.ts";

let f: FsKernel;
let child: Task;
beforeEach(() => {
  f = new FsKernel();
  child = f.process();
  const { vfs } = f.kernel;
  child.files = new FilesStruct();
  child.fs = new FsStruct(vfs.root, vfs.root);
});
const [UNIX, INET, NETLINK] = [1, 2, 16];
const [STREAM, DGRAM, RAW, SEQPACKET] = [1, 2, 3, 5];
const NONBLOCK = 0o4000;
const u32 = (at: number): number => f.kernel.mem.view.getUint32(at, true);
const pair = (type: number): [number, number] => {
  const at = f.buf(8);
  expect(f.sys("socketpair", UNIX, type, 0, at)).toBe(0);
  return [u32(at), u32(at + 4)];
};
const un = (path: string): [number, number] => [f.bytes([1, 0, ...[...path].map((c) => c.charCodeAt(0)), 0]), path.length + 3];
const inet = (port: number, last = 1): number => f.bytes([2, 0, port >> 8, port & 255, 127, 0, 0, last, 0, 0, 0, 0, 0, 0, 0, 0]);
const send = (fd: number, text: string, flags = 0): unknown => f.sys("sendto", fd, text, text.length, flags, 0, 0);
const recv = (fd: number, len = 100, flags = 0): string => {
  const at = f.buf(len);
  const n = f.sys("recvfrom", fd, at, len, flags, 0, 0);
  return typeof n === "number" ? f.text(at, Math.min(n, len)) : String(n);
};
/** the lo interface goes up */
const up = (): void => {
  const s = f.sys("socket", INET, DGRAM, 0) as number;
  const ifr = f.bytes([..."lo"].map((c) => c.charCodeAt(0)).concat(Array.from({ length: 14 }, () => 0), [1, 0], Array.from({ length: 22 }, () => 0)));
  expect(f.sys("ioctl", s, 0x8914, ifr)).toBe(0);
  f.sys("close", s);
};

test("a stream pair carries bytes, ends at close, and breaks with EPIPE", () => {
  const [a, b] = pair(STREAM);
  expect(send(a, "hello")).toBe(5);
  expect(send(a, "world")).toBe(5);
  expect(recv(b, 7)).toBe("hellowo");
  expect(recv(b, 7, 2)).toBe("rld");
  expect(recv(b)).toBe("rld");
  expect(recv(b, 9, 0x40)).toBe("EAGAIN");
  f.sys("close", a);
  expect(recv(b)).toBe("");
  expect(send(b, "x", 0x4000)).toBe("EPIPE");
});

test("packets keep their boundaries and are cut", () => {
  const [a, b] = pair(SEQPACKET);
  send(a, "one");
  send(a, "three");
  expect(recv(b)).toBe("one");
  expect(recv(b, 2)).toBe("th");
  expect(recv(b, 9, 0x40)).toBe("EAGAIN");
});

test("a full stream blocks until the reader reads", () => {
  const [a, b] = pair(STREAM | NONBLOCK);
  const big = f.buf(100000);
  let total = 0;
  for (;;) {
    const n = f.sys("write", a, big, 100000);
    if (typeof n !== "number") break;
    total += n;
  }
  expect(total).toBeGreaterThan(100000);
  expect(total).toBeLessThan(300000);
  let got = 0;
  for (;;) {
    const n = f.sys("read", b, big, 65536);
    if (typeof n !== "number") break;
    got += n;
  }
  expect(got).toBe(total);
  expect(f.sys("write", a, big, 10)).toBe(10);
});

test("a server is found by path and by abstract name; the listener's queue is limited", () => {
  const s = f.sys("socket", UNIX, STREAM, 0) as number;
  expect(f.sys("bind", s, ...un("/sock"))).toBe(0);
  expect(f.sys("bind", f.sys("socket", UNIX, STREAM, 0) as number, ...un("/sock"))).toBe("EADDRINUSE");
  const c = f.sys("socket", UNIX, STREAM | NONBLOCK, 0) as number;
  expect(f.sys("connect", c, ...un("/sock"))).toBe("ECONNREFUSED");
  expect(f.sys("connect", c, ...un("/none"))).toBe("ENOENT");
  expect(f.sys("listen", s, 0)).toBe(0);
  expect(f.sys("connect", c, ...un("/sock"))).toBe(0);
  const c2 = f.sys("socket", UNIX, STREAM | NONBLOCK, 0) as number;
  expect(f.sys("connect", c2, ...un("/sock"))).toBe("EAGAIN");
  const len = f.bytes([110, 0, 0, 0]);
  const addr = f.buf(110);
  const t = f.sys("accept", s, addr, len) as number;
  expect(u32(len)).toBe(2);
  expect(f.sys("getpeername", c, addr, f.kernel.mem.view.setUint32(len, 110, true) ?? len)).toBe(0);
  expect(f.text(addr + 2, 5)).toBe("/sock");
  send(c, "hi");
  expect(recv(t)).toBe("hi");
  const cred = f.buf(12);
  f.kernel.mem.view.setUint32(len, 12, true);
  expect(f.sys("getsockopt", c, 1, 17, cred, len)).toBe(0);
  expect(u32(cred)).toBe(1);
  const d = f.sys("socket", UNIX, STREAM, 0) as number;
  const name = f.bytes([1, 0, 0, 65, 66]);
  expect(f.sys("bind", d, name, 5)).toBe(0);
  expect(f.sys("listen", d, 5)).toBe(0);
  expect(f.sys("connect", c2, name, 5)).toBe(0);
});

test("descriptors travel, and come to no harm when nobody takes them", () => {
  f.write_file("/file", "content");
  const fd = f.sys("open", "/file", 0) as number;
  const file = f.init.files!.fget(fd);
  const [a, b] = pair(DGRAM);
  const message = (control: number, len: number): number => {
    const data = f.bytes([88]);
    const iov = f.buf(16);
    const hdr = f.buf(56);
    const v = f.kernel.mem.view;
    v.setUint32(iov, data, true);
    v.setUint32(iov + 8, 1, true);
    v.setUint32(hdr + 16, iov, true);
    v.setUint32(hdr + 24, 1, true);
    v.setUint32(hdr + 32, control, true);
    v.setUint32(hdr + 40, len, true);
    return hdr;
  };
  const cmsg = f.bytes([20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, fd, 0, 0, 0]);
  expect(f.sys("sendmsg", a, message(cmsg, 20), 0)).toBe(1);
  expect(file.f_count).toBe(2);
  const back = f.buf(64);
  expect(f.sys("recvmsg", b, message(back, 64), 0)).toBe(1);
  const got = u32(back + 16);
  expect(got).not.toBe(fd);
  expect(f.init.files!.fget(got)).toBe(file);
  f.sys("close", got);
  expect(f.sys("sendmsg", a, message(cmsg, 20), 0)).toBe(1);
  f.sys("close", b);
  expect(file.f_count).toBe(1);
});

test("a reader that sleeps is woken by the sender", () => {
  const [a, b] = pair(STREAM);
  const file = f.init.files!.fget(b);
  file.f_count++;
  const fd = child.files!.alloc_fd(child, file);
  const at = f.buf(16);
  expect(f.sysAs(child, "read", fd, at, 16)).toBeUndefined();
  send(a, "now");
  f.run();
  expect(f.result(child)).toBe(3);
});

test("loopback is down until it is taken up, and has its address then", () => {
  const s = f.sys("socket", INET, STREAM, 0) as number;
  expect(f.sys("connect", s, inet(80), 16)).toBe("ENETUNREACH");
  expect(f.sys("bind", s, inet(8080), 16)).toBe("EADDRNOTAVAIL");
  up();
  expect(f.sys("connect", s, inet(80), 16)).toBe("ECONNREFUSED");
  expect(f.kernel.net.lo.addrs[0]!.addr).toBe(0x7f000001);
});

test("a TCP connection: ports, data, half close, reset", () => {
  up();
  const s = f.sys("socket", INET, STREAM, 0) as number;
  expect(f.sys("bind", s, inet(8080), 16)).toBe(0);
  expect(f.sys("listen", s, 5)).toBe(0);
  expect(f.sys("bind", f.sys("socket", INET, STREAM, 0) as number, inet(8080), 16)).toBe("EADDRINUSE");
  const c = f.sys("socket", INET, STREAM, 0) as number;
  expect(f.sys("connect", c, inet(8080), 16)).toBe(0);
  const addr = f.buf(16);
  const len = f.bytes([16, 0, 0, 0]);
  const t = f.sys("accept", s, addr, len) as number;
  expect([...f.kernel.mem.u8.subarray(addr, addr + 8)]).toEqual([2, 0, 0x80, 0, 127, 0, 0, 1]);
  send(c, "GET /");
  expect(recv(t)).toBe("GET /");
  send(t, "reply");
  f.sys("shutdown", t, 1);
  expect(recv(c)).toBe("reply");
  expect(recv(c)).toBe("");
  expect(send(c, "more")).toBe(4);
  expect(send(t, "x", 0x4000)).toBe("EPIPE");
  // unread data at close: a reset
  f.sys("close", t);
  expect(send(c, "x", 0x4000)).toBe("EPIPE");
  expect(f.kernel.net.tcp.size).toBe(2);
});

test("UDP: datagrams by address, refusals for who is connected", () => {
  up();
  const s = f.sys("socket", INET, DGRAM, 0) as number;
  expect(f.sys("bind", s, inet(53), 16)).toBe(0);
  const c = f.sys("socket", INET, DGRAM | NONBLOCK, 0) as number;
  expect(f.sys("sendto", c, "query", 5, 0, inet(53), 16)).toBe(5);
  expect(recv(s)).toBe("query");
  expect(f.sys("connect", c, inet(99), 16)).toBe(0);
  expect(send(c, "x")).toBe(1);
  expect(recv(c)).toBe("ECONNREFUSED");
  expect(recv(c)).toBe("EAGAIN");
});

test("an echo request is answered", () => {
  up();
  const s = f.sys("socket", INET, RAW | NONBLOCK, 1) as number;
  const ping = f.bytes([8, 0, 0xf7, 0xfd, 0, 1, 0, 1]);
  expect(f.sys("sendto", s, ping, 8, 0, inet(0, 5), 16)).toBe(8);
  const at = f.buf(64);
  expect(f.sys("read", s, at, 64)).toBe(28);
  expect(f.kernel.mem.u8[at + 20]).toBe(8);
  expect(f.sys("read", s, at, 64)).toBe(28);
  expect([...f.kernel.mem.u8.subarray(at + 12, at + 28)]).toEqual([127, 0, 0, 5, 127, 0, 0, 5, 0, 0, 0xff, 0xfd, 0, 1, 0, 1]);
});

test("netlink lists the interface", () => {
  const s = f.sys("socket", NETLINK, RAW, 0) as number;
  const req = f.bytes([20, 0, 0, 0, 18, 0, 1, 3, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  expect(f.sys("sendto", s, req, 20, 0, 0, 0)).toBe(20);
  const at = f.buf(1024);
  const n = f.sys("recvfrom", s, at, 1024, 0, 0, 0) as number;
  expect(u32(at)).toBe(n);
  expect(f.kernel.mem.view.getUint16(at + 4, true)).toBe(16);
  expect(u32(at + 8)).toBe(7);
  expect(f.text(at + 36, 2)).toBe("lo");
  expect(f.sys("recvfrom", s, at, 1024, 0, 0, 0)).toBe(20);
  expect(f.kernel.mem.view.getUint16(at + 4, true)).toBe(3);
});

test("unknown families and types have Linux's errors", () => {
  expect(f.sys("socket", 10, STREAM, 0)).toBe("EAFNOSUPPORT");
  expect(f.sys("socket", INET, SEQPACKET, 0)).toBe("ESOCKTNOSUPPORT");
  expect(f.sys("socket", INET, STREAM, 17)).toBe("EPROTONOSUPPORT");
  expect(f.sys("bind", 0, inet(1), 16)).toBe("EBADF");
  f.write_file("/x", "");
  expect(f.sys("listen", f.sys("open", "/x", 0) as number, 1)).toBe("ENOTSOCK");
});
