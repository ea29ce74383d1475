// fs/namei.test.ts — paths: walks, links, creation, removal, renames, rights, mounts.
import { beforeEach, describe, expect, test } from "vitest";
import { CAP_EMPTY_SET, prepare_creds } from "../kernel/cred.ts";
import { FsKernel } from "../test/fs_kernel.ts";

let k: FsKernel;
beforeEach(() => {
  k = new FsKernel();
});
const O_CREAT = 0o100;
const O_EXCL = 0o200;
const O_DIRECTORY = 0o200000;
const O_NOFOLLOW = 0o400000;

/** An unprivileged process. */
function user(uid: number): ReturnType<FsKernel["process"]> {
  const t = k.process();
  t.cred = Object.assign(prepare_creds(t.cred), { uid, euid: uid, suid: uid, fsuid: uid, gid: uid, egid: uid, sgid: uid, fsgid: uid, cap_effective: CAP_EMPTY_SET, cap_permitted: CAP_EMPTY_SET });
  return t;
}

describe("walks", () => {
  test("a file is found by absolute and relative paths, with dots, from a directory descriptor", () => {
    k.sys("mkdir", "/a", 0o755);
    k.sys("mkdir", "/a/b", 0o755);
    k.write_file("/a/b/f", "hello");
    expect(k.read_file("/a/b/f")).toBe("hello");
    expect(k.read_file("//a/./b/../b//f")).toBe("hello");
    k.sys("chdir", "/a");
    expect(k.read_file("b/f")).toBe("hello");
    expect(k.read_file("../../../a/b/f")).toBe("hello");
    const d = k.sys("open", "/a/b", O_DIRECTORY, 0) as number;
    expect(k.sys("openat", d, "f", 0, 0)).toBe(d + 1);
  });
  test("what is wrong with a path has its errno", () => {
    k.write_file("/f", "x");
    expect(k.sys("open", "/nope", 0, 0)).toBe("ENOENT");
    expect(k.sys("open", "/nope/x", 0, 0)).toBe("ENOENT");
    expect(k.sys("open", "/f/x", 0, 0)).toBe("ENOTDIR");
    expect(k.sys("open", "/f/", 0, 0)).toBe("ENOTDIR");
    expect(k.sys("open", "", 0, 0)).toBe("ENOENT");
    expect(k.sys("open", `/${"x".repeat(256)}`, 0, 0)).toBe("ENAMETOOLONG");
    expect(k.sys("open", `/${"x/".repeat(2100)}`, 0, 0)).toBe("ENAMETOOLONG");
    expect(k.sys("open", "/f", O_DIRECTORY, 0)).toBe("ENOTDIR");
    expect(k.sys("open", 16, 0, 0)).toBe("EFAULT");
    expect(k.sys("openat", 77, "f", 0, 0)).toBe("EBADF");
    expect(k.sys("open", "/", 1, 0)).toBe("EISDIR");
  });
  test("symbolic links are followed, absolute and relative, and counted", () => {
    k.sys("mkdir", "/d", 0o755);
    k.write_file("/d/f", "data");
    k.sys("symlink", "d/f", "/rel");
    k.sys("symlink", "/d", "/abs");
    k.sys("symlink", "loop", "/loop");
    expect(k.read_file("/rel")).toBe("data");
    expect(k.read_file("/abs/f")).toBe("data");
    expect(k.sys("open", "/loop", 0, 0)).toBe("ELOOP");
    expect(k.sys("open", "/rel", O_NOFOLLOW, 0)).toBe("ELOOP");
    expect(k.sys("open", "/abs/", O_NOFOLLOW, 0)).toBeTypeOf("number");
    let target = "d/f";
    for (let i = 0; i < 41; i++) {
      k.sys("symlink", target, `/l${i}`);
      target = `l${i}`;
    }
    expect(k.read_file("/l39")).toBe("data");
    expect(k.read_file("/l40")).toBe("ELOOP");
    const buf = k.buf(16);
    expect(k.sys("readlink", "/rel", buf, 16)).toBe(3);
    expect(k.text(buf, 3)).toBe("d/f");
    expect(k.sys("readlink", "/d", buf, 16)).toBe("EINVAL");
  });
  test("openat2 keeps a walk beneath its start", () => {
    k.sys("mkdir", "/jail", 0o755);
    k.write_file("/secret", "s");
    k.write_file("/jail/f", "f");
    k.sys("symlink", "/secret", "/jail/out");
    k.sys("symlink", "/f", "/jail/in");
    const d = k.sys("open", "/jail", O_DIRECTORY, 0) as number;
    const how = (resolve: number): number => k.bytes(new Uint8Array(new BigUint64Array([0n, 0n, BigInt(resolve)]).buffer));
    expect(k.sys("openat2", d, "f", how(8), 24)).toBeTypeOf("number");
    expect(k.sys("openat2", d, "../secret", how(8), 24)).toBe("EXDEV");
    expect(k.sys("openat2", d, "out", how(8), 24)).toBe("EXDEV");
    expect(k.sys("openat2", d, "in", how(16), 24)).toBeTypeOf("number");
    expect(k.sys("openat2", d, "out", how(16), 24)).toBe("ENOENT");
    expect(k.sys("openat2", d, "in", how(4), 24)).toBe("ELOOP");
  });
});

