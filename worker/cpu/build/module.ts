// worker/cpu/build/module.ts — a WebAssembly binary writer: bytes, LEB128, sections; nothing that knows x86.

import type { Ty } from "./ops.ts";

export type WasmType = Ty | "v128";
const TYPE_BYTE: Record<WasmType, number> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };

/** A growing array of bytes. */
export class Bytes {
  buf: Uint8Array<ArrayBuffer>;
  len = 0;
  /** Up to 64 bytes lie in the engine's own heap, and cost next to nothing to make. */
  constructor(capacity = 64) {
    this.buf = new Uint8Array(capacity);
  }
  private grow(need: number): void {
    let capacity = this.buf.length * 2;
    while (capacity < need) capacity *= 2;
    const bigger = new Uint8Array(capacity);
    bigger.set(this.buf.subarray(0, this.len));
    this.buf = bigger;
  }
  byte(b: number): void {
    if (this.len === this.buf.length) this.grow(this.len + 1);
    this.buf[this.len++] = b;
  }
  /** unsigned LEB128 of n < 2^32 */
  u32(n: number): void {
    if (this.len + 5 > this.buf.length) this.grow(this.len + 5);
    n >>>= 0;
    while (n > 127) {
      this.buf[this.len++] = (n & 127) | 128;
      n >>>= 7;
    }
    this.buf[this.len++] = n;
  }
  /** signed LEB128 of an i32 */
  s32(n: number): void {
    if (this.len + 5 > this.buf.length) this.grow(this.len + 5);
    n |= 0;
    while (n < -64 || n > 63) {
      this.buf[this.len++] = (n & 127) | 128;
      n >>= 7;
    }
    this.buf[this.len++] = n & 127;
  }
  /** signed LEB128 of an i64 given by halves */
  s64(lo: number, hi: number): void {
    if (this.len + 10 > this.buf.length) this.grow(this.len + 10);
    lo |= 0;
    hi |= 0;
    for (;;) {
      const seven = lo & 127;
      lo = (lo >>> 7) | (hi << 25);
      hi >>= 7;
      if ((lo === 0 && hi === 0 && seven < 64) || (lo === -1 && hi === -1 && seven >= 64)) {
        this.buf[this.len++] = seven;
        return;
      }
      this.buf[this.len++] = seven | 128;
    }
  }
  // What there is most of in code, each by one call: as long as an engine has not compiled these, calls are what takes the time.
  /** An opcode with a number: unsigned LEB128. */
  op(opcode: number, n: number): void {
    if (this.len + 6 > this.buf.length) this.grow(this.len + 6);
    this.buf[this.len++] = opcode;
    if (n < 128) this.buf[this.len++] = n;
    else this.u32(n);
  }
  /** A load or a store, whatever the alignment. */
  access(opcode: number, offset: number): void {
    if (this.len + 7 > this.buf.length) this.grow(this.len + 7);
    const { buf } = this;
    buf[this.len++] = opcode;
    buf[this.len++] = 0;
    this.u32(offset);
  }
  i32const(n: number): void {
    if (this.len + 6 > this.buf.length) this.grow(this.len + 6);
    this.buf[this.len++] = 0x41;
    if (n >= -64 && n < 64) this.buf[this.len++] = n & 127;
    else this.s32(n);
  }
  /** of a whole number, as far as numbers are exact */
  i64const(n: number): void {
    if (this.len + 11 > this.buf.length) this.grow(this.len + 11);
    this.buf[this.len++] = 0x42;
    if (n === (n | 0)) this.s32(n);
    else this.s64(n % 0x1_0000_0000 | 0, Math.floor(n / 0x1_0000_0000) | 0);
  }
  bytes(b: Uint8Array, length = b.length): void {
    if (this.len + length > this.buf.length) this.grow(this.len + length);
    this.buf.set(length === b.length ? b : b.subarray(0, length), this.len);
    this.len += length;
  }
  /** Appends [from, to) of others. */
  append(b: Bytes, from = 0, to = b.len): void {
    const length = to - from, at = this.len, { buf } = b;
    if (at + length > this.buf.length) this.grow(at + length);
    // of a few bytes an engine's copy is the slower one
    if (length > 100) this.buf.set(buf.subarray(from, to), at);
    else for (let i = 0; i < length; i++) this.buf[at + i] = buf[from + i]!;
    this.len += length;
  }
  name(s: string): void {
    this.u32(s.length);
    for (let i = 0; i < s.length; i++) this.byte(s.charCodeAt(i));
  }
  done(): Uint8Array<ArrayBuffer> {
    return this.buf.slice(0, this.len);
  }
}

/** Puts a module together. Imports come first, then functions in the order of addFunction. After reset() it is for another module, with the same buffers. */
export class ModuleWriter {
  private readonly types = new Bytes();
  private readonly typeIndex = new Map<string, number>();
  private readonly importBytes = new Bytes();
  private importCount = 0;
  private importedFunctions = 0;
  private readonly functions = new Bytes();
  private functionCount = 0;
  private readonly code: Bytes;
  private readonly exports = new Bytes();
  private exportCount = 0;
  private readonly tables = new Bytes();
  private readonly elements = new Bytes();
  private elementCount = 0;
  private readonly hints = new Bytes();
  private hintedFunctions = 0;
  private readonly importIndex = new Map<string, number>();
  /** what a function or a section begins with */
  private readonly head = new Bytes();
  private readonly runs = new Bytes();
  private readonly whole: Bytes;

  /** @param capacity bytes of code that there will be, as far as is known */
  constructor(capacity = 4096) {
    this.code = new Bytes(capacity);
    this.whole = new Bytes(capacity);
  }
  reset(): void {
    for (const b of [this.types, this.importBytes, this.functions, this.code, this.exports, this.tables, this.elements, this.hints]) b.len = 0;
    this.typeIndex.clear();
    this.importIndex.clear();
    this.importCount = this.importedFunctions = this.functionCount = this.exportCount = this.elementCount = this.hintedFunctions = 0;
  }

