// fs/ext4/ext4.test.ts — images of mke2fs read back, large directories, attributes, holes, rename; e2fsck and debugfs are the judges.
import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { GenDisk } from "../../drivers/block/genhd.ts";
import { EINVAL } from "../../include/uapi/errno.ts";
import { e2fsck, inTemp, mke2fs, Mounted, random, RecordingStore, ROOT, tool } from "../../test/ext4.ts";
import { FsKernel } from "../../test/fs_kernel.ts";
import type { Ext4Inode } from "./inode.ts";
import { Ext4FsType } from "./super.ts";

const ALPINE = "../shared/data/alpine-minirootfs-3.20.3-x86_64.tar.gz";
const latin1 = (name: string): string => Buffer.from(name).toString("latin1");

/** Compares a host directory with the image's; the number of entries. */
function compareTree(m: Mounted, host: string, dir: Ext4Inode): number {
  const names = readdirSync(host);
  expect(m.names(dir).filter((n) => n !== "lost+found").sort()).toEqual(names.map(latin1).sort());
  let n = names.length;
  for (const name of names) {
    const path = join(host, name);
    const st = lstatSync(path);
    const inode = dir.lookup(latin1(name)) as Ext4Inode;
    expect(inode.i_mode, path).toBe(st.mode);
    expect(inode.i_nlink, path).toBe(st.nlink);
    expect(inode.i_mtime.sec, path).toBe(Math.floor(st.mtimeMs / 1000));
    if (st.isDirectory()) n += compareTree(m, path, inode);
    else if (st.isSymbolicLink()) expect(inode.readlink(undefined)).toBe(latin1(readlinkSync(path)));
    else if (st.isFile()) {
      expect(inode.i_size, path).toBe(st.size);
      if (Buffer.compare(m.content(inode), readFileSync(path)) !== 0) throw new Error(`${path} differs`);
    }
  }
  return n;
}

