// fs/sysfs/sysfs.ts — what tools read of /sys: devices by class and by number, block devices, a few facts of the kernel.  cf. fs/sysfs/*.c, drivers/base/class.c
//
// Nothing is stored: the tree is made of kernel.devices, kernel.blkdev and vfs.file_systems whenever it is looked at. An inode keeps its path.
import { EACCES } from "../../include/uapi/errno.ts";
import { DT_DIR, DT_LNK, DT_REG, MAJOR, MINOR } from "../../include/uapi/stat.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { NetDevice } from "../../net/core/dev.ts";
import type { Task } from "../../kernel/task.ts";
import { FileSystemType, type Inode, type SuperBlock } from "../fs.ts";
import { PseudoInode, PseudoSuper, TextInode, dir_mode, link_mode } from "../pseudo.ts";

export const SYSFS_MAGIC = 0x62656572;

/** A directory (children), a file (text with newline), or a link (target). */
type Node = { dir: Map<string, Node> } | { text: string; mode: number } | { link: string };

const dir = (): { dir: Map<string, Node> } => ({ dir: new Map<string, Node>() });
const file = (text: string | number, mode = 0o444): Node => ({ text: `${text}\n`, mode });

function put(root: Map<string, Node>, path: string, node: Node): void {
  const parts = path.split("/");
  let at = root;
  for (const part of parts.slice(0, -1)) {
    let next = at.get(part);
    if (next === undefined || !("dir" in next)) at.set(part, (next = dir()));
    at = next.dir;
  }
  at.set(parts.at(-1)!, node);
}
const up = (path: string): string => "../".repeat(path.split("/").length - 1);

function add_device(root: Map<string, Node>, home: string, cls: string, name: string, devt: number, block: boolean, attrs: Iterable<[string, string]>): void {
  const dev = `${MAJOR(devt)}:${MINOR(devt)}`;
  put(root, `${home}/dev`, file(dev));
  put(root, `${home}/uevent`, file(`MAJOR=${MAJOR(devt)}\nMINOR=${MINOR(devt)}\nDEVNAME=${name}${block ? `\nDEVTYPE=${attrsHas(home) ? "partition" : "disk"}` : ""}`, 0o644));
  for (const [key, text] of attrs) put(root, `${home}/${key}`, file(text));
  const leaf = home.split("/").at(-1)!;
  put(root, `class/${cls}/${leaf}`, { link: `../../${home}` });
  put(root, `${home}/subsystem`, { link: `${up(home + "/x")}class/${cls}` });
  put(root, `dev/${block ? "block" : "char"}/${dev}`, { link: `../../${home}` });
}
/** .../block/DISK/PART is a partition */
const attrsHas = (home: string): boolean => /\/block\/[^/]+\/[^/]+$/.test(home);

/** Of every disk: no rotation, no merging, one command at a time. */
const DISK_ATTRS: readonly [string, string][] = [
  ["hidden", "0"], ["capability", "0"], ["ext_range", "256"], ["queue/logical_block_size", "512"], ["queue/physical_block_size", "512"], ["queue/hw_sector_size", "512"], ["queue/rotational", "0"],
  ["queue/minimum_io_size", "512"], ["queue/optimal_io_size", "0"], ["queue/discard_granularity", "512"], ["queue/discard_max_bytes", "4294966784"], ["queue/discard_zeroes_data", "0"],
  ["queue/nr_requests", "64"], ["queue/read_ahead_kb", "128"], ["queue/max_sectors_kb", "1280"], ["queue/max_hw_sectors_kb", "2147483647"], ["queue/scheduler", "none"], ["queue/write_cache", "write back"],
  ["queue/zoned", "none"], ["queue/nr_zones", "0"], ["queue/add_random", "0"], ["queue/iostats", "1"], ["queue/fua", "0"],
];

/** cf. net/core/net-sysfs.c */
function add_net(root: Map<string, Node>, d: NetDevice): void {
  const home = `devices/virtual/net/${d.name}`;
  const up = (d.flags & 1) !== 0;
  const mac = d.hwaddr.map((b) => b.toString(16).padStart(2, "0")).join(":");
  const attrs: readonly (readonly [string, string | number])[] = [
    ["addr_assign_type", 0], ["addr_len", 6], ["address", mac], ["broadcast", mac], ["dev_id", "0x0"], ["dev_port", 0], ["dormant", 0], ["flags", `0x${d.flags.toString(16)}`], ["ifalias", ""],
    ["ifindex", d.index], ["iflink", d.index], ["link_mode", 0], ["mtu", d.mtu], ["netdev_group", 0], ["operstate", up ? "unknown" : "down"], ["proto_down", 0], ["tx_queue_len", d.txqlen], ["type", d.type],
    ["uevent", `INTERFACE=${d.name}\nIFINDEX=${d.index}`],
  ];
  for (const [name, value] of attrs) put(root, `${home}/${name}`, file(value, name === "uevent" ? 0o644 : 0o444));
  if (up) put(root, `${home}/carrier`, file(1));
  for (const [way, s] of [["rx", d.rx], ["tx", d.tx]] as const)
    for (const [what, v] of [["bytes", s.bytes], ["packets", s.packets], ["errors", 0], ["dropped", 0], ["fifo_errors", 0], ["compressed", 0]] as const) put(root, `${home}/statistics/${way}_${what}`, file(v));
  for (const what of ["collisions", "multicast"]) put(root, `${home}/statistics/${what}`, file(0));
  put(root, `${home}/subsystem`, { link: "../../../../class/net" });
  put(root, `class/net/${d.name}`, { link: `../../${home}` });
}