  /** `key`: what tells it from others; to put that together takes longer than all the rest. */
  type(params: readonly WasmType[], results: readonly WasmType[], key = ModuleWriter.key(params, results)): number {
    let index = this.typeIndex.get(key);
    if (index === undefined) {
      index = this.typeIndex.size;
      this.typeIndex.set(key, index);
      this.types.byte(0x60);
      this.types.u32(params.length);
      for (const p of params) this.types.byte(TYPE_BYTE[p]);
      this.types.u32(results.length);
      for (const r of results) this.types.byte(TYPE_BYTE[r]);
    }
    return index;
  }

  static key(params: readonly WasmType[], results: readonly WasmType[]): string {
    return params.join() + ">" + results.join();
  }

  importMemory(name: string, pages: number, shared: boolean): void {
    this.startImport(name, 2);
    this.importBytes.byte(shared ? 3 : 1);
    this.importBytes.u32(pages);
    this.importBytes.u32(pages);
  }

  importTable(name: string, size: number): void {
    this.startImport(name, 1);
    this.importBytes.byte(0x70);
    this.importBytes.byte(0);
    this.importBytes.u32(size);
  }

  /** Imports functions as globals, and makes a table of them, number 0: there must be no other. */
  tableOfGlobals(names: readonly string[]): void {
    if (names.length === 0) return;
    this.tables.byte(0x70);
    this.tables.byte(1);
    this.tables.u32(names.length);
    this.tables.u32(names.length);
    this.elements.byte(4);
    this.elements.byte(0x41);
    this.elements.byte(0);
    this.elements.byte(0x0b);
    this.elements.u32(names.length);
    names.forEach((name, i) => {
      this.startImport(name, 3);
      this.importBytes.byte(0x70);
      this.importBytes.byte(0);
      this.elements.byte(0x23);
      this.elements.u32(i);
      this.elements.byte(0x0b);
    });
    this.elementCount++;
  }

  /** Index of the imported function, from 0; the same name may be asked for again. Only before the first addFunction. */
  importFunction(name: string, params: readonly WasmType[], results: readonly WasmType[]): number {
    const known = this.importIndex.get(name);
    if (known !== undefined) return known;
    if (this.functionCount > 0) throw new Error(`import of ${name} after a function`);
    const type = this.type(params, results);
    this.startImport(name, 0);
    this.importBytes.u32(type);
    this.importIndex.set(name, this.importedFunctions);
    return this.importedFunctions++;
  }

  private startImport(name: string, kind: number): void {
    this.importCount++;
    this.importBytes.name("e");
    this.importBytes.name(name);
    this.importBytes.byte(kind);
  }

  /** Appends a function; its body, [from, to) of `body`, ends with 0x0b (end). `unlikely`: where in it (from its start) there is an `if` or `br_if` that is seldom taken, ascending. Returns its index. */
  addFunction(type: number, locals: readonly WasmType[], body: Bytes, unlikely: readonly number[] = [], from = 0, to = body.len): number {
    const { head, runs: runBytes } = this;
    this.functions.u32(type);
    head.len = runBytes.len = 0;
    let runs = 0;
    for (let i = 0; i < locals.length; ) {
      let j = i;
      while (j < locals.length && locals[j] === locals[i]) j++;
      runBytes.u32(j - i);
      runBytes.byte(TYPE_BYTE[locals[i]!]);
      runs++;
      i = j;
    }
    head.u32(runs);
    head.append(runBytes);
    this.code.u32(head.len + to - from);
    this.code.append(head);
    this.code.append(body, from, to);
    const index = this.importedFunctions + this.functionCount++;
    if (unlikely.length > 0) {
      this.hintedFunctions++;
      this.hints.u32(index);
      this.hints.u32(unlikely.length);
      for (const at of unlikely) {
        this.hints.u32(head.len + at);
        this.hints.byte(1);
        this.hints.byte(0);
      }
    }
    return index;
  }

  exportFunction(name: string, index: number): void {
    this.exports.name(name);
    this.exports.byte(0);
    this.exports.u32(index);
    this.exportCount++;
  }

  /** table[slot] = function */
  element(slot: number, index: number): void {
    this.elements.byte(0);
    this.elements.byte(0x41);
    this.elements.s32(slot);
    this.elements.byte(0x0b);
    this.elements.u32(1);
    this.elements.u32(index);
    this.elementCount++;
  }

  finish(): Uint8Array<ArrayBuffer> {
    const { whole: out, head: n } = this;
    out.len = 0;
    for (const b of [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]) out.byte(b);
    const section = (id: number, count: number, content: Bytes): void => {
      if (count === 0) return;
      n.len = 0;
      n.u32(count);
      out.byte(id);
      out.u32(n.len + content.len);
      out.append(n);
      out.append(content);
    };
    section(1, this.typeIndex.size, this.types);
    section(2, this.importCount, this.importBytes);
    section(3, this.functionCount, this.functions);
    section(4, this.tables.len > 0 ? 1 : 0, this.tables);
    section(7, this.exportCount, this.exports);
    section(9, this.elementCount, this.elements);
    if (this.hintedFunctions > 0) {
      // a custom section of the branch hinting proposal; who does not know it skips it
      n.len = 0;
      n.name("metadata.code.branch_hint");
      n.u32(this.hintedFunctions);
      out.byte(0);
      out.u32(n.len + this.hints.len);
      out.append(n);
      out.append(this.hints);
    }
    section(10, this.functionCount, this.code);
    return out.done();
  }
}
