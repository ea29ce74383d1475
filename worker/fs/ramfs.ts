// fs/ramfs.ts — files that live in guest memory: ramfs, and tmpfs, which is ramfs where there is no MMU.  cf. fs/ramfs/inode.c, file-nommu.c
//
// A file's bytes are pages of the page pool. ftruncate of an empty file allocates one contiguous block (so that MAP_SHARED can point right at
// it); a file that grows by writing gets chunks of their own, and can't be mapped shared across a seam.
import { EEXIST, EFBIG, EINVAL, ENODATA, ENOMEM, ENOTEMPTY, ERANGE, ETXTBSY, EOPNOTSUPP, ENODEV } from "../include/uapi/errno.ts";
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, RENAME_EXCHANGE, RENAME_WHITEOUT, SEEK_END, XATTR_CREATE, XATTR_REPLACE } from "../include/uapi/fcntl.ts";
import { S_IFCHR, S_IFDIR, S_IFLNK, S_ISDIR, S_ISREG, fs_umode_to_dtype } from "../include/uapi/stat.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Task } from "../kernel/task.ts";
import { FileSystemType, Inode, SuperBlock, Dentry, File, type Iattr, type Owner, type Path, type StatFs } from "./fs.ts";
import { DirFops, GenericFops } from "./generic_file.ts";
import { current_time, file_accessed } from "./inode.ts";
import { posix_acl_chmod, XATTR_NAME_POSIX_ACL_ACCESS, XATTR_NAME_POSIX_ACL_DEFAULT, type AclType, type PosixAcl } from "./posix_acl.ts";
import { memset } from "../lib/bytes.ts";

export const RAMFS_MAGIC = 0x858458f6;
const PAGE_SIZE = 4096;

export class RamfsType extends FileSystemType {
  readonly name: string;
  constructor(name: string) {
    super();
    this.name = name;
  }
  override mount(kernel: Kernel, _task: Task | undefined, _source: string, flags: number, data: string): SuperBlock {
    const sb = new RamfsSuper(kernel, this, ramfs_mode(data));
    sb.s_flags = flags;
    return sb;
  }
}

/** mode=, as the file system's root gets it. ramfs ignores what it does not know (tmpfs' size=).  cf. ramfs_parse_param() */
function ramfs_mode(data: string): number {
  for (const option of data.split(",")) {
    const m = /^mode=([0-7]+)$/.exec(option);
    if (m !== null) return parseInt(m[1]!, 8) & 0o7777;
    if (option.startsWith("mode=")) throw EINVAL;
  }
  return 0o755;
}

export class RamfsSuper extends SuperBlock {
  readonly type: FileSystemType;
  readonly mode: number;
  private next_ino = 1;
  constructor(kernel: Kernel, type: FileSystemType, mode: number) {
    super(kernel);
    this.type = type;
    this.mode = mode;
    this.s_dev = kernel.vfs.get_anon_bdev();
    this.s_magic = RAMFS_MAGIC;
    this.s_posixacl = type.name === "tmpfs" || type.name === "devtmpfs";
    this.s_root = new Dentry("/", undefined, this.new_inode(S_IFDIR | mode, { uid: 0, gid: 0 }), this);
  }
  new_inode(mode: number, owner: Owner): RamfsInode {
    return this.init_inode(new RamfsInode(this, this.new_ino(), mode), owner);
  }
  protected new_ino(): number {
    return this.next_ino++;
  }
  protected init_inode(inode: RamfsInode, owner: Owner): RamfsInode {
    inode.i_uid = owner.uid;
    inode.i_gid = owner.gid;
    inode.i_acl = owner.acl ?? null;
    inode.i_default_acl = owner.default_acl ?? null;
    return inode;
  }
  override statfs(): StatFs {
    return { type: RAMFS_MAGIC, bsize: PAGE_SIZE, blocks: 0, bfree: 0, bavail: 0, files: 0, ffree: 0, namelen: 255, fsid: [this.s_dev, 0], flags: 0 };
  }
  override put_super(): void {
    free_tree(this.s_root.d_inode as RamfsInode);
  }
  override show_options(): string {
    return this.mode === 0o755 ? "" : `,mode=${this.mode.toString(8)}`;
  }
}

function free_tree(dir: RamfsInode): void {
  for (const child of dir.entries.values()) {
    if (S_ISDIR(child.inode.i_mode)) free_tree(child.inode);
    else if (child.inode.i_count === 0) child.inode.free_pages(0);
  }
}

interface Entry {
  inode: RamfsInode;
  /** readdir position */
  cookie: number;
}

