// machine/graph.ts — turns a graph of plain-data objects into a value that can be stored and posted, and back.
//
// The machine's state is classes with fields, arrays, Map, Set and typed arrays (PATTERNS.md). The walker follows every field, keeps identity and
// cycles, and knows classes by "module.Class" (names of exports survive minification, names of classes do not). Objects that belong to the
// host or are constants (`externals`) are stored by key. A function, symbol, promise or unknown class is an error that names the path to it.

type Primitive = number | string | boolean | bigint | null | undefined;
/** A reference to nodes[i]; everything else stands for itself. */
type Slot = Primitive | readonly [number];
/** What may look at a buffer; several may share one, and still do when they are thawed. */
const VIEWS = { Uint8Array, Int8Array, Uint16Array, Int16Array, Uint32Array, Int32Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array, DataView } as const;
type ViewName = keyof typeof VIEWS;

type Node =
  | { readonly t: "object"; readonly shape: number; readonly v: Slot[] }
  | { readonly t: "array"; readonly v: Slot[] }
  | { readonly t: "map"; readonly k: Slot[]; readonly v: Slot[] }
  | { readonly t: "set"; readonly v: Slot[] }
  | { readonly t: "buffer"; readonly d: ArrayBuffer }
  | { readonly t: "view"; readonly c: ViewName; readonly b: Slot; readonly o: number; readonly n: number }
  | { readonly t: "external"; readonly key: string };

/** Structured-clonable; equal graphs give equal values. */
export interface Frozen {
  /** class key ("" for a literal) and names of fields, once for each combination */
  readonly shapes: { readonly c: string; readonly f: readonly string[] }[];
  readonly nodes: Node[];
}

/** Classes by key and key by prototype. */
export class ClassTable {
  private readonly byKey = new Map<string, object>();
  private readonly byProto = new Map<object, string>();

  /** Adds every class that `namespace` (an `import *`) exports, under "module.Name". */
  add(module: string, namespace: object): void {
    for (const [name, value] of Object.entries(namespace)) {
      if (typeof value !== "function") continue;
      const proto: unknown = value.prototype;
      if (typeof proto !== "object" || proto === null || this.byProto.has(proto)) continue;
      this.byKey.set(`${module}.${name}`, proto);
      this.byProto.set(proto, `${module}.${name}`);
    }
  }
  keyOf(proto: object): string | undefined {
    return this.byProto.get(proto);
  }
  protoOf(key: string): object {
    const proto = this.byKey.get(key);
    if (!proto) throw new Error(`the snapshot has a class ${key}, which this version does not know`);
    return proto;
  }
}

/** Constants and host objects: the same object under the same key in every machine. */
export class Externals {
  private readonly keys = new Map<object, string>();
  private readonly objects = new Map<string, object>();
  add(key: string, object: object): void {
    this.keys.set(object, key);
    this.objects.set(key, object);
  }
  keyOf(object: object): string | undefined {
    return this.keys.get(object);
  }
  object(key: string): object {
    const o = this.objects.get(key);
    if (!o) throw new Error(`the snapshot refers to ${key}, which this machine does not have`);
    return o;
  }
}

const viewName = (o: ArrayBufferView): ViewName => (Object.keys(VIEWS) as ViewName[]).find((c) => Object.getPrototypeOf(o) === VIEWS[c].prototype) ?? "Uint8Array";

const sameBytes = (a: ArrayBuffer, b: ArrayBuffer): boolean => {
  if (a.byteLength !== b.byteLength) return false;
  const n = a.byteLength >>> 2;
  const x = new Int32Array(a, 0, n), y = new Int32Array(b, 0, n);
  for (let i = 0; i < n; i++) if (x[i] !== y[i]) return false;
  const u = new Uint8Array(a, 4 * n), v = new Uint8Array(b, 4 * n);
  return u.every((byte, i) => byte === v[i]);
};

/** Copies of buffers, made by one freeze and used again by the next if nothing has changed in them: nobody may write to a copy. */
export class Copies {
  private readonly last = new WeakMap<ArrayBuffer, ArrayBuffer>();
  /** bytes copied so far */
  copied = 0;
  of(buffer: ArrayBuffer): ArrayBuffer {
    const before = this.last.get(buffer);
    if (before !== undefined && sameBytes(before, buffer)) return before;
    const copy = buffer.slice(0);
    this.copied += copy.byteLength;
    this.last.set(buffer, copy);
    return copy;
  }
  /** `buffer` was made from `copy`. */
  note(buffer: ArrayBuffer, copy: ArrayBuffer): void {
    this.last.set(buffer, copy);
  }
}

class Freezer {
  readonly shapes: Frozen["shapes"] = [];
  readonly nodes: Node[] = [];
  private readonly shapeIds = new Map<string, number>();
  private readonly ids = new Map<object, number>();
  private readonly queue: object[] = [];
  /** for messages: who referred to queue[i] first, and by what */
  private readonly parents: number[] = [];
  private readonly keys: unknown[] = [];
  private readonly classes: ClassTable;
  private readonly externals: Externals;
  private readonly copies: Copies;
  constructor(classes: ClassTable, externals: Externals, copies: Copies) {
    this.classes = classes;
    this.externals = externals;
    this.copies = copies;
  }