describe.each(["1024", "4096"])("blocks of %s bytes", (bs) => {
  test("a tree of mke2fs -d reads back equal", { timeout: 300_000 }, () => {
    inTemp((dir) => {
      const tree = join(dir, "tree");
      mkdirSync(join(tree, "sub", "deep"), { recursive: true });
      const rnd = random(5);
      for (let i = 0; i < 300; i++) writeFileSync(join(tree, "sub", `name-${i}-${"x".repeat(i % 50)}`), Buffer.from({ length: rnd(3000) } as ArrayLike<number>));
      writeFileSync(join(tree, "big"), Buffer.from(Uint8Array.from({ length: 700_000 }, () => rnd(256))));
      execFileSync("truncate", ["-s", "5M", join(tree, "sparse")]);
      execFileSync("sh", ["-c", `printf end >> ${join(tree, "sparse")}`]);
      symlinkSync("short", join(tree, "fast"));
      symlinkSync("l".repeat(200), join(tree, "slow"));
      const m = new Mounted(mke2fs("32M", "-b", bs, "-d", tree), 1);
      expect(compareTree(m, tree, m.root)).toBe(306);
    });
  });

  test.skipIf(!existsSync(ALPINE))("the Alpine tree (../shared/data; skipped without it) reads back equal", { timeout: 300_000 }, () => {
    inTemp((dir) => {
      const tree = join(dir, "tree");
      mkdirSync(tree);
      execFileSync("tar", ["xzf", ALPINE, "-C", tree]);
      const m = new Mounted(mke2fs("32M", "-b", bs, "-d", tree), 1);
      expect(compareTree(m, tree, m.root)).toBeGreaterThan(500);
    });
  });

  test("a directory of many names is indexed, read completely and emptied", { timeout: 300_000 }, () => {
    const count = Number(process.env["HTREE_NAMES"] ?? 5000);
    const m = new Mounted(mke2fs("64M", "-b", bs, "-N", String(count + 100)));
    const dir = m.root.mkdir("d", 0o40755, ROOT) as Ext4Inode;
    const name = (i: number): string => `entry number ${i}`;
    for (let i = 0; i < count; i++) dir.create(name(i), 0o100644, ROOT);
    m.sb.commit();
    expect(e2fsck(m.store.bytes)).toBeUndefined();
    const again = new Mounted(m.store.bytes);
    const d = again.find("d") as Ext4Inode;
    // a few at a time, from cookie to cookie, as getdents64 does
    const seen = new Set<string>();
    for (let pos = 2, more = true; more; ) {
      let n = 0;
      more = false;
      d.iterate(pos, (got, _ino, _type, next) => {
        if (n++ === 100) return !(more = true);
        expect(seen.has(got)).toBe(false);
        seen.add(got);
        pos = next;
        return true;
      });
    }
    expect(seen.size).toBe(count);
    for (let i = 0; i < count; i += 7) expect(d.lookup(name(i))?.i_mode).toBe(0o100644);
    expect(d.lookup("entry number x")).toBeUndefined();
    for (let i = 0; i < count; i++) again.unlink(d, name(i));
    again.root.rmdir("d", d);
    d.evict();
    again.sb.put_super();
    expect(e2fsck(again.store.bytes)).toBeUndefined();
  });

  test("holes, unwritten blocks, punched and zeroed ranges read as zeros, collapsed and inserted ones move what is behind them; e2fsck agrees with the rest", { timeout: 300_000 }, () => {
    const m = new Mounted(mke2fs("16M", "-b", bs));
    const rnd = random(11);
    const inode = m.root.create("f", 0o100644, ROOT) as Ext4Inode;
    const file = m.open(inode);
    let model = new Uint8Array(0);
    const grow = (n: number): void => {
      if (n <= model.length) return;
      const next = new Uint8Array(n);
      next.set(model);
      model = next;
    };
    for (let i = 0; i < 600; i++) {
      const pos = rnd(300_000);
      const len = 1 + rnd(15_000);
      const op = rnd(12);
      const from = pos - (pos % Number(bs));
      const blocks = len - (len % Number(bs));
      if (op === 10 || op === 11) {
        // what is behind a place moves
        if (blocks === 0 || from + (op === 10 ? blocks : 0) >= model.length) continue;
        file.f_op.fallocate(file, m.k.init, op === 10 ? 8 : 32, from, blocks);
        const next = new Uint8Array(model.length + (op === 10 ? -blocks : blocks));
        next.set(model.subarray(0, from));
        if (op === 10) next.set(model.subarray(from + blocks), from);
        else next.set(model.subarray(from), from + blocks);
        model = next;
      } else if (op < 5) {
        const data = Uint8Array.from({ length: len }, () => 1 + rnd(255));
        m.write(inode, pos, data);
        grow(pos + len);
        model.set(data, pos);
      } else if (op === 5) {
        file.f_op.fallocate(file, m.k.init, 3, pos, len);
        model.fill(0, pos, pos + len);
      } else if (op === 6) {
        file.f_op.fallocate(file, m.k.init, 16, pos, len);
        grow(pos + len);
        model.fill(0, pos, pos + len);
      } else if (op === 7) {
        file.f_op.fallocate(file, m.k.init, 0, pos, len);
        grow(pos + len);
      } else if (op === 8) file.f_op.fallocate(file, m.k.init, 1, pos, len);
      else {
        inode.setattr({ size: pos });
        grow(pos);
        model = model.slice(0, pos);
      }
      if (rnd(8) === 0) {
        m.sb.commit();
        inode.mapping.dropClean();
      }
      if (rnd(20) === 0) expect(Buffer.compare(m.content(inode), model), `after step ${i}`).toBe(0);
    }
    m.sb.commit();
    expect(e2fsck(m.store.bytes)).toBeUndefined();
    const again = new Mounted(m.store.bytes);
    expect(Buffer.compare(again.content(again.find("f") as Ext4Inode), model)).toBe(0);
  });

  test("a full disk says ENOSPC, stays clean, and its space comes back", { timeout: 300_000 }, () => {
    const m = new Mounted(mke2fs("4M", "-b", bs, "-O", "^has_journal", "-m", "0"));
    const before = m.sb.statfs().bfree;
    const name = (i: number): string => `f${i}`;
    let n = 0;
    let error: unknown;
    try {
      for (; n < 100000; n++) m.write(m.root.create(name(n), 0o100644, ROOT) as Ext4Inode, 0, new Uint8Array(50_000).fill(7));
    } catch (e) {
      error = e;
    }
    expect(String(error)).toBe("ENOSPC");
    m.sb.commit();
    expect(e2fsck(m.store.bytes)).toBeUndefined();
    for (let i = 0; i <= n; i++) if (m.root.lookup(name(i)) !== undefined) m.unlink(m.root, name(i));
    m.sb.commit();
    expect(before - m.sb.statfs().bfree).toBeLessThan(16);
    m.sb.put_super();
    expect(e2fsck(m.store.bytes)).toBeUndefined();
  });
});

