// worker/test/vmlinux.test.ts — the machine as a command: statuses, pipes, disks that stay whole
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { image, IMAGE } from "./boot.ts";

function vmlinux(args: string[], input: string): { status: number | null; text: string } {
  const r = spawnSync(process.execPath, ["--import", "tsx", "scripts/vmlinux.ts", ...args], { input, encoding: "utf8", maxBuffer: 64 << 20 });
  return { status: r.status, text: (r.stdout + r.stderr).replaceAll("\r", "") };
}
function copy(): string {
  image();
  const file = join(mkdtempSync(join(tmpdir(), "pagezero-")), "disk.ext4");
  copyFileSync(IMAGE, file);
  return file;
}
const fsck = (file: string): { status: number | null; text: string } => {
  const r = spawnSync("e2fsck", ["-fn", file], { encoding: "utf8", env: { ...process.env, PATH: `${process.env["PATH"]}:/sbin:/usr/sbin` } });
  return { status: r.status, text: r.stdout + r.stderr };
};

test("a script on standard input runs in the guest; halt ends with status 0 and a clean file system", () => {
  const disk = copy();
  const { status, text } = vmlinux([`ubd0=${disk}`, "rw", "mem=64m", "init=/bin/sh"], "ls /\nuname -a\necho kept > /root/file\nsync\nhalt -f\n");
  expect(text).toMatch(/bin\S* +.*etc|lost\+found/);
  expect(text).toContain("Linux (none) 6.12");
  expect(status).toBe(0);
  expect(fsck(disk)).toMatchObject({ status: 0 });
  const again = vmlinux([`ubd0=${disk}`, "rw", "mem=64m", "quiet", "init=/bin/sh", "--", "-c", "cat /root/file; halt -f"], "");
  expect(again.text).toContain("kept\n");
  expect(again.status).toBe(0);
});

test("a panic ends with UML's status 134, in Linux's words", () => {
  const { status, text } = vmlinux([`ubd0=${copy()}`, "rw", "mem=64m", "init=/nonexistent"], "");
  expect(text).toContain("Kernel panic - not syncing: Requested init /nonexistent failed (error -2).");
  expect(status).toBe(134);
  const none = vmlinux(["mem=64m"], "");
  expect(none.text).toContain("VFS: Unable to mount root fs on");
  expect(none.status).toBe(134);
});

test("/proc/exitcode becomes the exit status, and ubd0=cow,base leaves the base alone", () => {
  const disk = copy();
  const before = readFileSync(disk);
  const cow = `${disk}.cow`;
  const run = (command: string) => vmlinux([`ubd0=${cow},${disk}`, "rw", "mem=64m", "quiet", "init=/bin/sh", "--", "-c", command], "");
  expect(run("mount -t proc proc /proc; echo 7 > /root/seven; echo 7 > /proc/exitcode; sync; halt -f").status).toBe(7);
  expect(readFileSync(disk).equals(before)).toBe(true);
  expect(run("cat /root/seven; halt -f").text).toContain("7\n");
});

test("bad command lines are told in a sentence", () => {
  const { status, text } = vmlinux(["ubd0=/no/such/file", "mem=1m"], "");
  expect(status).toBe(1);
  expect(text).toContain('vmlinux: mem= must be from 8M to 2048M, not "1m"');
  const missing = vmlinux(["ubd0=/no/such/file", "mem=64m"], "");
  expect(missing.text).toContain("Failed to initialize ubd device 0 :There is no file /no/such/file.");
});

/** What people do in a shell, without anything that tells the time. */
const SESSION = `mount -t proc proc /proc; mount -t tmpfs tmpfs /tmp
for i in 1 2 3; do echo $i | cat; done
ls / | wc -l; (cd /etc && ls | sort -r | head -n 5)
cat <<END | sed s/here/there/ | tr a-z A-Z
from here
END
x=$(awk 'BEGIN { for (i = 0; i < 10; i++) s += i * i; print s }'); echo $x
sleep 0.01 & wait $!; echo status $?
sh -c 'kill -TERM $$'; echo ended $?
cat /no/such/file; echo status $?
echo kept > /tmp/a; cp /tmp/a /tmp/b; mv /tmp/b /tmp/c; cmp /tmp/a /tmp/c && echo same; ln -s a /tmp/l; readlink /tmp/l
tar cf /tmp/t.tar -C /etc passwd group; tar tf /tmp/t.tar | md5sum
nommu-demo fork map-fixed pie neighbour 2>&1 | grep -v 0x
yes | head -n 2000 | wc -c
`;

describe("four ways into one kernel", () => {
  /** What the session says, and what the clock says at its end. */
  const said = (mode: string): { status: number | null; session: string; uptime: string } => {
    const { status, text } = vmlinux([`ubd0=${copy()}`, "rw", "mem=64m", "loglevel=3", "init=/bin/sh", mode], `${SESSION}echo @; cat /proc/uptime\nhalt -f\n`);
    const [session, uptime] = text.split("\n@\n");
    return { status, session: session!, uptime: uptime ?? "" };
  };
  let eager: ReturnType<typeof said>;
  let trapping: ReturnType<typeof said>;
  beforeAll(() => {
    eager = said("zpoline=1");
  });
  test("zpoline=1", () => {
    expect(eager.session).toContain("\nsame\n");
    expect(eager.status).toBe(0);
  });
  test("zpoline=0: the same console to the byte", () => {
    trapping = said("zpoline=0");
    expect(trapping).toMatchObject({ status: 0, session: eager.session });
  });
  test("zpoline=lazy: the same console to the byte", () => expect(said("zpoline=lazy")).toMatchObject({ status: 0, session: eager.session }));
  // with the kernel in another thread even the clock is that of the trapping machine: the same instructions retire
  test("um=ptrace: the same console to the byte, and the same clock", () => expect(said("um=ptrace")).toEqual(trapping));
});
