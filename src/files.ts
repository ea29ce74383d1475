// src/files.ts — files between this computer and the guest, by the directory that both see (hostfs; docs/files.md).
import type { SharedFiles } from "../worker/protocol/inspect.ts";
import { describe } from "./brought.ts";
import { droppedFiles } from "./folder.ts";
import { isBundle } from "./link/guest.ts";
import { openBundle } from "./link/open.ts";
import { save, sentence, type Session } from "./session.ts";
import { Store } from "./store.ts";
import { openPanel, openSheet } from "./ui.ts";

/** what mounts it where nothing has */
export const MOUNT = "mkdir -p /mnt/host && mount -t hostfs none /mnt/host";

export interface FilesState {
  readonly shared: SharedFiles | undefined;
  /** what was handed over, or left by the guest, in words; newest last */
  readonly news: readonly { readonly text: string; /** a path to download */ readonly take?: string; /** where it is seen has to be mounted first */ readonly mount?: boolean }[];
  /** could be booted from, or go into the guest: a person has to say which */
  readonly asked: File | undefined;
}
export const files = new Store<FilesState>({ shared: undefined, news: [], asked: undefined });

export async function refreshFiles(session: Session): Promise<void> {
  files.set({ shared: session.isOn ? await session.ask("sharedFiles").catch(() => undefined) : undefined });
}

const news = (n: FilesState["news"][number]): void => files.set({ news: [...files.get().news.filter((o) => o.take !== n.take), n].slice(-4) });
export const dismissNews = (n: FilesState["news"][number]): void => files.set({ news: files.get().news.filter((o) => o !== n) });

/** Hands files to the guest. */
export async function putFiles(session: Session, list: readonly File[]): Promise<void> {
  const done: string[] = [];
  for (const file of list) {
    try {
      await session.ask("takes", file.name, file.size);
      await session.ask("giveFile", file.name, new Uint8Array(await file.arrayBuffer()));
      done.push(file.name);
    } catch (e) {
      session.complain(sentence(e));
    }
  }
  await refreshFiles(session);
  if (done.length === 0) return;
  const where = files.get().shared?.where;
  const names = done.length === 1 ? done[0]! : `${done.length} files`;
  news(where === undefined ? { text: `${names} can be read by the guest once it has mounted the shared directory: ${MOUNT}`, mount: true } : { text: `The guest has ${names} in ${where} now.` });
}

/** Lets a person choose files for the guest. */
export function pickFiles(session: Session): void {
  const input = document.createElement("input");
  input.type = "file";
  input.multiple = true;
  input.onchange = () => void putFiles(session, [...(input.files ?? [])]);
  input.click();
}

/** Hands a file of the shared directory to the person. */
export async function takeFile(session: Session, path: string): Promise<void> {
  try {
    save(path.split("/").at(-1)!, new Blob([await session.ask("takeFile", path)]));
  } catch (e) {
    session.complain(sentence(e));
  }
}

/** A file that a machine may boot from: told by its first bytes. */
async function isDisk(file: File): Promise<boolean> {
  if ((await describe(file).catch(() => undefined))?.about.cmdline !== "") return true;
  const magic = new Uint8Array(await file.slice(1024 + 0x38, 1024 + 0x3a).arrayBuffer());
  return (magic[0] === 0x53 && magic[1] === 0xef) || /\.(ext4|img)(\.gz)?$/.test(file.name);
}

/** Files and folders were dropped on the page. A folder becomes an archive of what is in it. */
export async function dropped(session: Session, data: DataTransfer): Promise<void> {
  try {
    const list = await droppedFiles(data);
    await take(session, list);
  } catch (e) {
    session.complain(`What was dropped cannot be read: ${sentence(e)}`);
  }
}
async function take(session: Session, list: readonly File[]): Promise<void> {
  const [file] = list;
  if (file === undefined) return;
  if (list.length === 1 && isBundle(file.name)) return openBundle(session, file);
  const disk = list.length === 1 && (await isDisk(file));
  if (!session.isOn) {
    if (!disk) return session.complain("The machine is off. Start it, then drop files to hand them to the guest; to boot from a file it has to be an ext4 image or a tar archive.");
    await session.bring(file);
    return openPanel("machine");
  }
  if (!disk) return putFiles(session, list);
  files.set({ asked: file });
  openSheet("file");
}

/** Hears what the guest leaves in the directory. */
export function watchFiles(session: Session): () => void {
  return session.listen((e) => {
    if (e.type !== "file") return;
    news({ text: `The guest has left ${e.path} for you (${e.size === 1 ? "1 byte" : e.size < 1000 ? `${e.size} bytes` : `${(e.size / 1000).toFixed(1)} kB`}).`, take: e.path });
    void refreshFiles(session);
  });
}
