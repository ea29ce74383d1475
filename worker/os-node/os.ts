// os-node/os.ts — Node as the machine's host.
import { randomBytes } from "node:crypto";
import type { BlockStore, Os } from "../arch/um/os.ts";
import { FileStore } from "./block.ts";
import { CowStore } from "./cow.ts";

export interface NodeOsOptions {
  /** where the consoles' output goes; default: con0 to stdout, the others nowhere */
  readonly write?: (line: number, bytes: Uint8Array) => void;
  /** UML's own lines; default: stdout */
  readonly print?: (text: string) => void;
  /** disks by the name that the command line gives them, instead of files */
  readonly disks?: ReadonlyMap<string, BlockStore>;
  /** no others: a machine of somebody else's making touches no file of this host */
  readonly scratch?: boolean;
}

export class NodeOs implements Os {
  private readonly options: NodeOsOptions;
  constructor(options: NodeOsOptions = {}) {
    this.options = options;
  }
  openBlock(file: string, backing: string | undefined, flags: { readonly: boolean; sync: boolean; shared?: boolean }): BlockStore {
    const given = this.options.disks?.get(file);
    if (given !== undefined && backing === undefined) return given;
    if (this.options.scratch === true) throw new Error(`there is no disk called ${file} here`);
    if (backing !== undefined) return new CowStore(file, backing, (line) => this.hostPrint(line));
    return new FileStore(file, flags);
  }
  consoleWrite(line: number, bytes: Uint8Array): void {
    if (this.options.write !== undefined) this.options.write(line, bytes);
    else if (line === 0) process.stdout.write(Uint8Array.from(bytes));
  }
  startTime(): number {
    return Date.now() / 1000;
  }
  entropy(): Uint8Array {
    return randomBytes(32);
  }
  hostPrint(line: string): void {
    if (this.options.print !== undefined) this.options.print(line);
    else process.stdout.write(`${line}\n`);
  }
}
