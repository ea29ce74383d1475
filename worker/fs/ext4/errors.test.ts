// fs/ext4/errors.test.ts — what errors= makes of a damaged file system, what the next mount and e2fsck hear of it; mount options; blocks kept for root.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CAP_EMPTY_SET, Cred } from "../../kernel/cred.ts";
import { HALT } from "../../kernel/panic.ts";
import { e2fsck, inTemp, mke2fs, Mounted, ROOT, tool } from "../../test/ext4.ts";
import type { Ext4Inode } from "./inode.ts";

/** What it throws: an errno's name, or nothing. */
function thrown(work: () => unknown): string {
  try {
    work();
  } catch (e) {
    return e === HALT ? "HALT" : String(e);
  }
  return "nothing";
}
const said = (m: Mounted): string[] => m.k.kernel.printk.records.map((r) => r.text);

/** A file system with a directory whose first block is not what it was. */
function damaged(...args: string[]): Uint8Array {
  const m = new Mounted(mke2fs("8M", ...args));
  const dir = m.root.mkdir("d", 0o40755, ROOT) as Ext4Inode;
  dir.create("f", 0o100644, ROOT);
  m.sb.put_super();
  return inTemp((folder) => {
    const file = join(folder, "image");
    writeFileSync(file, m.store.bytes);
    tool("debugfs", ["-w", "-R", "zap_block -f /d -o 40 -l 8 -p 0x55 0", file]);
    return new Uint8Array(readFileSync(file));
  });
}
const dumpe2fs = (image: Uint8Array): string =>
  inTemp((folder) => {
    const file = join(folder, "image");
    writeFileSync(file, image);
    return tool("dumpe2fs", ["-h", file]).text;
  });
const MESSAGE = /^EXT4-fs error \(device ubda\): __ext4_read_dirblock: inode #\d+: block 0: comm \S+: Directory block failed checksum$/;