export class RamfsInode extends Inode {
  declare readonly i_sb: RamfsSuper;
  /** directories, in the order in which names were made */
  readonly entries = new Map<string, Entry>();
  private next_cookie = 2;
  /** symbolic links: the text */
  target = "";
  /** regular files: address in guest memory by page index; holes are absent */
  readonly pages = new Map<number, number>();
  private xattrs: Map<string, Uint8Array> | undefined;

  constructor(sb: RamfsSuper, ino: number, mode: number) {
    super(sb);
    this.i_ino = ino;
    this.i_mode = mode;
    this.i_nlink = S_ISDIR(mode) ? 2 : 1;
    this.i_atime = this.i_mtime = this.i_ctime = current_time(sb.kernel);
    this.i_btime = this.i_ctime;
  }

  override lookup(name: string): Inode | undefined {
    return this.entries.get(name)?.inode;
  }
  private touch(): void {
    this.i_mtime = this.i_ctime = current_time(this.i_sb.kernel);
  }
  /** Enters `inode` as `name`. */
  add(name: string, inode: RamfsInode): void {
    this.entries.set(name, { inode, cookie: this.next_cookie++ });
    if (inode.is_dir) this.i_nlink++;
    this.touch();
  }
  private remove(name: string, inode: Inode): void {
    this.entries.delete(name);
    if (inode.is_dir) this.i_nlink--;
    this.touch();
  }
  private make(name: string, mode: number, owner: Owner): RamfsInode {
    const inode = this.i_sb.new_inode(mode, owner);
    this.add(name, inode);
    return inode;
  }
  override create(name: string, mode: number, owner: Owner): Inode {
    return this.make(name, mode, owner);
  }
  override mkdir(name: string, mode: number, owner: Owner): Inode {
    return this.make(name, mode, owner);
  }
  override mknod(name: string, mode: number, rdev: number, owner: Owner): Inode {
    const inode = this.make(name, mode, owner);
    inode.i_rdev = rdev;
    return inode;
  }
  override symlink(name: string, target: string, owner: Owner): Inode {
    const inode = this.make(name, S_IFLNK | 0o777, owner);
    inode.target = target;
    inode.i_size = target.length;
    return inode;
  }
  override tmpfile(mode: number, owner: Owner): Inode {
    const inode = this.i_sb.new_inode(mode, owner);
    inode.i_nlink = 0;
    return inode;
  }
  override link(name: string, inode: Inode): void {
    inode.i_nlink++;
    inode.i_ctime = current_time(this.i_sb.kernel);
    this.add(name, inode as RamfsInode);
  }
  override unlink(name: string, inode: Inode): void {
    this.remove(name, inode);
    inode.i_nlink--;
    inode.i_ctime = this.i_ctime;
  }
  override rmdir(name: string, inode: Inode): void {
    if ((inode as RamfsInode).entries.size > 0) throw ENOTEMPTY;
    this.remove(name, inode);
    inode.i_nlink = 0;
    inode.i_ctime = this.i_ctime;
  }
  override rename(name: string, inode: Inode, newdir: Inode, newname: string, victim: Inode | undefined, flags: number): void {
    const to = newdir as RamfsInode;
    if ((flags & RENAME_EXCHANGE) !== 0) {
      this.remove(name, inode);
      to.remove(newname, victim!);
      this.add(name, victim as RamfsInode);
      to.add(newname, inode as RamfsInode);
    } else {
      if (victim !== undefined) {
        if (victim.is_dir) to.rmdir(newname, victim);
        else to.unlink(newname, victim);
      }
      this.remove(name, inode);
      to.add(newname, inode as RamfsInode);
      if ((flags & RENAME_WHITEOUT) !== 0) this.mknod(name, S_IFCHR, 0, { uid: inode.i_uid, gid: inode.i_gid });
    }
    inode.i_ctime = current_time(this.i_sb.kernel);
  }
  override readlink(): string {
    return this.target;
  }
  override iterate(pos: number, emit: (name: string, ino: number, type: number, next: number) => boolean): void {
    for (const [name, { inode, cookie }] of this.entries) {
      if (cookie < pos) continue;
      if (!emit(name, inode.i_ino, fs_umode_to_dtype(inode.i_mode), cookie + 1)) return;
    }
  }
  override open(_task: Task | undefined, path: Path, flags: number): File {
    if (S_ISDIR(this.i_mode)) return new File(path, this, flags, ramfs_dir_operations);
    if (S_ISREG(this.i_mode)) return new File(path, this, flags, ramfs_file_operations);
    throw ENODEV;
  }
  override setattr(attr: Iattr): void {
    if (attr.size !== undefined && attr.size !== this.i_size) this.truncate(attr.size);
    if (attr.mode !== undefined) {
      this.i_mode = attr.mode;
      posix_acl_chmod(this, attr.mode);
    }
    if (attr.uid !== undefined) this.i_uid = attr.uid;
    if (attr.gid !== undefined) this.i_gid = attr.gid;
    if (attr.atime !== undefined) this.i_atime = attr.atime;
    if (attr.mtime !== undefined) this.i_mtime = attr.mtime;
    if (attr.ctime !== undefined) this.i_ctime = attr.ctime;
  }

