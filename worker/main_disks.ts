// worker/main_disks.ts — the disks of the machine's worker: opened for a boot, compared with their images, packed for download.
import { diskDiff } from "./machine/disk_diff.ts";
import { tarDisk } from "./machine/tar_disk.ts";
import { type ChunkedImage, MemoryChunks } from "./os-browser/chunks.ts";
import { change, openDatabase } from "./os-browser/database.ts";
import { BrowserDisk, CLUSTER, type DiskBlocks, keptClusters, keptDisks, KeptView, resetDisk } from "./os-browser/disk.ts";
import { type Image, loadImage, pack, type Progress, storedImages } from "./os-browser/image.ts";
import { lockDisk } from "./os-browser/lock.ts";
import { DISK_IN_USE, type DiskChange, type DiskRequest, type DiskRow, type ImageFile, type StoredImage } from "./protocol.ts";

/** How long a piece of work goes on before others get their turn, ms. */
const STEP_MS = 12;
const CANCELLED = "It was cancelled.";

/** Lets messages in: a turn of the event loop without the timers' clamp. */
export class Turn {
  private readonly channel = new MessageChannel();
  /** one for each message on its way: a jump in time may begin while the run loop waits for its turn */
  private readonly waiting: (() => void)[] = [];
  constructor() {
    this.channel.port1.onmessage = () => this.waiting.shift()?.();
  }
  take(): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      this.channel.port2.postMessage(0);
    });
  }
}

/** What the disks tell the page. */
export interface DiskEvents {
  /** `download`: taking the disk along is the way out */
  note(text: string, download?: boolean): void;
  storing(on: boolean): void;
  waiting: Progress;
}

interface Open {
  readonly disk: BrowserDisk;
  readonly chunks: ChunkedImage | undefined;
  readonly request: DiskRequest;
  readonly image: string;
}

export class Disks {
  private readonly database: Promise<IDBDatabase | undefined>;
  private readonly events: DiskEvents;
  private readonly open_ = new Map<string, Open>();
  private readonly turn = new Turn();
  /** opened, and parts are still to come */
  private readonly rest: ChunkedImage[] = [];
  private readonly memory = new MemoryChunks();
  /** counts cancel(): work that began before the last one ends */
  private cancelled = 0;

  constructor(events: DiskEvents) {
    this.events = events;
    this.database = openDatabase().catch(() => undefined);
  }

  /** The disks of this machine by name. */
  get opened(): ReadonlyMap<string, BrowserDisk> {
    return new Map([...this.open_].map(([name, o]) => [name, o.disk]));
  }
  get changedBytes(): number {
    return [...this.open_.values()].reduce((n, o) => n + o.disk.changedBytes, 0);
  }

  /** All steps of `work`, with turns of the event loop in between; cancel() ends it. */
  private async steps<T>(work: Generator<number, T>, progress: (done: number) => void): Promise<T> {
    const { cancelled } = this;
    for (let since = performance.now(); ; ) {
      const step = work.next();
      if (step.done === true) return step.value;
      if (performance.now() - since < STEP_MS) continue;
      progress(step.value);
      await this.turn.take();
      if (this.cancelled !== cancelled) throw new Error(CANCELLED);
      since = performance.now();
    }
  }
  /** `all`: nothing of it may be still to come. */
  private image(db: IDBDatabase | undefined, { name, source }: DiskRequest, progress: Progress, all = true): Promise<Image> {
    return loadImage({ db, memory: this.memory, fromTar: async (tar, done) => (await this.steps(tarDisk(tar), done)).bytes }, name, source, progress, all);
  }

