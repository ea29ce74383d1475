// machine/graph.test.ts — what is frozen comes back the same: identity, cycles, order, classes; what is no plain data is named
import { setFlagsFromString } from "node:v8";
import { expect, test } from "vitest";
import { Copies, freeze } from "./freeze.ts";
import { ClassTable, Externals, thaw, type Frozen } from "./graph.ts";

class Base {
  id = 1;
  get twice(): number {
    return this.id * 2;
  }
}
class Derived extends Base {
  next: Derived | undefined;
  items = new Map<Base, string[]>();
  set = new Set<unknown>();
  bytes = new Uint8Array([1, 2, 3]);
  big = 1n << 60n;
  private secret = NaN;
  reveal(): number {
    return this.secret;
  }
}
const classes = new ClassTable();
classes.add("test", { Base, Derived, helper: () => 1 });
const HOST = { host: true };
const externals = new Externals();
externals.add("host", HOST);

function sample(): Derived {
  const a = new Derived();
  const b = new Derived();
  a.next = b;
  b.next = a;
  b.id = -0;
  a.items.set(b, ["x"]).set(a, []);
  a.set.add(HOST).add("s").add(undefined).add([a]);
  return a;
}

test("identity, cycles, order, classes, private fields and odd numbers survive", () => {
  const a = thaw(freeze(sample(), classes, externals), classes, externals) as Derived;
  expect(a).toBeInstanceOf(Derived);
  expect(a.twice).toBe(2);
  expect(a.next!.next).toBe(a);
  expect(Object.is(a.next!.id, -0)).toBe(true);
  expect([...a.items.keys()]).toEqual([a.next, a]);
  expect([...a.set].slice(0, 3)).toEqual([HOST, "s", undefined]);
  expect([...a.set][0]).toBe(HOST);
  expect(([...a.set][3] as unknown[])[0]).toBe(a);
  expect([...a.bytes, a.big, a.reveal()]).toEqual([1, 2, 3, 1n << 60n, NaN]);
});

test("a frozen graph is a copy, can be cloned for storage, and equal graphs freeze to equal values", () => {
  const a = sample();
  const frozen = freeze(a, classes, externals);
  a.bytes[0] = 99;
  a.id = 77;
  const b = thaw(structuredClone(frozen), classes, externals) as Derived;
  expect([b.bytes[0], b.id]).toEqual([1, 1]);
  expect(freeze(sample(), classes, externals)).toEqual(frozen);
  expect(freeze(b, classes, externals)).toEqual(frozen);
});

test("views that share a buffer still share it", () => {
  const buffer = new ArrayBuffer(64);
  const o = { a: new Uint8Array(buffer, 8, 16), v: new DataView(buffer, 8, 8), w: new Uint32Array(buffer) };
  o.v.setUint32(0, 0x01020304);
  const t = thaw(freeze(o, classes, externals), classes, externals) as typeof o;
  expect([...t.a.slice(0, 4), t.a.length, t.w.length]).toEqual([1, 2, 3, 4, 16, 16]);
  t.w[2] = 0xffffffff;
  expect(t.v.getUint32(0)).toBe(0xffffffff);
  expect(o.v.getUint32(0)).toBe(0x01020304);
});

test("an object with many fields is no hash table afterwards, nor is one that is given new values", () => {
  class Many {}
  const many = (n: number): Many => Object.assign(new Many(), Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`f${i}`, i % 3 === 0 ? i + n : i % 3 === 1 ? "x" : 1.5])));
  const table = new ClassTable();
  table.add("test", { Many });
  const frozen = freeze([many(0), many(0.25)], table, externals);
  setFlagsFromString("--allow-natives-syntax");
  const quick = new Function("o", "return %HasFastProperties(o)") as (o: object) => boolean;
  const [, given] = thaw(frozen, table, externals) as [Many, Many];
  const [a, b] = thaw(frozen, table, externals, new Map([[1, given]])) as [Many, Many];
  expect(a).toBe(given);
  expect(a).toEqual(many(0));
  expect(b).toEqual(many(0.25));
  expect(b).toBeInstanceOf(Many);
  expect([quick(a), quick(b)]).toEqual([true, true]);
});

test("a long list does not overflow the stack", () => {
  const head = new Derived();
  let at = head;
  for (let i = 0; i < 50_000; i++) at = at.next = new Derived();
  let n = 0;
  for (let d: Derived | undefined = thaw(freeze(head, classes, externals), classes, externals) as Derived; d; d = d.next) n++;
  expect(n).toBe(50_001);
});

test("what cannot be kept is named by its path", () => {
  const f = (o: object) => () => freeze(o, classes, externals);
  expect(f({ a: [{ b: () => 1 }] })).toThrow("kernel.a[0].b is a function");
  expect(f({ m: new Map([["k", new (class Odd {})()]]) })).toThrow("kernel.m.get(k) is a Odd, a class that is not in machine/classes.ts");
  expect(f({ p: Promise.resolve() })).toThrow("kernel.p is a Promise");
  expect(f({ v: new Uint8Array(new SharedArrayBuffer(8)) })).toThrow("kernel.v is a view of shared memory");
});

test("frozen again and again with what the last time has left, while everything changes: as if it were the first time", () => {
  let seed = 1;
  const dice = (n: number): number => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % n;
  const nodes = [new Derived()];
  const pick = (): Derived => nodes[dice(nodes.length)]!;
  const change = [
    () => (pick().next = pick()),
    () => (pick().next = undefined),
    () => nodes.push((pick().next = new Derived())),
    () => pick().items.set(pick(), [String(dice(5)), "x"]),
    () => pick().items.clear(),
    () => pick().set.add(dice(2) === 0 ? pick() : dice(9)).add({ at: pick(), n: dice(3) }),
    () => pick().set.clear(),
    () => (pick().bytes[dice(3)] = dice(256)),
    () => (pick().bytes = new Uint8Array(pick().bytes.buffer, 1, 2)),
    () => (pick().bytes = new Uint8Array(3 + dice(40))),
    () => (pick().id = dice(3) / 2),
    () => (pick().big = BigInt(dice(3))),
    () => Object.assign(pick(), dice(2) === 0 ? { extra: pick() } : { more: "y", extra: HOST }),
    () => delete (pick() as Derived & { extra?: unknown }).extra,
  ];
  const copies = new Copies();
  const text = (f: Frozen): string => [JSON.stringify([f.shapes, f.strings]), f.nodes, f.tags, f.values, ...f.buffers.map((b) => new Uint8Array(b))].join("\n");
  for (let round = 0; round < 200; round++) {
    for (let i = 0; i < 6; i++) change[dice(change.length)]!();
    const root = [nodes[0], nodes];
    const again = thaw(freeze(root, classes, externals, copies), classes, externals);
    expect(text(freeze(again, classes, externals))).toBe(text(freeze(root, classes, externals)));
    if (nodes.length > 12) nodes.splice(1 + dice(nodes.length - 3), 3);
  }
});
