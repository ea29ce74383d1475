// fs/fuzz.test.ts — random calls with random arguments: whatever they say, nothing but an errno comes out, and nothing is left behind.
import { expect, test } from "vitest";
import { syscall_table } from "../arch/um/syscall_64.ts";
import type { Syscall } from "../kernel/syscall.ts";
import { SIGPIPE, SIGXFSZ } from "../include/uapi/signal.ts";
import { Dice } from "../test/dice.ts";
import { FsKernel } from "../test/fs_kernel.ts";

const FS_CALLS = /^(read|write|open|close|stat|fstat|lstat|poll|lseek|ioctl|p?readv?2?|p?writev?2?|pread64|pwrite64|preadv2?|pwritev2?|access|pipe2?|select|dup[23]?|sendfile|fcntl|flock|fsync|fdatasync|f?truncate|getdents(64)?|getcwd|f?chdir|rename(at2?)?|mkdir(at)?|rmdir|creat|link(at)?|unlink(at)?|symlink(at)?|readlink(at)?|f?chmod(at2?)?|[fl]?chown|fchownat|umask|utimes?|mknod(at)?|f?statfs|ustat|sync|syncfs|pivot_root|chroot|mount|umount2|readahead|[lf]?(set|get|list|remove)xattr|epoll_.*|fadvise64|inotify_.*|openat2?|futimesat|newfstatat|pselect6|ppoll|splice|tee|vmsplice|utimensat|signalfd4?|timerfd_.*|eventfd2?|fallocate|copy_file_range|statx|faccessat2?|close_range|sync_file_range|getrandom)$/;
const CALLS: Syscall[] = [];
for (const row of syscall_table) if (row !== undefined && row.state !== "errno" && FS_CALLS.test(row.call.name)) CALLS.push(row.call);

const NAMES = ["/", "/a", "/a/b", "/a/b/c", "a", "..", ".", "", "/l", "/dev/null", "/dev/zero", "/dev/kmsg", "/proc/self/fd/0", "/proc/self/maps", "/proc/1/stat", "/sys/class", "x", "/fifo", "/a/", "/proc", "/dev", "tmpfs", "ramfs", "user.x", "mode=1777", "/proc/self/cwd/a", "/proc/sys/kernel/hostname"];

function argument(k: FsKernel, dice: Dice, strings: readonly number[], buffers: readonly number[]): number {
  switch (dice.below(10)) {
    case 0:
    case 1:
    case 2:
      return dice.below(12);
    case 3:
    case 4:
      return dice.of(strings);
    case 5:
    case 6:
      return dice.of(buffers);
    case 7:
      return dice.of([-1, -100, 0o100, 0o102, 0o2102, 0o200000, 0o10000000, 0x1000, 4096, 65536, 0x400, 0x200, 0x7fffffff, -2147483648]);
    case 8:
      return dice.below(0x10000);
    default:
      return dice.of([0xffff, 0x100000, 0x7fffffffffff, Number.MAX_SAFE_INTEGER, 8, 1 << dice.below(31), k.kernel.mem.size - 4]);
  }
}

/** Converts as do_syscall_64 does for the argument's kind. */
function convert(v: number, width: string): number {
  if (width === "s32") return v | 0;
  if (width === "u32") return v >>> 0;
  if (width === "u64" && v < 0) return 2 ** 64 + v;
  return v;
}

function round(seed: number, count: number): void {
  const k = new FsKernel();
  for (const d of ["/proc", "/dev", "/sys", "/a", "/a/b"]) k.sys("mkdir", d, 0o755);
  k.sys("mount", "p", "/proc", "proc", 0, 0);
  k.sys("mount", "d", "/dev", "devtmpfs", 0, 0);
  k.sys("mount", "s", "/sys", "sysfs", 0, 0);
  k.sys("symlink", "a/b", "/l");
  k.sys("mknod", "/fifo", 0o010644, 0);
  const dice = new Dice(seed);
  const strings = NAMES.map((n) => k.str(n));
  const buffers = Array.from({ length: 4 }, () => k.buf(8192));
  const tasks = [k.init, k.thread(k.init), k.process(), k.process()];
  // SIGPIPE and SIGXFSZ would end them
  for (const t of tasks) for (const sig of [SIGPIPE, SIGXFSZ]) t.sighand.action[sig]!.handler = k.user;
  for (let i = 0; i < count; i++) {
    if (i % 16 === 0) for (const b of buffers) for (let j = 0; j < 256; j += 4) k.kernel.mem.view.setUint32(b + j, dice.of([0, 1, 2, 3, 7, 100, dice.next(), b]), true);
    const task = dice.of(tasks);
    if (k.asleep(task)) {
      // interrupt whoever sleeps
      k.interrupt(task);
      if (k.asleep(task)) continue;
    }
    const call = dice.of(CALLS);
    const args = call.kinds.map((kind) => convert(argument(k, dice, strings, buffers), kind.width));
    try {
      k.call(task, call, ...args);
    } catch (e) {
      throw new Error(`seed ${seed}, call ${i}: ${call.name}(${args.join(", ")}): ${String(e)}\n${(e as Error).stack}`);
    }
  }
  for (const t of tasks) {
    if (k.asleep(t)) k.interrupt(t);
  }
  for (const files of new Set(tasks.flatMap((t) => t.files ?? []))) while (files.count > 0) files.put(k.init);
  expect(k.kernel.vfs.nr_files).toBe(0);
}

test("random calls end with a number or an errno, and every file is released", () => {
  expect(CALLS.length).toBeGreaterThan(100);
  for (let seed = 1; seed <= 12; seed++) round(seed * 7919, 1500);
});
