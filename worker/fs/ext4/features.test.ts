// fs/ext4/features.test.ts — what e2fsprogs makes and we must know, and what we make and it must: orphans, access lists, large and sparse files, many extents.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { e2fsck, inTemp, mke2fs, Mounted, random, ROOT, tool } from "../../test/ext4.ts";
import { Cred } from "../../kernel/cred.ts";
import { posix_acl_create, posix_acl_from_xattr, set_posix_acl, vfs_get_acl, type AclType } from "../posix_acl.ts";
import type { Ext4Inode } from "./inode.ts";

/** The image after some commands of debugfs. */
function debugfs(image: Uint8Array, commands: readonly string[]): { image: Uint8Array; text: string } {
  return inTemp((dir) => {
    const file = join(dir, "image");
    writeFileSync(file, image);
    const { text } = tool("debugfs", ["-w", "-f", "-", file], `${commands.join("\n")}\n`);
    return { image: new Uint8Array(readFileSync(file)), text };
  });
}

/** The name of the errno that it throws. */
function errno(work: () => unknown): string {
  try {
    work();
  } catch (e) {
    return String(e);
  }
  return "nothing";
}

describe.each([
  ["1 KiB blocks", ["-b", "1024"]],
  ["4 KiB blocks", ["-b", "4096"]],
  ["an orphan file", ["-b", "1024", "-O", "orphan_file"]],
])("%s", (_what, args) => {
  test("a file without a name that was open when the machine died is gone after the next mount, and its blocks are free", { timeout: 60_000 }, () => {
    const m = new Mounted(mke2fs("16M", ...args));
    const free = m.sb.statfs().bfree;
    const inode = m.root.create("open", 0o100644, ROOT) as Ext4Inode;
    m.write(inode, 0, new Uint8Array(300_000).fill(7));
    m.root.unlink("open", inode);
    m.sb.commit();
    const died = m.store.bytes.slice();
    expect(e2fsck(died, true)).toBeUndefined();
    const again = new Mounted(died);
    expect(again.k.kernel.printk.records.map((r) => r.text)).toContain("EXT4-fs (ubda): 1 orphan inode deleted");
    expect(again.sb.statfs().bfree).toBe(free);
    again.sb.put_super();
    expect(e2fsck(again.store.bytes)).toBeUndefined();
  });
});

test("an orphan of debugfs's making is deleted, an unfinished truncate is finished", { timeout: 60_000 }, () => {
  const m = new Mounted(mke2fs("16M", "-b", "1024"));
  const gone = m.root.create("gone", 0o100644, ROOT) as Ext4Inode;
  const cut = m.root.create("cut", 0o100644, ROOT) as Ext4Inode;
  for (const f of [gone, cut]) m.write(f, 0, new Uint8Array(200_000).fill(9));
  m.sb.put_super();
  const { image, text } = debugfs(m.store.bytes, ["unlink /gone", `sif <${gone.i_ino}> links_count 0`, `sif <${gone.i_ino}> dtime ${cut.i_ino}`, "sif /cut size 1000", `ssv last_orphan ${gone.i_ino}`]);
  expect(text).not.toMatch(/[Ee]rror|not found/);
  const again = new Mounted(image);
  const said = again.k.kernel.printk.records.map((r) => r.text);
  expect(said).toContain("EXT4-fs (ubda): 1 orphan inode deleted");
  expect(said).toContain("EXT4-fs (ubda): 1 truncate cleaned up");
  again.sb.put_super();
  expect(e2fsck(again.store.bytes)).toBeUndefined();
});

