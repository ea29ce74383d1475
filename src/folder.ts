// src/folder.ts — a folder that was dropped, as a tar archive: a disk can be made of it, or the guest unpacks it.

const BLOCK = 512;
/** A browser does not tell which files may be executed: all may, or /bin/sh could not. */
const MODE = 0o755;

/** A header of ustar. `name` is cut: the whole path stands in a pax record before it. */
function header(name: Uint8Array, type: string, size: number, seconds: number): Uint8Array<ArrayBuffer> {
  const h = new Uint8Array(BLOCK);
  const text = (s: string, at: number): void => void new TextEncoder().encodeInto(s, h.subarray(at));
  const octal = (n: number, at: number, digits: number): void => text(`${n.toString(8).padStart(digits, "0")}\0`, at);
  h.set(name.subarray(0, 100));
  octal(MODE, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(size, 124, 11);
  octal(seconds, 136, 11);
  text(" ".repeat(8), 148);
  text(type, 156);
  text("ustar\x0000", 257);
  octal(h.reduce((a, b) => a + b, 0), 148, 6);
  return h;
}
const padding = (size: number): Uint8Array<ArrayBuffer> => new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK);

/** A pax record: its length counts itself. */
function record(path: string): Uint8Array<ArrayBuffer> {
  const rest = new TextEncoder().encode(` path=${path}\n`).length;
  let length = rest + 1;
  while (length !== rest + String(length).length) length = rest + String(length).length;
  return new TextEncoder().encode(`${length} path=${path}\n`);
}

/** An archive of these files and directories (`undefined`), by path. Their contents are read when the archive is. */
export function tarOf(name: string, members: readonly (readonly [path: string, file: File | undefined])[]): File {
  const parts: BlobPart[] = [];
  const add = (path: string, type: string, body: Blob | Uint8Array<ArrayBuffer>, size: number, seconds: number): void => {
    parts.push(header(new TextEncoder().encode(path), type, size, seconds), body, padding(size));
  };
  for (const [path, file] of members) {
    const seconds = Math.floor((file?.lastModified ?? 0) / 1000);
    const full = file === undefined ? `${path}/` : path;
    if (new TextEncoder().encode(full).length > 100) {
      const pax = record(full);
      add("pax", "x", pax, pax.length, seconds);
    }
    if (file === undefined) add(full, "5", new Uint8Array(0), 0, 0);
    else add(path, "0", file, file.size, seconds);
  }
  parts.push(new Uint8Array(2 * BLOCK));
  return new File(parts, name, { type: "application/x-tar" });
}

const fileOf = (entry: FileSystemFileEntry): Promise<File> => new Promise((resolve, reject) => entry.file(resolve, reject));

async function walk(folder: FileSystemDirectoryEntry, path: string, out: (readonly [string, File | undefined])[]): Promise<void> {
  const reader = folder.createReader();
  for (;;) {
    // some at a time, until there are none
    const entries = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (entries.length === 0) return;
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const at = path === "" ? entry.name : `${path}/${entry.name}`;
      if (entry.isFile) out.push([at, await fileOf(entry as FileSystemFileEntry)]);
      else {
        out.push([at, undefined]);
        await walk(entry as FileSystemDirectoryEntry, at, out);
      }
    }
  }
}

/** What was dropped, as files; must be called while the event is handled. */
export function droppedFiles(data: DataTransfer): Promise<File[]> {
  const entries = [...data.items].filter((i) => i.kind === "file").map((i) => i.webkitGetAsEntry() ?? i.getAsFile());
  return Promise.all(entries.filter((e) => e !== null).map(asFile));
}
async function asFile(entry: File | FileSystemEntry): Promise<File> {
  if (entry instanceof File) return entry;
  if (entry.isFile) return fileOf(entry as FileSystemFileEntry);
  const members: (readonly [string, File | undefined])[] = [];
  await walk(entry as FileSystemDirectoryEntry, "", members);
  if (members.length === 0) throw new Error(`the folder ${entry.name} is empty.`);
  return tarOf(`${entry.name}.tar`, members);
}
