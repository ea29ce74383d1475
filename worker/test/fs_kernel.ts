// test/fs_kernel.ts — a kernel with a VFS and no CPU, for unit tests of files: calls by name, with strings put into user memory.
import { CharDevices } from "../drivers/char/chrdev.ts";
import { chr_dev_init } from "../drivers/char/mem.ts";
import { Random } from "../drivers/char/random.ts";
import { Devices } from "../drivers/base/core.ts";
import { BlockDevices } from "../drivers/block/genhd.ts";
import { syscall_table } from "../arch/um/syscall_64.ts";
import { FakeKernel, type Result } from "../kernel/testing.ts";
import { Params } from "../kernel/params.ts";
import type { Syscall } from "../kernel/syscall.ts";
import { SIGUSR1 } from "../include/uapi/signal.ts";
import { send_sig } from "../kernel/signal.ts";
import { TASK_RUNNING, type Task } from "../kernel/task.ts";
import { NommuRegions } from "../mm/nommu_types.ts";
import { PageAlloc } from "../mm/page_alloc.ts";
import { devtmpfs_init } from "../fs/devtmpfs.ts";
import { FilesStruct, FsStruct } from "../fs/fs_struct.ts";
import { Vfs } from "../fs/vfs.ts";
import { Ipc } from "../ipc/ipc.ts";
import { Net } from "../net/core/dev.ts";
import { vfs_caches_init } from "../fs/vfs_init.ts";

const calls = new Map<string, Syscall>();
for (const row of syscall_table) if (row !== undefined && row.state !== "errno") calls.set(row.call.name, row.call);

/** Root is an empty ramfs; init has no descriptors. The user page at `user` holds strings and buffers of calls. */
export class FsKernel extends FakeKernel {
  private at: number;
  constructor(memory = 0x1000000) {
    super(memory);
    const { kernel } = this;
    kernel.pages = new PageAlloc(0x400000, memory);
    kernel.regions = new NommuRegions();
    kernel.params = new Params("ubd0=x rw");
    kernel.random = new Random(new Uint8Array([1, 2, 3]));
    kernel.vfs = new Vfs(kernel);
    kernel.chrdev = new CharDevices(kernel);
    kernel.devices = new Devices(kernel);
    kernel.blkdev = new BlockDevices();
    kernel.net = new Net();
    kernel.ipc = new Ipc();
    vfs_caches_init(kernel);
    chr_dev_init(kernel);
    devtmpfs_init(kernel);
    this.init.files = new FilesStruct();
    this.init.fs = new FsStruct(kernel.vfs.root, kernel.vfs.root);
    this.at = this.user;
  }
  /** A NUL-terminated string in user memory. */
  str(s: string): number {
    return this.bytes([...s, "\0"].map((c) => c.charCodeAt(0)));
  }
  bytes(b: ArrayLike<number>): number {
    const at = this.buf(b.length);
    this.kernel.mem.u8.set(b, at);
    return at;
  }
  /** Room in user memory, zeroed. */
  buf(len: number): number {
    const at = (this.at + 15) & ~15;
    this.at = at + len;
    if (this.at > 0x400000) throw new Error("the test's user memory is full");
    this.kernel.mem.u8.fill(0, at, at + len);
    return at;
  }
  text(addr: number, len: number): string {
    return String.fromCharCode(...this.kernel.mem.u8.subarray(addr, addr + len));
  }
  /** A call of init by name; strings become pointers. Its result, an errno's name, or undefined while it sleeps. */
  sys(name: string, ...args: (number | string)[]): Result {
    return this.sysAs(this.init, name, ...args);
  }
  sysAs(task: Task, name: string, ...args: (number | string)[]): Result {
    const call = calls.get(name);
    if (call === undefined) throw new Error(`no call ${name}`);
    const save = this.at;
    const result = this.call(task, call, ...args.map((a) => (typeof a === "string" ? this.str(a) : a)), ...Array.from({ length: 6 - args.length }, () => 0));
    if (result !== undefined) this.at = save;
    return result;
  }
  /** Does the task sleep in a call? */
  asleep(task: Task): boolean {
    return task.state !== TASK_RUNNING;
  }
  /** A signal with a handler ends the task's sleep, if it can. */
  interrupt(task: Task): void {
    task.sighand.action[SIGUSR1]!.handler = this.user;
    send_sig(SIGUSR1, task);
    this.run();
  }
  /** Opens, writes and closes. */
  write_file(path: string, text: string, mode = 0o644): void {
    const fd = this.sys("open", path, 0o1101, mode) as number;
    if (this.sys("write", fd, text, text.length) !== text.length) throw new Error(`can't write ${path}`);
    this.sys("close", fd);
  }
  read_file(path: string): string {
    const fd = this.sys("open", path, 0, 0);
    if (typeof fd !== "number") return String(fd);
    const buf = this.buf(65536);
    const n = this.sys("read", fd, buf, 65536);
    this.sys("close", fd);
    this.at = buf;
    return typeof n === "number" ? this.text(buf, n) : String(n);
  }
  ls(path: string): string[] {
    const fd = this.sys("open", path, 0o200000, 0);
    if (typeof fd !== "number") return [String(fd)];
    const buf = this.buf(32768);
    const names: string[] = [];
    for (;;) {
      const n = this.sys("getdents64", fd, buf, 32768) as number;
      if (!(n > 0)) break;
      for (let p = buf; p < buf + n; p += this.kernel.mem.view.getUint16(p + 16, true)) {
        let e = p + 19;
        while (this.kernel.mem.u8[e] !== 0) e++;
        names.push(this.text(p + 19, e - p - 19));
      }
    }
    this.sys("close", fd);
    this.at = buf;
    return names;
  }
  stat(path: string): { ino: number; nlink: number; mode: number; size: number; rdev: number } | string {
    const buf = this.buf(144);
    const r = this.sys("lstat", path, buf);
    this.at = buf;
    if (r !== 0) return String(r);
    const v = this.kernel.mem.view;
    return { ino: v.getUint32(buf + 8, true), nlink: v.getUint32(buf + 16, true), mode: v.getUint32(buf + 24, true), size: v.getUint32(buf + 48, true), rdev: v.getUint32(buf + 40, true) };
  }
}