describe("creation and removal", () => {
  test("O_CREAT makes, O_EXCL refuses what is there", () => {
    expect(k.sys("open", "/f", O_CREAT | O_EXCL | 1, 0o644)).toBe(0);
    expect(k.sys("open", "/f", O_CREAT | O_EXCL | 1, 0o644)).toBe("EEXIST");
    expect(k.sys("open", "/g/", O_CREAT, 0o644)).toBe("EISDIR");
    expect(k.stat("/f")).toMatchObject({ mode: 0o100644, nlink: 1 });
  });
  test("O_CREAT goes through a dangling link and makes its target", () => {
    k.sys("symlink", "target", "/l");
    expect(k.sys("open", "/l", O_CREAT | 1, 0o600)).toBe(0);
    expect(k.stat("/target")).toMatchObject({ mode: 0o100600 });
    k.sys("symlink", "other", "/m");
    expect(k.sys("open", "/m", O_CREAT | O_EXCL | 1, 0o600)).toBe("EEXIST");
  });
  test("directories count their children and go only when empty", () => {
    k.sys("mkdir", "/d", 0o700);
    k.sys("mkdir", "/d/e/", 0o700);
    expect(k.stat("/d")).toMatchObject({ nlink: 3, mode: 0o040700 });
    expect(k.sys("rmdir", "/d")).toBe("ENOTEMPTY");
    expect(k.sys("unlink", "/d")).toBe("EISDIR");
    expect(k.sys("rmdir", "/d/e/.")).toBe("EINVAL");
    expect(k.sys("rmdir", "/d/..")).toBe("ENOTEMPTY");
    expect(k.sys("rmdir", "/")).toBe("EBUSY");
    expect(k.sys("rmdir", "/d/e")).toBe(0);
    expect(k.sys("rmdir", "/d")).toBe(0);
    expect(k.stat("/d")).toBe("ENOENT");
    expect(k.sys("mkdir", "/d", 0o700)).toBe(0);
  });
  test("an unlinked file lives while it is open, then gives its pages back", () => {
    const free = k.kernel.pages.nr_free;
    k.write_file("/f", "x".repeat(10000));
    expect(k.kernel.pages.nr_free).toBe(free - 3);
    const fd = k.sys("open", "/f", 0, 0) as number;
    k.sys("unlink", "/f");
    const buf = k.buf(4);
    expect(k.sys("read", fd, buf, 4)).toBe(4);
    expect(k.kernel.pages.nr_free).toBe(free - 3);
    k.sys("close", fd);
    expect(k.kernel.pages.nr_free).toBe(free);
  });
  test("hard links share an inode; directories can't be linked", () => {
    k.write_file("/f", "one");
    expect(k.sys("link", "/f", "/g")).toBe(0);
    k.write_file("/g", "two");
    expect(k.read_file("/f")).toBe("two");
    expect(k.stat("/f")).toMatchObject({ nlink: 2 });
    k.sys("unlink", "/f");
    expect(k.stat("/g")).toMatchObject({ nlink: 1 });
    k.sys("mkdir", "/d", 0o755);
    expect(k.sys("link", "/d", "/e")).toBe("EPERM");
  });
  test("rename replaces, keeps open files, and refuses circles", () => {
    k.write_file("/a", "a");
    k.write_file("/b", "b");
    expect(k.sys("rename", "/a", "/b")).toBe(0);
    expect(k.read_file("/b")).toBe("a");
    expect(k.stat("/a")).toBe("ENOENT");
    k.sys("mkdir", "/d", 0o755);
    k.sys("mkdir", "/d/e", 0o755);
    expect(k.sys("rename", "/d", "/d/e/f")).toBe("EINVAL");
    expect(k.sys("rename", "/b", "/d")).toBe("EISDIR");
    expect(k.sys("rename", "/d", "/b")).toBe("ENOTDIR");
    expect(k.sys("rename", "/d/e", "/x")).toBe(0);
    expect(k.sys("rename", "/d", "/x")).toBe(0);
    expect(k.sys("renameat2", -100, "/b", -100, "/x", 1)).toBe("EEXIST");
    expect(k.sys("renameat2", -100, "/b", -100, "/x", 2)).toBe(0);
    expect(k.read_file("/x")).toBe("a");
    expect(k.stat("/b")).toMatchObject({ nlink: 2 });
  });
  test("a working directory follows its renames and survives its removal", () => {
    k.sys("mkdir", "/d", 0o755);
    k.sys("chdir", "/d");
    k.sys("rename", "/d", "/moved");
    const buf = k.buf(64);
    expect(k.sys("getcwd", buf, 64)).toBe(7);
    expect(k.text(buf, 6)).toBe("/moved");
    expect(k.sys("getcwd", buf, 6)).toBe("ERANGE");
    k.sys("rmdir", "/moved");
    expect(k.sys("getcwd", buf, 64)).toBe("ENOENT");
    expect(k.sys("mkdir", "x", 0o755)).toBe("ENOENT");
    expect(k.sys("open", "x", O_CREAT, 0o644)).toBe("ENOENT");
    expect(k.sys("chdir", "..")).toBe(0);
  });
  test("getdents lists names once, in order, through small buffers", () => {
    for (let i = 0; i < 100; i++) k.write_file(`/f${i}`, "");
    expect(k.ls("/")).toEqual([".", "..", ...Array.from({ length: 100 }, (_, i) => `f${i}`)]);
    const fd = k.sys("open", "/", 0, 0) as number;
    const buf = k.buf(64);
    expect(k.sys("getdents64", fd, buf, 10)).toBe("EINVAL");
    let n = 0;
    while ((k.sys("getdents64", fd, buf, 64) as number) > 0) n++;
    expect(n).toBeGreaterThan(40);
  });
  test("O_TMPFILE has no name until linkat gives it one", () => {
    const fd = k.sys("open", "/", 0o20200002, 0o600) as number;
    expect(k.sys("write", fd, "tmp", 3)).toBe(3);
    expect(k.ls("/")).toEqual([".", ".."]);
    k.sys("mkdir", "/proc", 0o755);
    expect(k.sys("mount", "proc", "/proc", "proc", 0, 0)).toBe(0);
    expect(k.sys("linkat", -100, `/proc/self/fd/${fd}`, -100, "/named", 0x400)).toBe(0);
    expect(k.read_file("/named")).toBe("tmp");
  });
});

