// kernel/strace.test.ts — lines of strace.
import { expect, test } from "vitest";
import { ENOENT } from "../include/uapi/errno.ts";
import { formatSyscall } from "./strace.ts";
import { DirFd, Fd, FdPair, InBuf, IoctlArg, IoctlCmd, IovIn, IovOut, MmapFlags, Mode, OpenFlags, OutBuf, Path, PollFds, Ptr, Signal, Size, StatBuf, UInt, WaitOptions, WaitStatus, SYSCALL_DEFINE, type Syscall } from "./syscall.ts";
import { FakeKernel } from "./testing.ts";

const body = (): number => 0;
const f = new FakeKernel();
const m = f.kernel.mem;
const put = (at: number, text: string): number => {
  for (let i = 0; i < text.length; i++) m.u8[at + i] = text.charCodeAt(i);
  m.u8[at + text.length] = 0;
  return at;
};

const words = (at: number, ...values: number[]): number => {
  values.forEach((v, i) => m.view.setUint32(at + 4 * i, v, true));
  return at;
};
const hello = put(f.user + 512, "hello\n");
const cases: [Syscall, number[], number | typeof ENOENT | undefined, string][] = [
  [SYSCALL_DEFINE("openat", [DirFd, Path, OpenFlags, Mode], body), [-100, put(f.user, "/etc/x"), 0o2000101, 0o644], ENOENT, 'openat(AT_FDCWD, "/etc/x", O_WRONLY|O_CREAT|O_CLOEXEC, 0644) = -1 ENOENT'],
  [SYSCALL_DEFINE("read", [Fd, OutBuf, Size], body), [3, put(f.user + 64, 'a"\n\x01'), 100], 4, 'read(3, "a\\"\\n\\1", 100) = 4'],
  [SYSCALL_DEFINE("write", [Fd, InBuf, Size], body), [1, 0, 5], undefined, "write(1, NULL, 5) = ?"],
  [SYSCALL_DEFINE("kill", [Fd, Signal], body), [9, 15], 0, "kill(9, SIGTERM) = 0"],
  [SYSCALL_DEFINE("writev", [Fd, IovIn, UInt], body), [1, words(f.user + 600, hello, 0, 5, 0, hello + 5, 0, 1, 0), 2], 6, 'writev(1, [{"hello", 5}, {"\\n", 1}], 2) = 6'],
  [SYSCALL_DEFINE("readv", [Fd, IovOut, UInt], body), [1, f.user + 600, 2], 3, 'readv(1, [{"hel", 5}, {"", 1}], 2) = 3'],
  [SYSCALL_DEFINE("wait4", [Fd, WaitStatus, WaitOptions, Ptr], body), [-1, words(f.user + 640, 3 << 8), 3, 0], 17, "wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 3}], WNOHANG|WUNTRACED, NULL) = 17"],
  [SYSCALL_DEFINE("wait4", [Fd, WaitStatus, WaitOptions, Ptr], body), [-1, words(f.user + 644, 0x8b), 0, 0], 17, "wait4(-1, [{WIFSIGNALED(s) && WTERMSIG(s) == SIGSEGV && WCOREDUMP(s)}], 0, NULL) = 17"],
  [SYSCALL_DEFINE("ioctl", [Fd, IoctlCmd, IoctlArg], body), [0, 0x5413, words(f.user + 660, 24 | (80 << 16), 0)], 0, "ioctl(0, TIOCGWINSZ, {ws_row=24, ws_col=80, ws_xpixel=0, ws_ypixel=0}) = 0"],
  [SYSCALL_DEFINE("ioctl", [Fd, IoctlCmd, IoctlArg], body), [0, 0x12345678, 0], ENOENT, "ioctl(0, 0x12345678, 0) = -1 ENOENT"],
  [SYSCALL_DEFINE("poll", [PollFds, UInt, Fd], body), [words(f.user + 680, 3, 1 | (16 << 16)), 1, -1], 1, "poll([{fd=3, events=POLLIN, revents=POLLHUP}], 1, -1) = 1"],
  [SYSCALL_DEFINE("pipe", [FdPair], body), [words(f.user + 700, 5, 6)], 0, "pipe([5, 6]) = 0"],
  [SYSCALL_DEFINE("fstat", [Fd, StatBuf], body), [3, words(f.user + 1000 + 24, 0o100644) - 24], 0, "fstat(3, {st_mode=S_IFREG|0644, st_size=0, ...}) = 0"],
  [SYSCALL_DEFINE("mm", [MmapFlags], body), [0x22], 0x200000, "mm(MAP_PRIVATE|MAP_ANONYMOUS) = 0x200000"],
];
test.each(cases)("%o", (call, args, result, line) => {
  expect(formatSyscall(m, call, args, result)).toBe(line);
});