describe("a directory block whose checksum is wrong", () => {
  test("errors=continue: the call fails, the file system goes on, and the next mount hears of it", { timeout: 60_000 }, () => {
    const m = new Mounted(damaged(), 0, "errors=continue");
    expect(thrown(() => m.find("d")!.lookup("f"))).toBe("EBADMSG");
    expect(said(m).some((t) => MESSAGE.test(t))).toBe(true);
    m.root.create("after", 0o100644, ROOT);
    m.sb.put_super();
    const info = dumpe2fs(m.store.bytes);
    expect(info).toMatch(/Filesystem state: +clean with errors/);
    expect(info).toMatch(/FS Error count: +1/);
    expect(info).toMatch(/First error function: +__ext4_read_dirblock/);
    expect(info).toMatch(/First error inode #: +\d\d/);
    expect(info).toMatch(/First error err: +EFSBADCRC/);
    const again = new Mounted(m.store.bytes);
    expect(said(again)).toContain("EXT4-fs (ubda): warning: mounting fs with errors, running e2fsck is recommended");
    expect(again.find("after")).toBeDefined();
  });
  test("errors=remount-ro: nothing can be written from then on, and what was not committed never is", { timeout: 60_000 }, () => {
    // what the super block says holds without an option
    const m = new Mounted(damaged("-e", "remount-ro"));
    expect(m.sb.show_options()).toBe("");
    m.root.create("lost", 0o100644, ROOT);
    expect(thrown(() => m.find("d")!.lookup("f"))).toBe("EBADMSG");
    expect(said(m).slice(-3)).toEqual([expect.stringMatching(MESSAGE), "Aborting journal on device ubda-8.", "EXT4-fs (ubda): Remounting filesystem read-only"]);
    expect(thrown(() => m.root.create("x", 0o100644, ROOT))).toBe("EROFS");
    expect(thrown(() => m.sb.sync_fs(undefined))).toBe("EROFS");
    expect(m.root.lookup("lost")).toBeDefined();
    expect(thrown(() => m.sb.remount_fs(0, ""))).toBe("EROFS");
    m.sb.put_super();
    expect(dumpe2fs(m.store.bytes)).toMatch(/Filesystem state: .*with errors/);
    const again = new Mounted(m.store.bytes);
    expect(said(again)).toContain("EXT4-fs warning (device ubda): ext4_clear_journal_err: Filesystem error recorded from previous mount: IO failure");
    expect(again.root.lookup("lost")).toBeUndefined();
    again.sb.put_super();
    // e2fsck mends the directory, and then there is nothing to complain of
    const mended = inTemp((folder) => {
      const file = join(folder, "image");
      writeFileSync(file, again.store.bytes);
      expect(tool("e2fsck", ["-fy", file]).status).toBe(1);
      return new Uint8Array(readFileSync(file));
    });
    expect(e2fsck(mended)).toBeUndefined();
  });
  test("errors=panic: the machine stops", { timeout: 60_000 }, () => {
    const m = new Mounted(damaged(), 0, "errors=panic");
    expect(thrown(() => m.find("d")!.lookup("f"))).toBe("HALT");
    expect(m.k.kernel.halted).toBe("panic");
    expect(said(m)).toContain("Kernel panic - not syncing: EXT4-fs (device ubda): panic forced after error");
    expect(dumpe2fs(m.store.bytes)).toMatch(/FS Error count: +1/);
  });
});

test("a disk that fails while a transaction is written: the journal is aborted, and the file system is read-only", { timeout: 60_000 }, () => {
  const m = new Mounted(mke2fs("8M"));
  m.root.create("f", 0o100644, ROOT);
  const { write } = m.store;
  m.store.write = (): void => {
    throw new Error("the disk is gone");
  };
  expect(thrown(() => m.sb.commit())).toBe("EIO");
  expect(said(m).slice(-1)).toEqual(["Aborting journal on device ubda-8."]);
  expect(thrown(() => m.root.create("g", 0o100644, ROOT))).toBe("EROFS");
  expect(said(m).slice(-2)).toEqual([expect.stringContaining("ext4_journal_check_start: comm"), "EXT4-fs (ubda): Remounting filesystem read-only"]);
  m.store.write = write;
  expect(e2fsck(m.store.bytes, true)).toBeUndefined();
});

test("mount options: those of Linux, what /proc/mounts shows of them, and what is refused in which words", { timeout: 60_000 }, () => {
  const image = mke2fs("8M");
  const shows = (data: string): string => new Mounted(image, 0, data).sb.show_options();
  expect(shows("errors=continue,acl,user_xattr,delalloc,barrier=1,nodiscard,commit=5,resuid=0")).toBe("");
  expect(shows("errors=panic,data=ordered,noacl,commit=30,resuid=7,resgid=8,minixdf,bsdgroups")).toBe(",minixdf,grpid,noacl,resuid=7,resgid=8,errors=panic,commit=30,data=ordered");
  const m = new Mounted(image, 0, "usrquota,jqfmt=vfsv0");
  expect(said(m).slice(0, 2)).toEqual(["EXT4-fs: usrquota option not supported", "EXT4-fs: jqfmt option not supported"]);
  for (const [data, words] of [["bogus", "Unknown parameter 'bogus'"], ["errors=maybe", "Bad value for 'errors'"], ["commit=x", "Bad value for 'commit'"], ["data=", "Bad value for 'data'"]] as const) {
    expect(thrown(() => m.sb.remount_fs(0, data))).toBe("EINVAL");
    expect(said(m).slice(-1)).toEqual([`ext4: ${words}`]);
  }
  expect(thrown(() => m.sb.remount_fs(0, "data=journal"))).toBe("EINVAL");
  m.sb.remount_fs(0, "errors=remount-ro");
  expect(m.sb.show_options()).toBe(",errors=remount-ro");
  // a file's group is its directory's, as on BSD
  const bsd = new Mounted(image, 0, "grpid");
  bsd.root.setattr({ gid: 77 });
  expect(bsd.root.create("f", 0o100644, { uid: 1, gid: 2 }).i_gid).toBe(77);
});

test("the last blocks are root's, resuid's and resgid's; statfs tells both numbers", { timeout: 60_000 }, () => {
  const image = mke2fs("8M", "-m", "20", "-b", "1024");
  const RESERVED = 1638;
  const cred = (fsuid: number, groups: number[]): Cred => Object.assign(new Cred(), { fsuid, fsgid: fsuid, groups, cap_effective: CAP_EMPTY_SET });
  /** Writes until there is no room; how many blocks are left then. */
  const fill = (who: Cred, data = ""): number => {
    const m = new Mounted(image, 0, data);
    m.k.init.cred = who;
    m.k.kernel.current = m.k.init;
    const inode = m.root.create("f", 0o100644, ROOT) as Ext4Inode;
    expect(thrown(() => m.write(inode, 0, new Uint8Array(9 << 20)))).toBe("ENOSPC");
    const { bfree, bavail } = m.sb.statfs();
    expect(bavail).toBe(Math.max(0, bfree - RESERVED));
    m.sb.put_super();
    expect(e2fsck(m.store.bytes)).toBeUndefined();
    return bfree;
  };
  expect(fill(cred(1000, []))).toBeGreaterThanOrEqual(RESERVED);
  expect(fill(cred(1000, []))).toBeLessThan(RESERVED + 16);
  for (const [who, data] of [[cred(1000, []), "resuid=1000"], [cred(1000, [50]), "resgid=50"], [new Cred(), ""]] as const) expect(fill(who, data)).toBeLessThan(16);
  expect(fill(cred(1000, [0]))).toBeGreaterThanOrEqual(RESERVED);
});