test("access lists are on disk as Linux has them, set the mode, follow chmod, and vanish when the mode says it all", { timeout: 60_000 }, () => {
  const m = new Mounted(mke2fs("8M"));
  const f = m.root.create("f", 0o100600, ROOT) as Ext4Inode;
  const d = m.root.mkdir("d", 0o40755, ROOT) as Ext4Inode;
  const acl = (...entries: [tag: number, perm: number, id?: number][]): Uint8Array => {
    const v = new DataView(new ArrayBuffer(4 + 8 * entries.length));
    v.setUint32(0, 2, true);
    entries.forEach(([tag, perm, id], i) => {
      v.setUint16(4 + 8 * i, tag, true);
      v.setUint16(6 + 8 * i, perm, true);
      v.setUint32(8 + 8 * i, id ?? 0xffffffff, true);
    });
    return new Uint8Array(v.buffer);
  };
  const set = (i: Ext4Inode, type: AclType, value: Uint8Array): void => set_posix_acl(new Cred(), i, type, posix_acl_from_xattr(value));
  const list = acl([1, 6], [2, 4, 1000], [4, 4], [8, 6, 50], [16, 6], [32, 0]);
  set(f, "access", list);
  set(d, "default", list);
  expect(f.i_mode).toBe(0o100660);
  expect(d.i_mode).toBe(0o40755);
  expect(vfs_get_acl(f, "access")).toEqual(list);
  f.setattr({ mode: 0o640 });
  expect(vfs_get_acl(f, "access")).toEqual(acl([1, 6], [2, 4, 1000], [4, 4], [8, 6, 50], [16, 4], [32, 0]));
  // what a directory hands down is part of making the file
  const inherits = posix_acl_create(d, 0o100666, 0o77);
  const child = d.create("child", inherits.mode, { ...ROOT, acl: inherits.acl! }) as Ext4Inode;
  expect(child.i_mode).toBe(0o100660);
  m.sb.put_super();
  expect(e2fsck(m.store.bytes)).toBeUndefined();
  // debugfs reads what is on disk, which is shorter, and shows it as programs have it
  const { text } = debugfs(m.store.bytes, ["ea_get -x /d system.posix_acl_default"]);
  expect(text.replaceAll(/\s+/g, " ")).toContain(
    "(52) = 02 00 00 00 01 00 06 00 00 00 00 00 02 00 04 00 e8 03 00 00 04 00 04 00 00 00 00 00 08 00 06 00 32 00 00 00 10 00 06 00 00 00 00 00 20 00 00 00 00 00 00 00",
  );
  const again = new Mounted(m.store.bytes);
  expect(vfs_get_acl(again.find("d/child")!, "access")).toEqual(list);
  const g = again.find("f")!;
  expect(g.listxattr()).toEqual(["system.posix_acl_access"]);
  set(g, "access", acl([1, 7], [4, 5], [32, 1]));
  expect(g.i_mode).toBe(0o100751);
  expect(g.listxattr()).toEqual([]);
  again.sb.put_super();
  // noacl: there are none, and the mode decides alone
  const without = new Mounted(again.store.bytes, 0, "noacl");
  expect(without.sb.show_options()).toBe(",noacl");
  expect(without.find("d")!.listxattr()).toEqual([]);
  expect(errno(() => vfs_get_acl(without.find("d")!, "default"))).toBe("EOPNOTSUPP");
  expect(errno(() => set(without.find("d")!, "default", list))).toBe("EOPNOTSUPP");
  without.sb.remount_fs(0, "acl");
  expect(vfs_get_acl(without.find("d")!, "default")).toEqual(list);
});

test("a sparse file of terabytes: its size, its ends and its holes", { timeout: 60_000 }, () => {
  const m = new Mounted(mke2fs("16M", "-b", "4096"));
  const inode = m.root.create("big", 0o100644, ROOT) as Ext4Inode;
  const at = 2 ** 43;
  const data = Buffer.from("at the far end");
  m.write(inode, 0, Buffer.from("begin"));
  m.write(inode, at, data);
  m.sb.put_super();
  expect(e2fsck(m.store.bytes)).toBeUndefined();
  const again = new Mounted(m.store.bytes);
  const f = again.find("big") as Ext4Inode;
  expect(f.i_size).toBe(at + data.length);
  expect(f.i_blocks).toBe(16);
  const buf = new Uint8Array(20);
  f.mapping.read(buf, 0, 14, at);
  expect(Buffer.from(buf.subarray(0, 14)).toString()).toBe("at the far end");
  f.mapping.read(buf, 0, 20, at - 20);
  expect(buf.every((b) => b === 0)).toBe(true);
  expect(debugfs(m.store.bytes, ["stat /big"]).text).toContain(`Size: ${at + data.length}`);
  // one byte beyond what a file can have
  const file = again.open(f);
  expect(errno(() => file.f_op.write(file, again.k.init, buf, 0, 1, f.maxBytes))).toBe("EFBIG");
});

