// ipc/ipc.test.ts — semaphores, message queues of both kinds, shared memory.
import { beforeEach, expect, test } from "vitest";
import { FilesStruct, FsStruct } from "../fs/fs_struct.ts";
import { sys_exit } from "../kernel/exit.ts";
import type { Task } from "../kernel/task.ts";
import { FsKernel } from "../test/fs_kernel.ts";
import { Mm } from "../mm/mm_types.ts";

let f: FsKernel;
let p: Task;
beforeEach(() => {
  f = new FsKernel();
  f.init.mm = new Mm();
  p = f.process();
  p.mm = new Mm();
  p.files = new FilesStruct();
  p.fs = new FsStruct(f.kernel.vfs.root, f.kernel.vfs.root);
});
const CREAT = 0o1000;
const EXCL = 0o2000;
const NOWAIT = 0o4000;
const ops = (...list: [number, number, number][]): number => f.bytes(new Uint8Array(Int16Array.from(list.flat()).buffer));
const semop = (t: Task, id: number, ...list: [number, number, number][]): unknown => f.sysAs(t, "semop", id, ops(...list), list.length);

test("semaphores: all operations of a call or none; a sleeper is woken; undo at exit", () => {
  const id = f.sys("semget", 0, 2, CREAT | 0o600) as number;
  expect(f.sys("semctl", id, 0, 16, 1)).toBe(0);
  expect(semop(f.init, id, [0, -1, 0], [1, -1, NOWAIT])).toBe("EAGAIN");
  expect(f.sys("semctl", id, 0, 12, 0)).toBe(1);
  expect(semop(p, id, [1, -1, 0])).toBeUndefined();
  expect(f.sys("semctl", id, 1, 14, 0)).toBe(1);
  expect(semop(f.init, id, [1, 1, 0])).toBe(0);
  f.run();
  expect(f.result(p)).toBe(0);
  expect(semop(p, id, [0, -1, 0x1000])).toBe(0);
  expect(f.sys("semctl", id, 0, 12, 0)).toBe(0);
  f.call(p, sys_exit, 0);
  expect(f.sys("semctl", id, 0, 12, 0)).toBe(1);
});

test("removing a semaphore set wakes who sleeps on it", () => {
  const id = f.sys("semget", 0, 1, CREAT | 0o600) as number;
  expect(semop(p, id, [0, -1, 0])).toBeUndefined();
  expect(f.sys("semctl", id, 0, 0, 0)).toBe(0);
  f.run();
  expect(f.result(p)).toBe("EIDRM");
  expect(semop(p, id, [0, 1, 0])).toBe("EINVAL");
});

test("keys find objects; IPC_EXCL refuses; a stale id is no other's", () => {
  const id = f.sys("msgget", 77, CREAT | 0o600) as number;
  expect(f.sys("msgget", 77, 0)).toBe(id);
  expect(f.sys("msgget", 77, CREAT | EXCL)).toBe("EEXIST");
  expect(f.sys("msgget", 78, 0)).toBe("ENOENT");
  expect(f.sys("msgctl", id, 0, 0)).toBe(0);
  expect(f.sys("msgget", 77, 0)).toBe("ENOENT");
  expect(f.sys("msgget", 77, CREAT)).not.toBe(id);
});

test("messages are taken by type", () => {
  const id = f.sys("msgget", 0, CREAT | 0o600) as number;
  const send = (type: number, text: string): unknown => f.sys("msgsnd", id, f.bytes([type, 0, 0, 0, 0, 0, 0, 0, ...[...text].map((c) => c.charCodeAt(0))]), text.length, 0);
  for (const [type, text] of [[3, "three"], [1, "one"], [2, "two"]] as const) expect(send(type, text)).toBe(0);
  const buf = f.buf(64);
  const recv = (type: number, size = 20, flags = NOWAIT): unknown => {
    const n = f.sys("msgrcv", id, buf, size, type, flags);
    return typeof n === "number" ? f.text(buf + 8, n) : n;
  };
  expect(recv(2)).toBe("two");
  expect(recv(-2)).toBe("one");
  expect(recv(0, 2)).toBe("E2BIG");
  expect(recv(0, 2, NOWAIT | 0o10000)).toBe("th");
  expect(recv(0)).toBe("ENOMSG");
});

test("a shared segment is one place for all, and lives until the last detaches", () => {
  const free = f.kernel.pages.nr_free_pages();
  const id = f.sys("shmget", 0, 5000, CREAT | 0o600) as number;
  const a = f.sys("shmat", id, 0, 0) as number;
  expect(f.sysAs(p, "shmat", id, 0, 0)).toBe(a);
  expect(f.sysAs(p, "shmat", id, a + 4096, 0)).toBe("EINVAL");
  expect(f.sys("shmctl", id, 0, 0)).toBe(0);
  const ds = f.buf(112);
  expect(f.sys("shmctl", id, 2, ds)).toBe(0);
  expect(f.kernel.mem.view.getUint32(ds + 88, true)).toBe(2);
  expect(f.sys("shmdt", a)).toBe(0);
  expect(f.sys("shmdt", a)).toBe("EINVAL");
  f.call(p, sys_exit, 0);
  expect(f.sys("shmctl", id, 2, ds)).toBe("EINVAL");
  expect(f.kernel.pages.nr_free_pages()).toBe(free);
});

test("POSIX queues order by priority, block, and notify once", () => {
  const attr = f.bytes(new Uint8Array(BigInt64Array.from([0n, 2n, 16n, 0n, 0n, 0n, 0n, 0n]).buffer));
  const fd = f.sys("mq_open", "q", 0o102, 0o600, attr) as number;
  const rd = f.sysAs(p, "mq_open", "q", 2, 0, 0) as number;
  const buf = f.buf(16);
  expect(f.sysAs(p, "mq_timedreceive", rd, buf, 8, 0, 0)).toBe("EMSGSIZE");
  expect(f.sys("mq_timedsend", fd, "low", 3, 1, 0)).toBe(0);
  expect(f.sys("mq_timedsend", fd, "high", 4, 9, 0)).toBe(0);
  const msg = f.str("more");
  expect(f.sysAs(p, "mq_timedsend", rd, msg, 4, 1, 0)).toBeUndefined();
  expect(f.sys("mq_timedreceive", fd, buf, 16, 0, 0)).toBe(4);
  expect(f.text(buf, 4)).toBe("high");
  f.run();
  expect(f.result(p)).toBe(0);
  expect(f.sys("mq_timedreceive", fd, buf, 16, 0, 0)).toBe(3);
  expect(f.sys("mq_timedreceive", fd, buf, 16, 0, 0)).toBe(4);
  p.sighand.action[10]!.handler = 0x5000;
  const sev = f.bytes([7, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, ...Array.from({ length: 52 }, () => 0)]);
  expect(f.sysAs(p, "mq_notify", rd, sev)).toBe(0);
  expect(f.sys("mq_notify", fd, sev)).toBe("EBUSY");
  f.sys("mq_timedsend", fd, "x", 1, 0, 0);
  f.sys("mq_timedsend", fd, "y", 1, 0, 0);
  f.signals(p);
  expect(f.handled).toEqual([[p.pid, 10]]);
  expect(f.sys("mq_unlink", "q")).toBe(0);
  expect(f.sys("mq_open", "q", 2, 0, 0)).toBe("ENOENT");
});
