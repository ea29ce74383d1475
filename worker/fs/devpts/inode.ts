// fs/devpts/inode.ts — /dev/pts: a node per pseudo terminal, and ptmx.  cf. fs/devpts/inode.c
import { EINVAL, EPERM } from "../../include/uapi/errno.ts";
import { DT_CHR, MKDEV, S_IFCHR } from "../../include/uapi/stat.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { Task } from "../../kernel/task.ts";
import { FileSystemType, type Inode, type SuperBlock } from "../fs.ts";
import { PseudoInode, PseudoSuper, dir_mode } from "../pseudo.ts";

export const DEVPTS_SUPER_MAGIC = 0x1cd1;
const TTYAUX_MAJOR = 5;
const UNIX98_PTY_SLAVE_MAJOR = 136;
const PTMX_MINOR = 2;

export class PtsNode extends PseudoInode {
  constructor(sb: PseudoSuper, ino: number, perm: number, rdev: number) {
    super(sb, S_IFCHR | perm);
    this.i_ino = ino;
    this.i_rdev = rdev;
  }
  /** Its master is closed: the next one of this number has a node of its own. */
  killed = false;
  override d_revalidate(): boolean {
    return !this.killed;
  }
}

export class PtsRoot extends PseudoInode {
  /** ptmx first, then slaves by the order of their opening */
  readonly nodes = new Map<string, PtsNode>();
  constructor(sb: PseudoSuper) {
    super(sb, dir_mode(0o755));
    this.i_ino = 1;
    this.i_nlink = 2;
  }
  override d_cacheable(): boolean {
    return false;
  }
  protected override find(name: string): Inode | undefined {
    return this.nodes.get(name);
  }
  override create(): Inode {
    throw EPERM;
  }
  override iterate(pos: number, emit: (name: string, ino: number, type: number, next: number) => boolean): void {
    const nodes = [...this.nodes];
    for (let i = pos - 2; i < nodes.length; i++) if (!emit(nodes[i]![0], nodes[i]![1].i_ino, DT_CHR, i + 3)) return;
  }
}

export class DevptsType extends FileSystemType {
  readonly name = "devpts";
  private sb: PseudoSuper | undefined;
  /** options of the mount: owner and mode of new slaves; -1: whoever opened the master */
  uid = -1;
  gid = -1;
  mode = 0o600;

  private parse(data: string): void {
    for (const option of data.split(",")) {
      const m = /^(uid|gid|mode|ptmxmode|max|newinstance)(?:=([0-9]+))?$/.exec(option);
      if (option === "") continue;
      if (m === null) throw EINVAL;
      if (m[1] === "uid") this.uid = Number(m[2]);
      else if (m[1] === "gid") this.gid = Number(m[2]);
      else if (m[1] === "mode") this.mode = parseInt(m[2]!, 8) & 0o7777;
      else if (m[1] === "ptmxmode") this.root().nodes.get("ptmx")!.i_mode = S_IFCHR | (parseInt(m[2]!, 8) & 0o7777);
    }
  }
  override mount(kernel: Kernel, _task: Task | undefined, _source: string, _flags: number, data: string): SuperBlock {
    this.init(kernel);
    this.parse(data);
    return this.sb!;
  }
  init(kernel: Kernel): void {
    if (this.sb !== undefined) return;
    const sb = new DevptsSuper(kernel, this);
    this.sb = sb;
    const root = new PtsRoot(sb);
    root.nodes.set("ptmx", new PtsNode(sb, 2, 0o000, MKDEV(TTYAUX_MAJOR, PTMX_MINOR)));
    sb.set_root(root);
    sb.s_active = 1;
  }
  root(): PtsRoot {
    return this.sb!.s_root.d_inode as PtsRoot;
  }
  /** The node of slave `index` appears, owned by who opened the master.  cf. devpts_pty_new() */
  pty_new(task: Task, index: number): void {
    const node = new PtsNode(this.sb!, index + 3, this.mode, MKDEV(UNIX98_PTY_SLAVE_MAJOR, index));
    node.i_uid = this.uid === -1 ? task.cred.fsuid : this.uid;
    node.i_gid = this.gid === -1 ? task.cred.fsgid : this.gid;
    this.root().nodes.set(String(index), node);
  }
  /** cf. devpts_pty_kill() */
  pty_kill(index: number): void {
    const { nodes } = this.root();
    const node = nodes.get(String(index))!;
    node.killed = true;
    node.i_nlink = 0;
    nodes.delete(String(index));
  }
}

export class DevptsSuper extends PseudoSuper {
  constructor(kernel: Kernel, type: DevptsType) {
    super(kernel, type, DEVPTS_SUPER_MAGIC);
  }
  override show_options(): string {
    const t = this.type as DevptsType;
    const ptmx = t.root().nodes.get("ptmx")!.i_mode & 0o7777;
    const octal = (v: number): string => v.toString(8).padStart(3, "0");
    return `${t.uid === -1 ? "" : `,uid=${t.uid}`}${t.gid === -1 ? "" : `,gid=${t.gid}`},mode=${octal(t.mode)},ptmxmode=${octal(ptmx)}`;
  }
}

/** Slave `index` of a pty that `task` just opened: /dev/pts/`index` appears. */
export function devpts_pty_new(kernel: Kernel, index: number, task: Task): void {
  kernel.vfs.devpts.pty_new(task, index);
}
export function devpts_pty_kill(kernel: Kernel, index: number): void {
  kernel.vfs.devpts.pty_kill(index);
}
