// worker/cpu/encoding.test.ts — what is known of an instruction by its first bytes is what the library says of all of them
import { readFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { Decoder, Insn } from "./decode.ts";
import { Encodings } from "./encoding.ts";
import { type Iced, loadIced } from "./iced.ts";
import { everyEncoding, randomEncoding } from "./vectors/encodings.ts";
import { Random } from "./vectors/generate.ts";

let library: Iced;
beforeAll(async () => {
  library = await loadIced();
});

/** Decodes what is at an address in both ways. */
class Both {
  readonly memory: Uint8Array;
  private readonly decoder: Decoder;
  private readonly a = new Insn();
  private readonly b = new Insn();
  known = 0;
  constructor(memory: Uint8Array) {
    this.memory = memory;
    this.decoder = new Decoder(library, memory, memory.length, () => false);
  }
  /** Compares what is at `at`; its length. */
  same(at: number): number {
    const { a, b, decoder } = this;
    decoder.forget();
    decoder.decode(at, a);
    if (a.encoding !== undefined) this.known++;
    decoder.forget();
    decoder.ask(at, b);
    const all = ({ rip, length, shape, reg, base, index, scale, segment, dispLo, dispHi, immLo, immHi, imm2, moves }: Insn): unknown[] => [rip, length, shape, ...reg, base, index, scale, segment, dispLo, dispHi, immLo, immHi, imm2, moves];
    const x = all(a), y = all(b), bytes = this.memory.subarray(at, at + 15);
    if (a.length !== b.length || (a.length > 0 && x.some((v, n) => v !== y[n]))) expect([...bytes, ...x]).toEqual([...bytes, ...y]);
    return a.length;
  }
}

test("instructions of all opcodes, with constants of all kinds", () => {
  const r = new Random("encoding", 1), both = new Both(new Uint8Array(0x20000));
  const one = (bytes: Uint8Array): void => {
    // the same beginning three times, as far as it is one, at different places and with different constants
    for (let n = 0; n < 3; n++) {
      const at = r.below(both.memory.length - 64), from = 2 + r.below(13);
      both.memory.set(bytes, at);
      both.same(at);
      for (let i = from; i < 15; i++) both.memory[at + i] = r.below(256);
      both.same(at);
    }
  };
  for (let n = 0; n < 4000; n++) one(randomEncoding(r));
  let n = 0;
  for (const bytes of everyEncoding(r)) if (n++ % 40 === 0) one(bytes);
  expect(both.known).toBeGreaterThan(15_000);
});

test("all of a C library's code, and what is cut off by the end of memory", () => {
  const file = new Uint8Array(readFileSync(".cache/userspace/out/ld-musl-x86_64.so.1")), both = new Both(file);
  let insns = 0;
  for (let at = 0; at < file.length; insns++) at += Math.max(1, both.same(at));
  expect(both.known / insns).toBeGreaterThan(0.8);
});

test("there is a limit to how many are kept", () => {
  const r = new Random("encoding", 2), known = new Encodings(), bytes = new Uint8Array(4), of = { length: 4 } as Parameters<Encodings["add"]>[3];
  let most = 0;
  for (let n = 0; n < 30_000; n++) {
    for (let i = 0; i < 4; i++) bytes[i] = r.below(256);
    if (known.find(bytes, 0) === undefined) known.add(bytes, 0, 4, of);
    expect(known.find(bytes, 0)?.length).toBe(4);
    most = Math.max(most, known.size);
  }
  expect(most).toBeGreaterThan(4000);
  expect(most).toBeLessThan(16384);
});