  /** `parent`, `key`: where the value was found. */
  slot(value: unknown, parent: number, key: unknown): Slot {
    if (typeof value === "function" || typeof value === "symbol") throw new Error(`${this.path(parent, key)} is a ${typeof value}: machine state must be plain data`);
    if (typeof value !== "object" || value === null) return value as Primitive;
    let id = this.ids.get(value);
    if (id === undefined) {
      id = this.ids.size;
      this.ids.set(value, id);
      this.queue.push(value);
      this.parents.push(parent);
      this.keys.push(key);
    }
    return [id];
  }
  private path(parent: number, key: unknown): string {
    if (parent < 0) return "kernel";
    const of = this.queue[parent]!;
    const before = this.path(this.parents[parent]!, this.keys[parent]);
    if (Array.isArray(of)) return `${before}[${String(key)}]`;
    if (of instanceof Map) return `${before}.get(${typeof key === "object" ? "…" : String(key)})`;
    return of instanceof Set ? `${before}.item` : `${before}.${String(key)}`;
  }

  drain(): void {
    for (let i = 0; i < this.queue.length; i++) this.nodes.push(this.node(this.queue[i]!, i));
  }

  private node(o: object, id: number): Node {
    const external = this.externals.keyOf(o);
    if (external !== undefined) return { t: "external", key: external };
    if (Array.isArray(o)) return { t: "array", v: o.map((x, i) => this.slot(x, id, i)) };
    if (o instanceof Map) {
      const k: Slot[] = [];
      const v: Slot[] = [];
      for (const [a, b] of o) {
        k.push(this.slot(a, id, "key"));
        v.push(this.slot(b, id, a));
      }
      return { t: "map", k, v };
    }
    if (o instanceof Set) return { t: "set", v: Array.from(o, (x) => this.slot(x, id, "item")) };
    if (o instanceof ArrayBuffer) return { t: "buffer", d: this.copies.of(o) };
    if (ArrayBuffer.isView(o)) {
      if (!(o.buffer instanceof ArrayBuffer)) throw new Error(`${this.path(this.parents[id]!, this.keys[id])} is a view of shared memory: it belongs to no snapshot`);
      const n = o instanceof DataView ? o.byteLength : (o as Uint8Array).length;
      return { t: "view", c: viewName(o), b: this.slot(o.buffer, id, "buffer"), o: o.byteOffset, n };
    }
    const proto: object | null = Object.getPrototypeOf(o) as object | null;
    const c = proto === Object.prototype || proto === null ? "" : this.classes.keyOf(proto);
    if (c === undefined)
      throw new Error(`${this.path(this.parents[id]!, this.keys[id])} is a ${o.constructor?.name ?? "object"}, a class that is not in machine/classes.ts`);
    const f = Object.keys(o);
    const name = `${c}:${f.join()}`;
    let shape = this.shapeIds.get(name);
    if (shape === undefined) {
      shape = this.shapes.push({ c, f }) - 1;
      this.shapeIds.set(name, shape);
    }
    const fields = o as Record<string, unknown>;
    return { t: "object", shape, v: f.map((x) => this.slot(fields[x], id, x)) };
  }
}

/** Stands for a view until its buffer is made. */
const VIEW = Object.freeze({});

/** Freezes everything reachable from `root`. With `copies`, frozen values share the buffers that have not changed between them. */
export function freeze(root: object, classes: ClassTable, externals: Externals, copies = new Copies()): Frozen {
  const f = new Freezer(classes, externals, copies);
  f.slot(root, -1, "");
  f.drain();
  return { shapes: f.shapes, nodes: f.nodes };
}

/**
 * A new graph, equal to the frozen one, with this machine's externals. `frozen` is not shared with it and can be thawed again. `into`: objects that
 * become nodes of the graph (by number: the root is 0, what it refers to comes next); their fields are replaced.
 */
export function thaw(frozen: Frozen, classes: ClassTable, externals: Externals, into: ReadonlyMap<number, object> = new Map(), copies?: Copies): object {
  const protos = frozen.shapes.map(({ c }) => (c === "" ? Object.prototype : classes.protoOf(c)));
  for (const o of into.values()) for (const key of Object.keys(o)) delete (o as Record<string, unknown>)[key];
  const objects = frozen.nodes.map((n, i): object => {
    const given = into.get(i);
    if (given !== undefined) return given;
    if (n.t === "object") return Object.create(protos[n.shape]!) as object;
    if (n.t === "array") return new Array<unknown>(n.v.length);
    if (n.t === "map") return new Map();
    if (n.t === "set") return new Set();
    if (n.t === "buffer") {
      const buffer = n.d.slice(0);
      copies?.note(buffer, n.d);
      return buffer;
    }
    return n.t === "view" ? VIEW : externals.object(n.key);
  });
  // views come when their buffers are there
  frozen.nodes.forEach((n, i) => {
    if (n.t === "view") objects[i] = new (VIEWS[n.c] as Uint8ArrayConstructor)(objects[(n.b as readonly [number])[0]] as ArrayBuffer, n.o, n.n);
  });
  const value = (s: Slot): unknown => (Array.isArray(s) ? objects[(s as readonly [number])[0]] : s);
  frozen.nodes.forEach((n, i) => {
    const o = objects[i]!;
    if (n.t === "object") {
      const { f } = frozen.shapes[n.shape]!;
      // defineProperty would be exact but 10 times slower; fields are ordinary data properties, so assignment is the same
      for (let k = 0; k < f.length; k++) (o as Record<string, unknown>)[f[k]!] = value(n.v[k]);
    } else if (n.t === "array") {
      for (let k = 0; k < n.v.length; k++) (o as unknown[])[k] = value(n.v[k]);
    } else if (n.t === "map") {
      for (let k = 0; k < n.k.length; k++) (o as Map<unknown, unknown>).set(value(n.k[k]), value(n.v[k]));
    } else if (n.t === "set") {
      for (const s of n.v) (o as Set<unknown>).add(value(s));
    }
  });
  return objects[0]!;
}