  // --- pages

  /** Grows from empty: one contiguous block. Shrinks: frees what lies behind. Throws EFBIG, ENOMEM, ETXTBSY.  cf. ramfs_nommu_resize() */
  private truncate(size: number): void {
    if (size < this.i_size) {
      for (const region of this.i_sb.kernel.regions.all) if (region.foreign && region.inode === this) throw ETXTBSY;
      this.free_pages(Math.ceil(size / PAGE_SIZE));
      const tail = size % PAGE_SIZE;
      const page = this.pages.get(Math.floor(size / PAGE_SIZE));
      if (tail !== 0 && page !== undefined) this.i_sb.kernel.mem.u8.fill(0, page + tail, page + PAGE_SIZE);
    } else if (this.i_size === 0 && size > 0) this.expand_for_mapping(size);
    this.i_size = size;
    this.i_version++;
  }
  /** cf. ramfs_nommu_expand_for_mapping() */
  private expand_for_mapping(size: number): void {
    if (size > 0xffffffff) throw EFBIG;
    const count = Math.ceil(size / PAGE_SIZE);
    const { pages } = this.i_sb.kernel;
    const run = pages.alloc_run(count);
    if (run === undefined) throw ENOMEM;
    const { addr } = run;
    if (run.total > count) pages.free_pages_exact(addr + count * PAGE_SIZE, run.total - count);
    memset(this.i_sb.kernel.mem.u8, 0, addr, addr + count * PAGE_SIZE);
    for (let i = 0; i < count; i++) this.pages.set(i, addr + i * PAGE_SIZE);
    this.i_blocks = count * 8;
  }
  /** Frees pages from index `from` on. */
  free_pages(from: number): void {
    for (const i of [...this.pages.keys()]) if (i >= from) this.free_page(i);
  }
  private free_page(i: number): void {
    const page = this.pages.get(i);
    if (page === undefined) return;
    this.i_sb.kernel.pages.free_pages_exact(page, 1);
    this.pages.delete(i);
    this.i_blocks -= 8;
  }
  /** The page with index i, allocated if it is a hole. Throws ENOMEM. */
  private page(i: number): number {
    const have = this.pages.get(i);
    if (have !== undefined) return have;
    const page = this.i_sb.kernel.pages.alloc_pages(0);
    if (page === undefined) throw ENOMEM;
    this.pages.set(i, page);
    memset(this.i_sb.kernel.mem.u8, 0, page, page + PAGE_SIZE);
    this.i_blocks += 8;
    return page;
  }
  read_at(buf: Uint8Array, off: number, len: number, pos: number): number {
    const n = Math.min(len, this.i_size - pos);
    if (n <= 0) return 0;
    const { u8 } = this.i_sb.kernel.mem;
    for (let done = 0; done < n; ) {
      const at = (pos + done) % PAGE_SIZE;
      const chunk = Math.min(PAGE_SIZE - at, n - done);
      const page = this.pages.get(Math.floor((pos + done) / PAGE_SIZE));
      if (page === undefined) buf.fill(0, off + done, off + done + chunk);
      else if (buf === u8) u8.copyWithin(off + done, page + at, page + at + chunk);
      else buf.set(u8.subarray(page + at, page + at + chunk), off + done);
      done += chunk;
    }
    return n;
  }
  write_at(buf: Uint8Array, off: number, len: number, pos: number): number {
    const { u8 } = this.i_sb.kernel.mem;
    let done = 0;
    while (done < len) {
      const at = (pos + done) % PAGE_SIZE;
      const chunk = Math.min(PAGE_SIZE - at, len - done);
      let page: number;
      try {
        page = this.page(Math.floor((pos + done) / PAGE_SIZE));
      } catch (e) {
        if (done > 0) break;
        throw e;
      }
      if (buf === u8) u8.copyWithin(page + at, off + done, off + done + chunk);
      else u8.set(buf.subarray(off + done, off + done + chunk), page + at);
      done += chunk;
    }
    if (pos + done > this.i_size) this.i_size = pos + done;
    this.i_mtime = this.i_ctime = current_time(this.i_sb.kernel);
    this.i_version++;
    return done;
  }
  /** Address of [pgoff, +len) if it is allocated, inside the file and contiguous.  cf. ramfs_nommu_get_unmapped_area() */
  mapping(pgoff: number, len: number): number | undefined {
    const count = Math.ceil(len / PAGE_SIZE);
    if (count === 0 || pgoff + count > Math.ceil(this.i_size / PAGE_SIZE)) return undefined;
    const first = this.pages.get(pgoff);
    if (first === undefined) return undefined;
    for (let i = 1; i < count; i++) if (this.pages.get(pgoff + i) !== first + i * PAGE_SIZE) return undefined;
    return first;
  }
  /** fallocate: pages for the range, or holes. */
  allocate(mode: number, off: number, len: number): void {
    if ((mode & FALLOC_FL_PUNCH_HOLE) !== 0) {
      const end = Math.min(off + len, this.i_size);
      const { u8 } = this.i_sb.kernel.mem;
      for (const [i, page] of [...this.pages]) {
        const from = Math.max(off, i * PAGE_SIZE);
        const to = Math.min(end, (i + 1) * PAGE_SIZE);
        if (to - from === PAGE_SIZE) this.free_page(i);
        else if (to > from) u8.fill(0, page + (from % PAGE_SIZE), page + (from % PAGE_SIZE) + to - from);
      }
      return;
    }
    for (let i = Math.floor(off / PAGE_SIZE); i * PAGE_SIZE < off + len; i++) this.page(i);
    if ((mode & FALLOC_FL_KEEP_SIZE) === 0 && off + len > this.i_size) this.i_size = off + len;
  }
  override evict(): void {
    this.free_pages(0);
  }

