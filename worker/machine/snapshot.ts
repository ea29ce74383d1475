// machine/snapshot.ts — a machine between two instructions, as data; and a machine from it.
//
// RAM and changed blocks of the disks as trees of pages that snapshots share, the CPU's block, the consoles' state, the kernel's object graph: that is
// all there is. Decoded code is not kept: it is made again. The disks' unchanged bytes are the host's: whoever restores a machine gives it the same images.
import type { SavedDoorLog } from "../cpu/door.ts";
import { errnoByCode } from "../include/uapi/errno.ts";
import { HOST_WAIT } from "../kernel/host_wait.ts";
import { SLEEP } from "../kernel/sched/wait.ts";
import type { UmArch } from "../arch/um/process.ts";
import type { Machine } from "../machine.ts";
import { kernelClasses } from "./classes.ts";
import { Copies, Freezer } from "./freeze.ts";
import { Externals, thaw, type ClassTable, type Frozen } from "./graph.ts";
import { hex64, Hasher, PAGE_SIZE } from "./hash.ts";
import { type PageChange, PagePool, PageTree } from "./pages.ts";
import type { LineState, Opened } from "./tap.ts";
import { fingerprintBytes } from "./fingerprint.ts";

/** Never changed once made. */
export interface Snapshot {
  readonly cmdline: string;
  readonly clock: number;
  /** bytes of RAM */
  readonly size: number;
  readonly retired: number;
  /** monotonic clock, ns */
  readonly ns: number;
  /** events that had entered */
  readonly events: number;
  readonly ram: PageTree;
  readonly cpu: Uint8Array;
  readonly calls: SavedDoorLog;
  readonly lines: readonly LineState[];
  readonly disks: readonly { readonly opened: Opened; readonly size: number; readonly blocks: PageTree }[];
  /** [kernel, zpoline] */
  readonly graph: Frozen;
  /** bytes that no other snapshot has */
  readonly own: number;
}

/** A snapshot that is being taken. */
export interface Taking {
  /** Goes on until `enough` says so; undefined: there is more to do. */
  step(enough: () => boolean): Snapshot | undefined;
}

/** pages that are looked at between two questions whether it is enough for now */
const PART = 256;
const never = (): boolean => false;

export class Snapshots {
  private readonly machine: Machine;
  private readonly hasher: Hasher;
  private readonly classes: ClassTable = kernelClasses();
  private readonly copies = new Copies();
  /** RAM as it was when it was last looked at */
  private ram = new PageTree();
  /** copies of pages by hash: programs are loaded again and again */
  private readonly pool = new PagePool();
  /** Pages below have been written to, perhaps. Those above are as they were, but for what the CPU noted. */
  private top: number;
  /** the one that is being taken in parts */
  private taking: Taking | undefined;

  /** Best made before the machine boots: then all of its memory is known to be zero, and needs not be looked at. */
  constructor(machine: Machine) {
    this.machine = machine;
    this.hasher = new Hasher(machine.cpu.mem);
    this.classes.counted("fs/ext4/page_io.Page", "data", "writes");
    // with um=ptrace the guest's stores are seen by the CPU of another worker
    const known = machine.kernel.time === undefined && machine.remote === undefined;
    this.top = known ? 0 : this.hasher.pages;
    if (known) machine.cpu.interpreter.code.guard(0);
  }

  /** What every machine has of its own, or all machines have in common. */
  private externals(): Externals {
    const { kernel, tap } = this.machine;
    const x = new Externals();
    x.add("mem", kernel.mem);
    x.add("mem.u8", kernel.mem.u8);
    x.add("os", kernel.os);
    x.add("arch", kernel.arch);
    x.add("SLEEP", SLEEP);
    x.add("HOST_WAIT", HOST_WAIT);
    for (const [code, errno] of errnoByCode) x.add(`errno ${code}`, errno);
    tap.stores.forEach((store, i) => x.add(`disk ${i}`, store));
    return x;
  }

