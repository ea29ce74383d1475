// kernel/strace.test.ts — lines of strace.
import { expect, test } from "vitest";
import { ENOENT } from "../include/uapi/errno.ts";
import { formatSyscall } from "./strace.ts";
import { DirFd, Fd, InBuf, MmapFlags, Mode, OpenFlags, OutBuf, Path, Signal, Size, SYSCALL_DEFINE, type Syscall } from "./syscall.ts";
import { FakeKernel } from "./testing.ts";

const body = (): number => 0;
const f = new FakeKernel();
const m = f.kernel.mem;
const put = (at: number, text: string): number => {
  for (let i = 0; i < text.length; i++) m.u8[at + i] = text.charCodeAt(i);
  m.u8[at + text.length] = 0;
  return at;
};

const cases: [Syscall, number[], number | typeof ENOENT | undefined, string][] = [
  [SYSCALL_DEFINE("openat", [DirFd, Path, OpenFlags, Mode], body), [-100, put(f.user, "/etc/x"), 0o2000101, 0o644], ENOENT, 'openat(AT_FDCWD, "/etc/x", O_WRONLY|O_CREAT|O_CLOEXEC, 0644) = -1 ENOENT'],
  [SYSCALL_DEFINE("read", [Fd, OutBuf, Size], body), [3, put(f.user + 64, 'a"\n\x01'), 100], 4, 'read(3, "a\\"\\n\\1", 100) = 4'],
  [SYSCALL_DEFINE("write", [Fd, InBuf, Size], body), [1, 0, 5], undefined, "write(1, NULL, 5) = ?"],
  [SYSCALL_DEFINE("kill", [Fd, Signal], body), [9, 15], 0, "kill(9, SIGTERM) = 0"],
  [SYSCALL_DEFINE("mm", [MmapFlags], body), [0x22], 0x200000, "mm(MAP_PRIVATE|MAP_ANONYMOUS) = 0x200000"],
];
test.each(cases)("%o", (call, args, result, line) => {
  expect(formatSyscall(m, call, args, result)).toBe(line);
});
