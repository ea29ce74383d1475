// worker/os-browser/disk.ts — a disk in a tab: an immutable image, and what was changed of it in IndexedDB.
//
// The bytes are in memory, so that the guest never waits for a read. A flush writes every cluster that changed since the last one, in one strict
// transaction: after a killed tab the disk is as some flush left it, never in between.
import { type BlockStore, QuotaError } from "../arch/um/os.ts";
import type { ChunkedImage } from "./chunks.ts";
import { answer, change, diskRange } from "./database.ts";

/** bytes of a record; a multiple of every block size that ext4 is made with here */
export const CLUSTER = 16384;

/** What is known of a kept disk. */
export interface DiskRecord {
  /** which image its clusters change: sha256, or size of a visitor's file */
  readonly image: string;
  /** who may write: a tab that opens the disk puts its own word here */
  readonly owner: string;
  /** when it was last opened, ms since the epoch */
  readonly used: number;
}

/** An image in memory, and what brings its missing parts. */
export interface DiskBytes {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly chunks?: ChunkedImage;
}

/** Blocks of 4096 bytes by number. */
export type DiskBlocks = readonly (readonly [block: number, bytes: Uint8Array])[];

/** Changed clusters by number. */
export type Clusters = ReadonlyMap<number, Uint8Array>;

/** Changes to another image than `image` are of no use: throws a sentence if such are kept. */
async function checkImageOf(db: IDBDatabase, name: string, image: string): Promise<void> {
  const t = db.transaction(["disks", "clusters"]);
  const [record, count] = await Promise.all([answer(t.objectStore("disks").get(name)) as Promise<DiskRecord | undefined>, answer(t.objectStore("clusters").count(diskRange(name)))]);
  if (record !== undefined && record.image !== image && count > 0)
    throw new Error(`The changes kept of ${name} belong to an earlier image. Reset the disk to use the new one, or boot a scratch copy.`);
}

/** What is kept of disk `name`, as some flush left it. Throws a sentence for changes to another image. */
export async function keptClusters(db: IDBDatabase, name: string, image: string): Promise<Clusters> {
  await checkImageOf(db, name, image);
  // one transaction: nothing can be stored between its requests
  const clusters = db.transaction("clusters").objectStore("clusters");
  const [keys, values] = await Promise.all([
    answer(clusters.getAllKeys(diskRange(name))) as Promise<[string, number][]>,
    answer(clusters.getAll(diskRange(name))) as Promise<Uint8Array[]>,
  ]);
  return new Map(keys.map(([, n], i) => [n, values[i]!]));
}

/** Every disk of which something is kept, and how many clusters that are. */
export async function keptDisks(db: IDBDatabase): Promise<Map<string, { record: DiskRecord; clusters: number }>> {
  const t = db.transaction(["disks", "clusters"]);
  const disks = t.objectStore("disks");
  const [names, records] = await Promise.all([answer(disks.getAllKeys()) as Promise<string[]>, answer(disks.getAll()) as Promise<DiskRecord[]>]);
  const counts = await Promise.all(names.map((name) => answer(t.objectStore("clusters").count(diskRange(name)))));
  return new Map(names.map((name, i) => [name, { record: records[i]!, clusters: counts[i]! }]));
}

const isQuota = (e: unknown): boolean => e instanceof DOMException && e.name === "QuotaExceededError";

export class BrowserDisk implements BlockStore {
  readonly name: string;
  readonly size: number;
  readonly readonly: boolean;
  /** clusters that differ from the image */
  readonly changed = new Set<number>();
  private readonly bytes: Uint8Array<ArrayBuffer>;
  private readonly db: IDBDatabase | undefined;
  private readonly owner: string;
  /** parts of the image that are still to come */
  private readonly chunks: ChunkedImage | undefined;
  private dirty = new Set<number>();
  private held = false;
  /** told when a flush begins and ends, and in words when one failed */
  onstoring: (on: boolean) => void = () => undefined;
  onnote: (text: string) => void = () => undefined;

  private constructor(name: string, { bytes, chunks }: DiskBytes, db: IDBDatabase | undefined, owner: string) {
    this.name = name;
    this.bytes = bytes;
    this.chunks = chunks;
    this.size = bytes.length;
    this.readonly = false;
    this.db = db;
    this.owner = owner;
  }

  /** A disk whose changes end with the tab. Takes `bytes` over. */
  static scratch(name: string, image: DiskBytes): BrowserDisk {
    return new BrowserDisk(name, image, undefined, "");
  }

