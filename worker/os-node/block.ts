// os-node/block.ts — a file as a disk.  cf. arch/um/drivers/ubd_user.c
import { closeSync, constants, fdatasyncSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import type { BlockStore } from "../arch/um/os.ts";
import { lockFile } from "./lock.ts";

const code = (e: unknown): string => (e as NodeJS.ErrnoException).code ?? "";

export class FileStore implements BlockStore {
  readonly name: string;
  readonly size: number;
  readonly readonly: boolean;
  private readonly fd: number;
  private readonly sync: boolean;
  private readonly unlock: () => void;

  /** Throws a sentence. A file that may not be written becomes a read-only disk, as on UML; one that may is locked, unless it is to be shared. */
  constructor(path: string, flags: { readonly: boolean; sync: boolean; shared?: boolean }) {
    let readonly = flags.readonly;
    let fd: number;
    try {
      fd = openSync(path, readonly ? constants.O_RDONLY : constants.O_RDWR);
    } catch (e) {
      if (code(e) === "ENOENT") throw new Error(`There is no file ${path}.`);
      if (readonly || (code(e) !== "EACCES" && code(e) !== "EROFS")) throw new Error(`${path} cannot be opened: ${code(e)}.`);
      readonly = true;
      fd = openSync(path, constants.O_RDONLY);
    }
    const st = fstatSync(fd);
    if (!st.isFile() && !st.isBlockDevice()) throw new Error(`${path} is not a file.`);
    this.unlock = readonly || flags.shared === true || !st.isFile() ? () => undefined : lockFile(path);
    this.fd = fd;
    this.name = path;
    this.size = st.size;
    this.readonly = readonly;
    this.sync = flags.sync;
  }
  read(pos: number, buf: Uint8Array): void {
    let n = 0;
    while (n < buf.length) {
      const got = readSync(this.fd, buf, n, buf.length - n, pos + n);
      if (got === 0) {
        buf.fill(0, n);
        return;
      }
      n += got;
    }
  }
  write(pos: number, buf: Uint8Array): void {
    for (let n = 0; n < buf.length; ) n += writeSync(this.fd, buf, n, buf.length - n, pos + n);
    if (this.sync) fdatasyncSync(this.fd);
  }
  flush(): undefined {
    this.barrier();
  }
  /** The file never changes its size: its data are all there is. */
  barrier(): void {
    if (!this.readonly) fdatasyncSync(this.fd);
  }
  close(): void {
    closeSync(this.fd);
    this.unlock();
  }
}