describe("rights", () => {
  test("modes decide for owner, group and others; root passes", () => {
    k.write_file("/f", "secret", 0o640);
    const t = user(1000);
    expect(k.sysAs(t, "open", "/f", 0, 0)).toBe("EACCES");
    k.sys("chown", "/f", 0, 1000);
    expect(k.sysAs(t, "open", "/f", 0, 0)).toBeTypeOf("number");
    expect(k.sysAs(t, "open", "/f", 1, 0)).toBe("EACCES");
    k.sys("mkdir", "/d", 0o700);
    k.write_file("/d/g", "x", 0o777);
    expect(k.sysAs(t, "open", "/d/g", 0, 0)).toBe("EACCES");
    expect(k.sysAs(t, "access", "/f", 4)).toBe(0);
    expect(k.sysAs(t, "access", "/f", 2)).toBe("EACCES");
    expect(k.sys("access", "/f", 1)).toBe("EACCES");
    expect(k.sysAs(t, "mkdir", "/new", 0o755)).toBe("EACCES");
    expect(k.sysAs(t, "chmod", "/f", 0o777)).toBe("EPERM");
    expect(k.sysAs(t, "chown", "/f", 1000, 1000)).toBe("EPERM");
  });
  test("in a sticky directory only owners remove", () => {
    k.sys("mkdir", "/tmp", 0o777);
    k.sys("chmod", "/tmp", 0o1777);
    const a = user(1);
    const b = user(2);
    expect(k.sysAs(a, "open", "/tmp/f", O_CREAT, 0o666)).toBe(0);
    expect(k.sysAs(b, "unlink", "/tmp/f")).toBe("EPERM");
    expect(k.sysAs(a, "unlink", "/tmp/f")).toBe(0);
  });
  test("umask and set-group-id directories shape what is made", () => {
    k.sys("umask", 0o027);
    k.sys("mkdir", "/d", 0o777);
    expect(k.stat("/d")).toMatchObject({ mode: 0o040750 });
    k.sys("chown", "/d", 0, 7);
    k.sys("chmod", "/d", 0o2775);
    k.sys("mkdir", "/d/e", 0o777);
    expect(k.stat("/d/e")).toMatchObject({ mode: 0o042750 });
  });
  test("a write by a user clears set-id bits", () => {
    k.write_file("/f", "x");
    k.sys("chown", "/f", 5, 5);
    k.sys("chmod", "/f", 0o6777);
    const t = user(6);
    const fd = k.sysAs(t, "open", "/f", 1, 0) as number;
    expect(k.sysAs(t, "write", fd, "y", 1)).toBe(1);
    expect(k.stat("/f")).toMatchObject({ mode: 0o100777 });
  });
});