test("attributes in the inode and in a block are kept, and debugfs reads them", { timeout: 300_000 }, () => {
  const m = new Mounted(mke2fs("8M"));
  const inode = m.root.create("f", 0o100644, ROOT) as Ext4Inode;
  inode.setxattr("user.small", Buffer.from("in the inode"), 0);
  inode.setxattr("user.large", new Uint8Array(700).fill(65), 0);
  inode.setxattr("user.gone", Buffer.from("x"), 0);
  inode.removexattr("user.gone");
  m.sb.commit();
  expect(e2fsck(m.store.bytes)).toBeUndefined();
  const again = new Mounted(m.store.bytes).find("f") as Ext4Inode;
  expect(again.listxattr().sort()).toEqual(["user.large", "user.small"]);
  expect(Buffer.from(again.getxattr("user.small")).toString()).toBe("in the inode");
  expect(again.getxattr("user.large")).toHaveLength(700);
  inTemp((dir) => {
    writeFileSync(join(dir, "image"), m.store.bytes);
    expect(tool("debugfs", ["-R", "ea_get /f user.small", join(dir, "image")]).text).toContain("in the inode");
  });
});

test("rename moves, replaces and exchanges, directories too", { timeout: 300_000 }, () => {
  const m = new Mounted(mke2fs("8M"));
  const dir = (at: Ext4Inode, name: string): Ext4Inode => at.mkdir(name, 0o40755, ROOT) as Ext4Inode;
  const a = dir(m.root, "a");
  const b = dir(m.root, "b");
  const sub = dir(a, "sub");
  const f = a.create("f", 0o100644, ROOT) as Ext4Inode;
  const g = b.create("g", 0o100644, ROOT) as Ext4Inode;
  a.rename("sub", sub, b, "moved", undefined, 0);
  expect([a.i_nlink, b.i_nlink]).toEqual([2, 3]);
  a.rename("f", f, b, "g", g, 0);
  expect(g.i_nlink).toBe(0);
  g.evict();
  b.rename("moved", sub, b, "g", f, 2);
  expect((b.lookup("g") as Ext4Inode).i_ino).toBe(sub.i_ino);
  const empty = dir(a, "empty");
  b.rename("g", sub, a, "empty", empty, 0);
  empty.evict();
  expect(m.names(b)).toEqual(["moved"]);
  m.sb.put_super();
  expect(e2fsck(m.store.bytes)).toBeUndefined();
});

test("a journal that was left to be replayed is replayed", { timeout: 300_000 }, () => {
  inTemp((dir) => {
    const file = join(dir, "image");
    writeFileSync(file, mke2fs("16M"));
    const target = tool("debugfs", ["-R", "bmap <2> 0", file]).text.split("\n")[0] as string;
    const { text } = tool("debugfs", ["-R", `bd ${target}`, file]);
    expect(text).not.toBe("");
    // a transaction that makes block 9000 a block of 0x5a, and one that revokes it again for 9001
    writeFileSync(join(dir, "data"), new Uint8Array(1024).fill(0x5a));
    const r = tool("debugfs", ["-w", "-f", "-", file], `jo -c\njw -b 9000 ${join(dir, "data")}\njw -b 9001 ${join(dir, "data")}\njw -r 9001\njc\n`);
    expect(r.text).not.toMatch(/[Ee]rror/);
    const m = new Mounted(new Uint8Array(readFileSync(file)));
    expect(m.store.bytes.subarray(9000 * 1024, 9001 * 1024).every((b) => b === 0x5a)).toBe(true);
    expect(m.store.bytes.subarray(9001 * 1024, 9002 * 1024).every((b) => b === 0)).toBe(true);
    expect(m.k.kernel.printk.records.some((x) => x.text.includes("recovery complete"))).toBe(true);
  });
});

test("an image with a feature that is not known is refused in Linux's words", { timeout: 300_000 }, () => {
  const { kernel } = new FsKernel();
  kernel.blkdev.add_disk(new GenDisk("ubda", 98, 0, 16, new RecordingStore(mke2fs("8M", "-O", "inline_data"))));
  let error: unknown;
  try {
    new Ext4FsType("ext4").mount(kernel, undefined, "/dev/ubda", 0, "");
  } catch (e) {
    error = e;
  }
  expect(error).toBe(EINVAL);
  expect(kernel.printk.records.at(-1)?.text).toBe("EXT4-fs (ubda): Couldn't mount because of unsupported optional features (8000)");
});