test("files larger than the room for their pages: what is read and written is right, and the room is kept", { timeout: 60_000 }, () => {
  for (const blocksize of [1024, 4096]) {
    const m = new Mounted(mke2fs("16M", "-b", String(blocksize)));
    m.sb.max_pages = 32;
    const size = 2 << 20;
    const rnd = random(blocksize);
    const files = ["a", "b"].map((name) => ({ inode: m.root.create(name, 0o100644, ROOT) as Ext4Inode, model: new Uint8Array(size) }));
    for (const f of files) for (let at = 0; at < size; at += 1 << 19) m.write(f.inode, at, f.model.subarray(at, at + (1 << 19)).map((_, i) => (f.model[at + i] = rnd(256))));
    for (let round = 0; round < 400; round++) {
      const f = files[rnd(2)]!;
      const pos = rnd(size - 1);
      const len = Math.min(size - pos, 1 + rnd(round % 50 === 0 ? size : 9000));
      if (rnd(3) === 0) {
        const data = f.model.subarray(pos, pos + len);
        data.fill(rnd(256));
        m.write(f.inode, pos, data);
      } else {
        const got = new Uint8Array(len);
        f.inode.mapping.read(got, 0, len, pos);
        expect(Buffer.compare(got, f.model.subarray(pos, pos + len)), `round ${round}`).toBe(0);
      }
      // an operation has what it needs for itself, and no more is kept at the start of the next
      m.sb.journal_start(0);
      expect(m.sb.nr_pages).toBeLessThanOrEqual(32);
    }
    for (const f of files) expect(Buffer.compare(m.content(f.inode), f.model)).toBe(0);
    m.sb.put_super();
    expect(e2fsck(m.store.bytes)).toBeUndefined();
  }
});

test("thousands of extents, written in any order, and removed in any order", { timeout: 60_000 }, () => {
  const m = new Mounted(mke2fs("32M", "-b", "1024"));
  const free = m.sb.statfs().bfree;
  const inode = m.root.create("f", 0o100644, ROOT) as Ext4Inode;
  const rnd = random(3);
  const order = Array.from({ length: 3000 }, (_, i) => i * 2);
  for (let i = order.length - 1; i > 0; i--) {
    const j = rnd(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  for (const b of order) m.write(inode, b * 1024, new Uint8Array(1024).fill((b >> 1) & 255 || 1));
  m.sb.commit();
  expect(e2fsck(m.store.bytes)).toBeUndefined();
  expect(debugfs(m.store.bytes, ["dump_extents -n /f"]).text).toMatch(/ 1\/ 2|0\/ 2/);
  const again = new Mounted(m.store.bytes);
  const f = again.find("f") as Ext4Inode;
  const buf = new Uint8Array(1024);
  for (let b = 0; b < 6000; b += 7) {
    if (b * 1024 >= f.i_size) break;
    f.mapping.read(buf, 0, Math.min(1024, f.i_size - b * 1024), b * 1024);
    expect(buf[0]).toBe(b % 2 === 1 ? 0 : (b >> 1) & 255 || 1);
  }
  const file = again.open(f);
  for (const b of order.slice(0, 1500)) file.f_op.fallocate(file, again.k.init, 3, b * 1024, 1024);
  again.sb.commit();
  expect(e2fsck(again.store.bytes)).toBeUndefined();
  again.unlink(again.root, "f");
  again.sb.put_super();
  expect(e2fsck(again.store.bytes)).toBeUndefined();
  expect(new Mounted(again.store.bytes).sb.statfs().bfree).toBe(free);
});