describe("mounts", () => {
  test("a mount hides what is below, and umount shows it again", () => {
    k.sys("mkdir", "/m", 0o755);
    k.write_file("/m/under", "u");
    expect(k.sys("mount", "t", "/m", "tmpfs", 0, 0)).toBe(0);
    expect(k.read_file("/m/under")).toBe("ENOENT");
    k.write_file("/m/over", "o");
    expect(k.sys("rename", "/m/over", "/over")).toBe("EXDEV");
    expect(k.sys("link", "/m/over", "/over")).toBe("EXDEV");
    expect(k.sys("rmdir", "/m")).toBe("EBUSY");
    const fd = k.sys("open", "/m/over", 0, 0) as number;
    expect(k.sys("umount2", "/m", 0)).toBe("EBUSY");
    k.sys("close", fd);
    const free = k.kernel.pages.nr_free;
    expect(k.sys("umount2", "/m", 0)).toBe(0);
    expect(k.kernel.pages.nr_free).toBe(free + 1);
    expect(k.read_file("/m/under")).toBe("u");
    expect(k.sys("mount", "t", "/m", "nosuchfs", 0, 0)).toBe("ENODEV");
    expect(k.sys("umount2", "/m", 0)).toBe("EINVAL");
  });
  test("read-only mounts refuse writers, and remount changes it", () => {
    k.sys("mkdir", "/m", 0o755);
    k.sys("mount", "t", "/m", "tmpfs", 0, "mode=700");
    expect(k.stat("/m")).toMatchObject({ mode: 0o040700 });
    const fd = k.sys("open", "/m/f", 0o102, 0o644) as number;
    expect(k.sys("mount", "t", "/m", 0, 0x21, 0)).toBe("EBUSY");
    k.sys("close", fd);
    expect(k.sys("mount", "t", "/m", 0, 0x21, 0)).toBe(0);
    expect(k.sys("open", "/m/f", 1, 0)).toBe("EROFS");
    expect(k.sys("mkdir", "/m/d", 0o755)).toBe("EROFS");
    expect(k.sys("mount", "t", "/m", 0, 0x20, 0)).toBe(0);
    expect(k.sys("open", "/m/f", 1, 0)).toBeTypeOf("number");
  });
  test("bind mounts show a directory twice; moves and chroot work", () => {
    k.sys("mkdir", "/a", 0o755);
    k.sys("mkdir", "/b", 0o755);
    k.write_file("/a/f", "f");
    expect(k.sys("mount", "/a", "/b", 0, 4096, 0)).toBe(0);
    expect(k.read_file("/b/f")).toBe("f");
    k.sys("mkdir", "/c", 0o755);
    expect(k.sys("mount", "/b", "/c", 0, 8192, 0)).toBe(0);
    expect(k.read_file("/b/f")).toBe("ENOENT");
    expect(k.read_file("/c/f")).toBe("f");
    expect(k.sys("chroot", "/c")).toBe(0);
    expect(k.read_file("/f")).toBe("f");
    expect(k.read_file("/../../f")).toBe("f");
    const buf = k.buf(64);
    expect(k.sys("getcwd", buf, 64)).toBe(15);
    expect(k.text(buf, 14)).toBe("(unreachable)/");
  });
  test("pivot_root swaps the root", () => {
    k.sys("mkdir", "/one", 0o755);
    k.sys("mount", "one", "/one", "tmpfs", 0, 0);
    k.sys("chroot", "/one");
    k.sys("chdir", "/");
    k.sys("mkdir", "/new", 0o755);
    k.sys("mount", "new", "/new", "tmpfs", 0, 0);
    k.sys("mkdir", "/new/old", 0o755);
    k.write_file("/mark", "old root");
    expect(k.sys("pivot_root", "/new", "/new/old")).toBe(0);
    expect(k.read_file("/old/mark")).toBe("old root");
    k.sys("chdir", "/");
    expect(k.sys("umount2", "/old", 2)).toBe(0);
    expect(k.ls("/old")).toEqual([".", ".."]);
  });
});