/** The whole tree as it is now. */
function build(kernel: Kernel): Map<string, Node> {
  const root = new Map<string, Node>();
  for (const top of ["block", "bus", "class", "dev/block", "dev/char", "devices/virtual", "firmware", "fs", "kernel", "module", "power"]) put(root, top, dir());
  for (const d of kernel.devices.list) {
    if (d.block) continue;
    add_device(root, `devices/virtual/${d.cls}/${d.name.replaceAll("/", "!")}`, d.cls, d.name, d.devt, false, d.attrs);
  }
  for (const b of kernel.blkdev.devices.values()) {
    const disk = `devices/platform/uml-blkdev.${MINOR(b.bd_dev) >> 4}/block/${b.bd_disk.disk_name}`;
    const home = b.bd_partno === 0 ? disk : `${disk}/${b.name}`;
    const attrs: [string, string][] = [["size", String(Math.floor(b.size / 512))], ["ro", b.bd_read_only ? "1" : "0"]];
    const s = b.stats;
    attrs.push(["stat", `${s.reads} 0 ${s.sectorsRead} 0 ${s.writes} 0 ${s.sectorsWritten} 0 0 0 0 ${s.discards} 0 0 0 ${s.flushes} 0`]);
    if (b.bd_partno > 0) attrs.push(["partition", String(b.bd_partno)], ["start", String(Math.floor(b.start / 512))]);
    else attrs.push(["removable", "0"], ["range", String(b.bd_disk.minors)], ...DISK_ATTRS);
    attrs.push(["alignment_offset", "0"], ["discard_alignment", "0"], ["inflight", "       0        0"]);
    put(root, `${home}/holders`, dir());
    if (b.bd_partno === 0) put(root, `${home}/slaves`, dir());
    if (b.bd_partno === 0) attrs.push(["device/serial", b.bd_disk.serial]);
    add_device(root, home, "block", b.name, b.bd_dev, true, attrs);
    if (b.bd_partno === 0) put(root, `block/${b.name}`, { link: `../${home}` });
  }
  for (const t of kernel.vfs.file_systems) if (t.requires_dev) put(root, `fs/${t.name}`, dir());
  put(root, "class/net", dir());
  for (const d of kernel.net.devices) add_net(root, d);
  for (const [name, value] of [["uevent_seqnum", 0], ["fscaps", 0], ["address_bits", 64], ["cpu_byteorder", "little"]] as const) put(root, `kernel/${name}`, file(value));
  for (const [name, value] of [["kernel_max", "0"], ["offline", ""], ["isolated", ""]] as const) put(root, `devices/system/cpu/${name}`, file(value));
  put(root, "devices/system/cpu/online", file("0"));
  put(root, "devices/system/cpu/possible", file("0"));
  put(root, "devices/system/cpu/present", file("0"));
  put(root, "devices/system/cpu/cpu0/uevent", file("", 0o644));
  for (const [path, text] of kernel.vfs.sysfs_entries) put(root, path, file(text));
  return root;
}

function find(kernel: Kernel, path: string): Node | undefined {
  let node: Node = { dir: build(kernel) };
  for (const part of path === "" ? [] : path.split("/")) {
    if (!("dir" in node)) return undefined;
    const next: Node | undefined = node.dir.get(part);
    if (next === undefined) return undefined;
    node = next;
  }
  return node;
}

export class SysfsType extends FileSystemType {
  readonly name = "sysfs";
  private sb: PseudoSuper | undefined;
  override mount(kernel: Kernel): SuperBlock {
    if (this.sb === undefined) {
      this.sb = new PseudoSuper(kernel, this, SYSFS_MAGIC);
      this.sb.set_root(new SysDir(this.sb, ""));
      this.sb.s_active = 1;
    }
    return this.sb;
  }
}

export class SysDir extends PseudoInode {
  readonly path: string;
  constructor(sb: PseudoSuper, path: string) {
    super(sb, dir_mode(0o755));
    this.path = path;
    this.i_nlink = 2;
  }
  override d_cacheable(): boolean {
    return false;
  }
  override d_revalidate(): boolean {
    return find(this.i_sb.kernel, this.path) !== undefined;
  }
  private children(): Map<string, Node> {
    const node = find(this.i_sb.kernel, this.path);
    return node !== undefined && "dir" in node ? node.dir : new Map<string, Node>();
  }
  protected override find(name: string): Inode | undefined {
    const node = this.children().get(name);
    if (node === undefined) return undefined;
    const path = this.path === "" ? name : `${this.path}/${name}`;
    if ("dir" in node) return new SysDir(this.i_sb, path);
    return "link" in node ? new SysLink(this.i_sb, node.link) : new SysFile(this.i_sb, path, node.mode);
  }
  override iterate(pos: number, emit: (name: string, ino: number, type: number, next: number) => boolean): void {
    const children = [...this.children()];
    for (let i = pos - 2; i < children.length; i++) {
      const [name, node] = children[i]!;
      if (!emit(name, this.i_ino * 4096 + i, "dir" in node ? DT_DIR : "link" in node ? DT_LNK : DT_REG, i + 3)) return;
    }
  }
}
export class SysLink extends PseudoInode {
  readonly target: string;
  constructor(sb: PseudoSuper, target: string) {
    super(sb, link_mode());
    this.target = target;
  }
  override readlink(): string {
    return this.target;
  }
}
export class SysFile extends TextInode {
  readonly path: string;
  constructor(sb: PseudoSuper, path: string, mode: number) {
    super(sb, mode);
    this.path = path;
    this.i_size = 4096;
  }
  override show(): string {
    const node = find(this.i_sb.kernel, this.path);
    return node !== undefined && "text" in node ? node.text : "";
  }
  override store(_writer: Task, _text: string): void {
    throw EACCES;
  }
}