  /** RAM is looked at: the table and the tree are right afterwards. */
  private look(): void {
    this.lookAbove();
    this.lookFrom(0, never);
  }
  /** What was written to where nobody should, above all that was ever given out. */
  private lookAbove(): void {
    const { hasher } = this;
    const { touched } = this.machine.cpu.interpreter.code;
    if (this.top < hasher.pages) {
      this.top = Math.max(this.top, this.machine.kernel.pages?.top_pfn ?? 0);
      this.machine.cpu.interpreter.code.guard(this.top);
      for (const page of [...touched].sort((a, b) => a - b)) this.scan(page, page + 1);
    }
  }
  /** Goes on at `page` until `enough` says so: the page to go on at, undefined when all is done. */
  private lookFrom(page: number, enough: () => boolean): number | undefined {
    const last = Math.min(this.hasher.pages, this.top + 1);
    while (page < last) {
      this.scan(page, Math.min(last, page + PART));
      page += PART;
      if (page < last && enough()) return page;
    }
    return undefined;
  }
  private scan(first: number, last: number): void {
    const changed = this.hasher.scan(first, last);
    if (changed.length > 0) this.ram = this.ram.with(Array.from(changed, (page) => this.copy(page)));
  }
  private copy(page: number): PageChange {
    const { hasher } = this;
    const lo = hasher.lo(page), hi = hasher.hi(page);
    if (lo === hasher.zero.lo && hi === hasher.zero.hi) return { page, data: undefined, lo, hi };
    return { page, data: this.pool.get(lo, hi, () => new Uint8Array(hasher.mem.u8.subarray(page * PAGE_SIZE, (page + 1) * PAGE_SIZE))), lo, hi };
  }
  /** Whether a snapshot is right about all of RAM, pages included that nobody can have written to, and about bytes whose writers count. For tests: it looks at each. */
  verify(): boolean {
    this.take();
    return this.hasher.scan(0, this.hasher.pages).length === 0 && this.copies.verify();
  }
  private lookAtDisks(): void {
    for (const store of this.machine.tap.stores) {
      const changes: PageChange[] = [];
      for (const block of store.dirty) {
        const bytes = store.block(block);
        const { lo, hi } = this.hasher.bytes(bytes);
        const data = this.pool.get(lo, hi, () => bytes);
        const before = store.tree.hash(block);
        if (before?.lo !== lo || before.hi !== hi) changes.push({ page: block, data, lo, hi });
      }
      store.dirty.clear();
      store.tree = store.tree.with(changes);
    }
  }
  private standsStill(): void {
    if (this.machine.kernel.host_work !== undefined) throw new Error("the machine waits for its host: it can be looked at when the host is done");
    this.machine.settle();
    if (this.machine.kernel.host_work !== undefined) throw new Error("the machine waits for its host: it can be looked at when the host is done");
  }

  /** Takes a snapshot of a machine that stands still. Throws while it waits for its host. */
  take(): Snapshot {
    return this.begin().step(never)!;
  }
  /** The same in parts, for as long as the machine is left as it is. */
  begin(): Taking {
    this.standsStill();
    const { machine } = this;
    const { kernel, cpu } = machine;
    const { copied } = this.copies, pages = this.pool.copied;
    const moment = { retired: cpu.retired, ns: kernel.time.monotonic(), events: machine.log.length };
    let page: number | undefined = 0;
    let freezer: Freezer | undefined;
    this.lookAbove();
    const taking: Taking = {
      step: (enough) => {
        if (this.taking !== taking) throw new Error("another snapshot was taken or gone to meanwhile: this one must be begun again");
        if (page !== undefined) page = this.lookFrom(page, enough);
        if (page !== undefined) return undefined;
        if (freezer === undefined) {
          this.lookAtDisks();
          freezer = new Freezer([kernel, machine.arch.zpoline], this.classes, this.externals(), this.copies);
        }
        const graph = freezer.step(enough);
        if (graph === undefined) return undefined;
        this.taking = undefined;
        return {
          cmdline: machine.cmdline,
          clock: machine.clock,
          size: cpu.mem.size,
          ...moment,
          ram: this.ram,
          cpu: cpu.state.save(),
          calls: cpu.log.save(),
          lines: machine.tap.lines.map((l) => l.save()),
          disks: machine.tap.stores.map((s) => ({ opened: s.opened, size: s.size, blocks: s.tree })),
          graph,
          own: this.pool.copied - pages + (this.copies.copied - copied) + graph.nodes.byteLength + graph.tags.byteLength + graph.values.byteLength,
        };
      },
    };
    this.taking = taking;
    return taking;
  }

