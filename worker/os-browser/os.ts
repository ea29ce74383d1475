// worker/os-browser/os.ts — a browser's worker as the machine's host.
import type { BlockStore, Os } from "../arch/um/os.ts";

export interface BrowserHost {
  /** disks by the name that the command line gives them */
  readonly disks: ReadonlyMap<string, BlockStore>;
  write(line: number, bytes: Uint8Array): void;
  file(path: string, size: number): void;
}

export class BrowserOs implements Os {
  private readonly host: BrowserHost;
  constructor(host: BrowserHost) {
    this.host = host;
  }
  openBlock(file: string, backing: string | undefined): BlockStore {
    if (backing !== undefined) throw new Error("here every disk is copy-on-write already: name it without a COW file");
    const disk = this.host.disks.get(file);
    if (disk === undefined) throw new Error(`there is no disk called ${file}; there is ${[...this.host.disks.keys()].join(", ")}`);
    return disk;
  }
  consoleWrite(line: number, bytes: Uint8Array): void {
    this.host.write(line, bytes);
  }
  startTime(): number {
    return Date.now() / 1000;
  }
  entropy(): Uint8Array {
    return crypto.getRandomValues(new Uint8Array(32));
  }
  hostFile(path: string, size: number): void {
    this.host.file(path, size);
  }
  hostPrint(line: string): void {
    this.host.write(0, Uint8Array.from(`${line}\r\n`, (c) => c.charCodeAt(0) & 0xff));
  }
}