  /** The same with clusters that were changed before. */
  static async copy(name: string, image: DiskBytes, clusters: Clusters): Promise<BrowserDisk> {
    const disk = BrowserDisk.scratch(name, image);
    await disk.put(clusters);
    return disk;
  }
  /** The disk with the changes kept so far. Takes the image's bytes over. `owner`: this tab's word, a new one. */
  static async kept(db: IDBDatabase, name: string, image: DiskBytes & { readonly id: string }, owner: string): Promise<BrowserDisk> {
    await checkImageOf(db, name, image.id);
    await change(db, ["disks"], (t) => t.objectStore("disks").put({ image: image.id, owner, used: Date.now() } satisfies DiskRecord, name));
    const disk = new BrowserDisk(name, image, db, owner);
    // only now: nobody else can store anything any more
    await disk.put(await keptClusters(db, name, image.id));
    return disk;
  }
  /**
   * The kept disk as it was when a machine was powered on that is to go on: `overlay` is how it differed from the image then. What was stored since comes again as
   * the machine does again what it did; until release() nothing is stored, so that what is kept is never part old, part new.
   */
  static async resumed(db: IDBDatabase, name: string, image: DiskBytes & { readonly id: string }, owner: string, overlay: DiskBlocks): Promise<BrowserDisk> {
    await checkImageOf(db, name, image.id);
    await change(db, ["disks"], (t) => t.objectStore("disks").put({ image: image.id, owner, used: Date.now() } satisfies DiskRecord, name));
    const disk = new BrowserDisk(name, image, db, owner);
    disk.held = true;
    const stored = (await answer(db.transaction("clusters").objectStore("clusters").getAllKeys(diskRange(name)))) as [string, number][];
    await disk.lay(overlay);
    for (const [, n] of stored) {
      disk.changed.add(n);
      disk.dirty.add(n);
    }
    return disk;
  }
  /** Writes blocks of 4096 bytes. */
  async lay(blocks: DiskBlocks): Promise<void> {
    await this.chunks?.places(blocks.map(([n]) => n * 4096));
    for (const [n, bytes] of blocks) this.write(n * 4096, bytes.subarray(0, Math.min(4096, this.size - n * 4096)));
  }
  /** From now on a flush stores. */
  release(): void {
    this.held = false;
  }
  private async put(clusters: Clusters): Promise<void> {
    // a chunk is wider than a cluster: what is around it comes first
    await this.chunks?.places([...clusters.keys()].map((n) => n * CLUSTER));
    for (const [n, cluster] of clusters) {
      if (n * CLUSTER + cluster.length > this.size) continue;
      this.bytes.set(cluster, n * CLUSTER);
      this.changed.add(n);
    }
  }

  get changedBytes(): number {
    return this.changed.size * CLUSTER;
  }
  /** Copies of the blocks of 4096 bytes in clusters that differ from the image. */
  overlay(): (readonly [block: number, bytes: Uint8Array<ArrayBuffer>])[] {
    const per = CLUSTER / 4096;
    return [...this.changed].flatMap((n) => Array.from({ length: per }, (_, i) => n * per + i).filter((b) => b * 4096 < this.size).map((b) => [b, this.bytes.slice(b * 4096, (b + 1) * 4096)] as const));
  }

  /** All of it is here, before much is read. */
  async complete(): Promise<void> {
    await this.chunks?.complete();
  }
  private check(pos: number, len: number): void {
    if (pos < 0 || pos + len > this.size) throw new Error(`${this.name}: ${len} bytes at ${pos} are beyond its end`);
  }
  read(pos: number, buf: Uint8Array): void {
    this.check(pos, buf.length);
    this.chunks?.need(pos, buf.length);
    buf.set(this.bytes.subarray(pos, pos + buf.length));
  }
  write(pos: number, buf: Uint8Array): void {
    this.check(pos, buf.length);
    if (buf.length === 0) return;
    const last = Math.floor((pos + buf.length - 1) / CLUSTER);
    // whole clusters are stored: what is around the bytes must be there
    const from = Math.floor(pos / CLUSTER) * CLUSTER;
    this.chunks?.need(from, Math.min((last + 1) * CLUSTER, this.size) - from);
    this.bytes.set(buf, pos);
    for (let n = Math.floor(pos / CLUSTER); n <= last; n++) {
      this.dirty.add(n);
      this.changed.add(n);
    }
  }
  flush(): Promise<void> | undefined {
    if (this.db === undefined || this.dirty.size === 0 || this.held) return undefined;
    return this.store(this.db);
  }
  private async store(db: IDBDatabase): Promise<void> {
    const batch = this.dirty;
    this.dirty = new Set();
    let stolen = false;
    this.onstoring(true);
    try {
      await change(db, ["disks", "clusters"], (t) => {
        // the owner is looked at in the same transaction, so that two tabs can never mix their clusters
        const record = t.objectStore("disks").get(this.name) as IDBRequest<DiskRecord | undefined>;
        record.onsuccess = () => {
          if (record.result?.owner === this.owner) return;
          stolen = true;
          t.abort();
        };
        const clusters = t.objectStore("clusters");
        for (const n of batch) clusters.put(this.bytes.slice(n * CLUSTER, (n + 1) * CLUSTER), [this.name, n]);
      });
    } catch (e) {
      for (const n of batch) this.dirty.add(n);
      if (isQuota(e)) {
        this.onnote("The browser has no room left for this disk: what was written last is not kept, and the guest was told so. Download the disk, or forget another one in the panel of disks.");
        throw new QuotaError("no room in the browser's storage");
      }
      this.onnote(
        stolen
          ? "Another tab has taken this disk over (or it was reset there): changes made here are no longer kept."
          : `The browser could not store the disk's changes: ${e instanceof Error ? e.message : String(e)}.`,
      );
      throw e;
    } finally {
      this.onstoring(false);
    }
  }
  close(): void {
    // a flush that the guest did not ask for is not owed to it
  }
}

/** An image with changed clusters laid over it, to be read. */
export class KeptView {
  readonly size: number;
  private readonly image: Uint8Array;
  private readonly clusters: Clusters;
  constructor(image: Uint8Array, clusters: Clusters) {
    this.image = image;
    this.clusters = clusters;
    this.size = image.length;
  }
  read(pos: number, buf: Uint8Array): void {
    for (let at = 0; at < buf.length; ) {
      const n = Math.floor((pos + at) / CLUSTER);
      const from = pos + at - n * CLUSTER;
      const len = Math.min(CLUSTER - from, buf.length - at);
      const cluster = this.clusters.get(n);
      buf.set(cluster === undefined ? this.image.subarray(pos + at, pos + at + len) : cluster.subarray(from, from + len), at);
      at += len;
    }
  }
}

/** Forgets what was changed. A tab that has the disk open can no longer write to it. */
export function resetDisk(db: IDBDatabase, name: string): Promise<void> {
  return change(db, ["disks", "clusters"], (t) => {
    t.objectStore("disks").delete(name);
    t.objectStore("clusters").delete(diskRange(name));
  });
}