  // --- extended attributes: in memory, as tmpfs has them

  /** The list itself is where the VFS remembers it.  cf. simple_set_acl() */
  override set_acl(_type: AclType, _acl: PosixAcl | null, mode: number): void {
    this.i_mode = mode;
    this.i_ctime = current_time(this.i_sb.kernel);
  }
  override getxattr(name: string): Uint8Array {
    const v = this.xattrs?.get(name);
    if (v === undefined) throw ENODATA;
    return v;
  }
  override setxattr(name: string, value: Uint8Array, flags: number): void {
    const has = this.xattrs?.has(name) ?? false;
    if ((flags & XATTR_CREATE) !== 0 && has) throw EEXIST;
    if ((flags & XATTR_REPLACE) !== 0 && !has) throw ENODATA;
    if (value.length > 65536) throw ERANGE;
    (this.xattrs ??= new Map<string, Uint8Array>()).set(name, value.slice());
  }
  override listxattr(): string[] {
    const names = this.xattrs === undefined ? [] : [...this.xattrs.keys()];
    if (this.i_default_acl) names.unshift(XATTR_NAME_POSIX_ACL_DEFAULT);
    if (this.i_acl) names.unshift(XATTR_NAME_POSIX_ACL_ACCESS);
    return names;
  }
  override removexattr(name: string): void {
    if (this.xattrs?.delete(name) !== true) throw ENODATA;
  }
}

/** A directory has no end to seek to.  cf. dcache_dir_lseek() */
export class RamfsDirFops extends DirFops {
  override llseek(file: File, task: Task, off: number, whence: number): number {
    if (whence === SEEK_END) throw EINVAL;
    return super.llseek(file, task, off, whence);
  }
}

export const ramfs_dir_operations = new RamfsDirFops();

export class RamfsFops extends GenericFops {
  override read(file: File, _task: Task, buf: Uint8Array, off: number, len: number, pos: number): number {
    if (len === 0) return 0;
    const n = (file.f_inode as RamfsInode).read_at(buf, off, len, pos);
    file_accessed(file);
    return n;
  }
  override write(file: File, _task: Task, buf: Uint8Array, off: number, len: number, pos: number): number {
    if (len === 0) return 0;
    return (file.f_inode as RamfsInode).write_at(buf, off, len, pos);
  }
  override fsync(): void {}
  override fallocate(file: File, _task: Task, mode: number, off: number, len: number): void {
    if ((mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE)) !== 0) throw EOPNOTSUPP;
    (file.f_inode as RamfsInode).allocate(mode, off, len);
  }
  override get mmap_capabilities(): "direct" {
    return "direct";
  }
  override get_unmapped_area(file: File, pgoff: number, len: number): number | undefined {
    return (file.f_inode as RamfsInode).mapping(pgoff, len);
  }
}
export const ramfs_file_operations = new RamfsFops();