  /**
   * Makes the machine what it was. It may be running, or not even booted (then its disks are opened); machine.log is the caller's business.
   * Throws a sentence if the snapshot is of another machine.
   */
  restore(s: Snapshot): void {
    const { machine, hasher } = this;
    const { kernel, cpu, tap } = machine;
    this.taking = undefined;
    if (kernel.host_work !== undefined) throw new Error("the machine waits for its host: it cannot be changed now");
    if (s.size !== cpu.mem.size) throw new Error(`the snapshot is of a machine with ${s.size >> 20} MiB, this one has ${cpu.mem.size >> 20}`);
    if (s.cmdline !== machine.cmdline) throw new Error(`the snapshot is of a machine that was booted with "${s.cmdline}", this one has "${machine.cmdline}"`);
    // a machine that has not booted has not opened them
    if (tap.stores.length === 0) for (const { opened } of s.disks) tap.openBlock(opened.file, opened.backing, opened.flags);
    s.disks.forEach((d, i) => {
      const have = tap.stores[i];
      if (have === undefined || have.size !== d.size) throw new Error(`the snapshot is of a machine with a disk ${d.opened.file} of ${d.size} bytes, which this one does not have`);
    });
    // RAM: what differs, so that decoded code of all else stays
    this.look();
    let top = this.top;
    const { u8 } = cpu.mem;
    for (const page of this.ram.differing(s.ram)) {
      const data = s.ram.get(page);
      const hash = s.ram.hash(page) ?? hasher.zero;
      if (hash.lo === hasher.lo(page) && hash.hi === hasher.hi(page)) continue;
      const at = page * PAGE_SIZE;
      if (data === undefined) u8.fill(0, at, at + PAGE_SIZE);
      else u8.set(data, at);
      hasher.note(page, hash);
      cpu.code_written(at, PAGE_SIZE);
      top = Math.max(top, page + 1);
    }
    this.top = top;
    this.ram = s.ram;
    this.lookAtDisks();
    s.disks.forEach(({ blocks }, i) => {
      const store = tap.stores[i]!;
      for (const block of store.tree.differing(blocks)) store.restore(block, blocks.get(block));
      store.tree = blocks;
    });
    s.lines.forEach((l, i) => tap.lines[i]!.load(l));
    cpu.state.load(s.cpu);
    cpu.retired = s.retired;
    cpu.log.load(s.calls, s.retired);
    const [, zpoline] = thaw(s.graph, this.classes, this.externals(), new Map([[1, kernel]]), this.copies) as [unknown, UmArch["zpoline"]];
    machine.arch.zpoline = zpoline;
  }

  /** A tree of pages or blocks from elsewhere: their hashes are worked out here. */
  tree(pages: Iterable<readonly [page: number, bytes: Uint8Array]>): PageTree {
    const changes: PageChange[] = [];
    for (const [page, bytes] of pages) {
      const { lo, hi } = this.hasher.bytes(bytes);
      changes.push({ page, data: this.pool.get(lo, hi, () => bytes), lo, hi });
    }
    return new PageTree().with(changes);
  }

  /** 16 hexadecimal digits that stand for all of the machine: see fingerprint.ts. */
  fingerprint(): string {
    this.standsStill();
    this.look();
    this.lookAtDisks();
    return hex64(this.hasher.bytes(fingerprintBytes(this.machine, this.hasher)));
  }
}