  /** Opens a disk for the machine; `before`: as it was at the power-on of a machine that goes on, by what differed from the image. Rejects with a sentence. */
  async open(request: DiskRequest, before?: DiskBlocks): Promise<BrowserDisk> {
    const { name, source } = request;
    const db = await this.database;
    let { use } = request;
    if (use !== "scratch" && db === undefined) {
      use = "scratch";
      this.events.note("This browser offers no storage here (a private window, perhaps): changes to the disk end with this tab.");
    }
    const load = (): Promise<Image> => this.image(use !== "scratch" || source.kind !== "file" ? db : undefined, request, this.events.waiting, false);
    // on its way while the lock is asked for; a visitor's file would take the place of one of that name, which is only for who has the lock
    const early = source.kind === "published" ? load() : undefined;
    early?.catch(() => undefined);
    if (use === "keep" && !(await lockDisk(name))) {
      const e = new Error(`The disk ${name} is in use in another tab. Two machines on one disk would destroy it: close the other tab, or start on a copy.`);
      e.name = DISK_IN_USE;
      throw e;
    }
    const image = await (early ?? load());
    const { id } = image;
    let disk: BrowserDisk;
    if (before !== undefined && use === "keep" && db !== undefined) disk = await BrowserDisk.resumed(db, name, image, ownerWord(), before);
    else if (before !== undefined) {
      disk = BrowserDisk.scratch(name, image);
      await disk.lay(before);
    } else if (use === "scratch" || db === undefined) disk = BrowserDisk.scratch(name, image);
    else if (use === "copy") disk = await BrowserDisk.copy(name, image, await keptClusters(db, name, id));
    else disk = await BrowserDisk.kept(db, name, image, ownerWord());
    if (use === "keep") {
      disk.onstoring = (on) => this.events.storing(on);
      disk.onnote = (text) => this.events.note(text, true);
    }
    this.open_.set(name, { disk, chunks: image.chunks, request: { ...request, use }, image: id });
    if (image.chunks !== undefined) this.rest.push(image.chunks);
    return disk;
  }
  /** Fetches in the background what the boot did not need. */
  async fetchRest(): Promise<void> {
    for (const chunks of this.rest.splice(0))
      await chunks.rest().catch((e: unknown) => this.events.note(`${e instanceof Error ? e.message : String(e)} The machine goes on: it asks again when the guest reads that part.`));
  }

  /** The image of a disk of this machine. */
  imageOf(name: string): string {
    return this.open_.get(name)?.image ?? "";
  }
  /** undefined: nothing can be stored here */
  get storage(): Promise<IDBDatabase | undefined> {
    return this.database;
  }
  private async needDatabase(): Promise<IDBDatabase> {
    const db = await this.database;
    if (db === undefined) throw new Error("This browser offers no storage here, so there is nothing to change.");
    return db;
  }
  /** What is on a disk now: the machine's, or the kept one over its image. */
  private async content(request: DiskRequest): Promise<{ now: Pick<BrowserDisk, "size" | "read">; image: () => Promise<Uint8Array> }> {
    const db = await this.database;
    const open = this.open_.get(request.name);
    const quiet: Progress = () => undefined;
    await open?.disk.complete();
    if (open !== undefined) return { now: open.disk, image: async () => (await this.image(db, open.request, quiet)).bytes };
    const { bytes, id } = await this.image(db, request, quiet);
    const now = new KeptView(bytes, db === undefined ? new Map() : await keptClusters(db, request.name, id));
    return { now, image: () => Promise.resolve(bytes) };
  }

  async changes(request: DiskRequest, progress: (done: number) => void): Promise<DiskChange[]> {
    const { now, image } = await this.content(request);
    const bytes = await image();
    return this.steps(diskDiff(new KeptView(bytes, new Map()), now), progress);
  }
  async download(request: DiskRequest, progress: (done: number, total: number) => void): Promise<{ name: string; file: ImageFile }> {
    const { cancelled } = this;
    const { now } = await this.content(request);
    let told = 0;
    const file = await pack(now, (done) => {
      if (this.cancelled !== cancelled) throw new Error(CANCELLED);
      if (done - told > now.size / 100) progress((told = done), now.size);
    });
    return { name: `${request.name.replace(/\.gz$/, "")}.gz`, file };
  }
  cancel(): void {
    this.cancelled++;
  }

  async list(): Promise<DiskRow[]> {
    const db = await this.database;
    const kept = db === undefined ? new Map<string, never>() : await keptDisks(db);
    const rows: DiskRow[] = [...kept].map(([name, { record, clusters }]) => ({ name, image: short(record.image), changed: clusters * CLUSTER, used: record.used, use: undefined, wanting: 0 }));
    for (const [name, { disk, chunks, request, image }] of this.open_) {
      const at = rows.findIndex((r) => r.name === name);
      const row: DiskRow = { name, image: short(image), changed: disk.changedBytes, used: rows[at]?.used, use: request.use, wanting: chunks?.wanting ?? 0 };
      if (at < 0) rows.push(row);
      else rows[at] = row;
    }
    return rows;
  }
  async reset(name: string): Promise<void> {
    if (this.open_.has(name)) throw new Error("Stop the machine before its disk is reset.");
    await resetDisk(await this.needDatabase(), name);
  }
  async storedImages(): Promise<StoredImage[]> {
    const db = await this.database;
    return db === undefined ? [] : storedImages(db);
  }
  async forgetImage(name: string): Promise<void> {
    const db = await this.needDatabase();
    await resetDisk(db, name);
    await change(db, ["images"], (t) => t.objectStore("images").delete(`file:${name}`));
  }
}

const ownerWord = (): string => Array.from(crypto.getRandomValues(new Uint32Array(4))).join("-");

/** The first digits of a sum. */
const short = (image: string): string => image.replace(/^crc32c:/, "").slice(0, 12);
