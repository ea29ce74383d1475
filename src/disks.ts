// src/disks.ts — what can be done with disks, and what is known of them: the side of the panel that has no looks.
import { proxy } from "comlink";
import type { DiskChange, DiskRow } from "../worker/protocol.ts";
import { otherDisks, withMore } from "./cmdline.ts";
import { size } from "./format.ts";
import { save, sentence, type Session } from "./session.ts";
import { Store } from "./store.ts";

/** How full the browser's storage is. */
export interface Room {
  readonly used: number;
  readonly quota: number;
  /** the browser has promised not to clear it */
  readonly promised: boolean;
}

export interface DisksState {
  /** kept disks and the machine's; undefined: not asked yet */
  readonly rows: readonly DiskRow[] | undefined;
  /** "unknown": the browser does not say; undefined: not asked yet */
  readonly room: Room | "unknown" | undefined;
  /** what is under way; `total` 0 when it is not known */
  readonly work: { readonly disk: string; readonly what: string; readonly done: number; readonly total: number } | undefined;
  /** the last comparison of each disk */
  readonly changes: ReadonlyMap<string, readonly DiskChange[]>;
  readonly problem: string | undefined;
}

export const disks = new Store<DisksState>({ rows: undefined, room: undefined, work: undefined, changes: new Map(), problem: undefined });

let asked = 0;
/** Asks again what there is. */
export async function refreshDisks(session: Session): Promise<void> {
  const mine = ++asked;
  const storage = navigator.storage as StorageManager | undefined;
  const [rows, room, promised] = await Promise.all([
    session.control.disks().catch(() => undefined),
    storage?.estimate?.().catch(() => undefined),
    storage?.persisted?.().catch(() => false),
  ]);
  // an answer to an earlier question would be older
  if (mine !== asked) return;
  disks.set({ rows, room: room?.quota === undefined ? "unknown" : { used: room.usage ?? 0, quota: room.quota, promised: promised === true } });
}

/** The storage in words. */
export function roomInWords(room: DisksState["room"]): string {
  if (room === undefined) return "…";
  if (room === "unknown") return "This browser does not say how much it can keep.";
  return `${size(room.used)} of about ${size(room.quota)} used. ${room.promised ? "The browser has promised to keep it." : "The browser may clear it when the device runs out of space."}`;
}

/** Asks the browser never to clear what is kept. */
export async function askToKeep(session: Session): Promise<void> {
  const kept = await navigator.storage.persist().catch(() => false);
  if (!kept) disks.set({ problem: "The browser did not agree: it decides by how often this page is used. Download a disk to be sure of it." });
  await refreshDisks(session);
}

/** Does one piece of work with progress; a failure is told in the panel. */
async function work<T>(disk: string, what: string, job: (progress: (done: number, total?: number) => void) => Promise<T>): Promise<T | undefined> {
  if (disks.get().work !== undefined) return undefined;
  disks.set({ work: { disk, what, done: 0, total: 0 }, problem: undefined });
  try {
    return await job(proxy((done: number, total = 0) => disks.get().work !== undefined && disks.set({ work: { disk, what, done, total } })));
  } catch (e) {
    disks.set({ problem: sentence(e) });
    return undefined;
  } finally {
    disks.set({ work: undefined });
  }
}

/** Hands the whole disk to the visitor, packed. */
export async function downloadDisk(session: Session, name: string): Promise<void> {
  const got = await work(name, "packing", (progress) => session.control.download(session.request(name), progress));
  if (got !== undefined) save(got.name, got.file);
}
/** Compares the disk with its image. */
export async function compareDisk(session: Session, name: string): Promise<void> {
  const found = await work(name, "comparing files", (progress) => session.control.changes(session.request(name), progress));
  if (found !== undefined) disks.set({ changes: new Map(disks.get().changes).set(name, found) });
  await refreshDisks(session);
}
export function cancelWork(session: Session): void {
  void session.control.cancel();
}

/** A file as a further disk of the machine. */
export async function addDisk(session: Session, file: File): Promise<void> {
  const { room } = disks.get();
  if (typeof room === "object" && file.size > room.quota - room.used) {
    disks.set({ problem: `${file.name} has ${size(file.size)}, and only ${size(room.quota - room.used)} are free here. Forget another image first.` });
    return;
  }
  attachDisk(session, await session.bring(file, false));
}
export function attachDisk(session: Session, name: string): void {
  const { cmdline, chosen } = session.state.get();
  if (name !== chosen && !otherDisks(cmdline, chosen ?? "").includes(name)) session.setCommandLine(withMore(cmdline, name));
}
export function detachDisk(session: Session, name: string): void {
  const { cmdline } = session.state.get();
  session.setCommandLine(cmdline.split(" ").filter((w) => !/^ubd\w+=/.test(w) || w.slice(w.indexOf("=") + 1) !== name).join(" "));
}

/** Forgets what was changed of a disk. */
export async function resetDisk(session: Session, name: string): Promise<void> {
  await session.resetDisk(name);
  const changes = new Map(disks.get().changes);
  changes.delete(name);
  disks.set({ changes });
  await refreshDisks(session);
}
/** Forgets a visitor's image and what was changed of it. */
export async function forgetImage(session: Session, name: string): Promise<void> {
  try {
    await session.forget(name);
  } catch (e) {
    disks.set({ problem: sentence(e) });
  }
  await refreshDisks(session);
}
