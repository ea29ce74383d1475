// machine/graph.ts — turns a graph of plain-data objects into a value that can be stored and posted, and back.
//
// The machine's state is classes with fields, arrays, Map, Set and typed arrays (PATTERNS.md). The walker follows every field, keeps identity and
// cycles, and knows classes by "module.Class" (names of exports survive minification, names of classes do not). Objects that belong to the
// host or are constants (`externals`) are stored by key. A function, symbol, promise or unknown class is an error that names the path to it.

/** What may look at a buffer; several may share one, and still do when they are thawed. */
const VIEWS = { Uint8Array, Int8Array, Uint16Array, Int16Array, Uint32Array, Int32Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array, DataView } as const;
const VIEW_LIST = Object.values(VIEWS) as readonly Uint8ArrayConstructor[];

// kinds of nodes; a view's is VIEW + its place in VIEWS
const OBJECT = 0, ARRAY = 1, MAP = 2, SET = 3, BUFFER = 4, EXTERNAL = 5, VIEW = 6;
// what a slot holds
const NUMBER = 0, REF = 1, STRING = 2, BIGINT = 3, UNDEFINED = 4, NULL = 5, FALSE = 6, TRUE = 7;

/** Structured-clonable, and easy to write into a file; equal graphs give equal values. */
export interface Frozen {
  /** class key ("" for a literal) and names of fields, once for each combination */
  readonly shapes: readonly { readonly c: string; readonly f: readonly string[] }[];
  /** three words for each node: kind; shape, buffer's number, external's number in `strings`; number of slots */
  readonly nodes: Int32Array;
  /** for each slot, node after node: what it holds, and a number: itself, of a node, or of a string (a BigInt is its digits) */
  readonly tags: Uint8Array;
  readonly values: Float64Array;
  readonly strings: readonly string[];
  readonly buffers: readonly ArrayBuffer[];
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

const VIEW_KINDS = new Map<object, number>(VIEW_LIST.map((view, i) => [view.prototype, VIEW + i]));

const sameBytes = (a: ArrayBuffer, b: ArrayBuffer): boolean => {
  if (a.byteLength !== b.byteLength) return false;
  const n = a.byteLength >>> 2;
  const x = new Int32Array(a, 0, n), y = new Int32Array(b, 0, n);
  for (let i = 0; i < n; i++) if (x[i] !== y[i]) return false;
  const u = new Uint8Array(a, 4 * n), v = new Uint8Array(b, 4 * n);
  return u.every((byte, i) => byte === v[i]);
};

/** What one freeze leaves for the next: copies of buffers (used again where nothing has changed), strings by number, and room. */
export class Copies {
  private readonly last = new WeakMap<ArrayBuffer, ArrayBuffer>();
  /** bytes copied so far */
  copied = 0;
  readonly strings: string[] = [];
  private readonly numbers = new Map<string, number>();
  nodes = new Int32Array(1 << 14);
  tags = new Uint8Array(1 << 14);
  values = new Float64Array(1 << 14);

  /** Nobody may write to the copy. */
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
  number(s: string): number {
    let n = this.numbers.get(s);
    if (n === undefined) {
      n = this.strings.push(s) - 1;
      this.numbers.set(s, n);
    }
    return n;
  }
  growNodes(): void {
    const more = new Int32Array(this.nodes.length * 2);
    more.set(this.nodes);
    this.nodes = more;
  }
  growSlots(): void {
    const tags = new Uint8Array(this.tags.length * 2);
    tags.set(this.tags);
    this.tags = tags;
    const values = new Float64Array(this.values.length * 2);
    values.set(this.values);
    this.values = values;
  }
}

class Freezer {
  private readonly shapes: { readonly c: string; readonly f: readonly string[] }[] = [];
  /** by prototype: the shapes that its objects have had so far */
  private readonly shapesOf = new Map<object | null, number[]>();
  private readonly ids = new Map<object, number>();
  private readonly queue: object[] = [];
  private readonly buffers: ArrayBuffer[] = [];
  private slots = 0;
  private readonly classes: ClassTable;
  private readonly externals: Externals;
  private readonly copies: Copies;
  constructor(classes: ClassTable, externals: Externals, copies: Copies) {
    this.classes = classes;
    this.externals = externals;
    this.copies = copies;
  }

  private slot(value: unknown): void {
    const { copies } = this;
    const i = this.slots++;
    if (i >= copies.tags.length) copies.growSlots();
    const { tags, values } = copies;
    switch (typeof value) {
      case "number":
        tags[i] = NUMBER;
        values[i] = value;
        return;
      case "object": {
        if (value === null) break;
        let id = this.ids.get(value);
        if (id === undefined) {
          id = this.queue.push(value) - 1;
          this.ids.set(value, id);
        }
        tags[i] = REF;
        values[i] = id;
        return;
      }
      case "string":
        tags[i] = STRING;
        values[i] = copies.number(value);
        return;
      case "bigint":
        tags[i] = BIGINT;
        values[i] = copies.number(value.toString());
        return;
      case "function":
      case "symbol":
        throw new Error(`${this.path(value)} is a ${typeof value}: machine state must be plain data`);
    }
    tags[i] = value === undefined ? UNDEFINED : value === null ? NULL : value === false ? FALSE : TRUE;
    values[i] = 0;
  }
  /** How one gets to `value` from the root: for messages, so it may take long. */
  private path(value: unknown): string {
    const seen = new Set<object>();
    const todo: [object, string][] = [[this.queue[0]!, "kernel"]];
    for (let at; (at = todo.shift()) !== undefined; ) {
      const [o, name] = at;
      const entries: [unknown, string][] =
        o instanceof Map
          ? [...o].flatMap(([k, v]): [unknown, string][] => [[k, `${name}.key`], [v, `${name}.get(${typeof k === "object" ? "…" : String(k)})`]])
          : o instanceof Set
            ? [...o].map((v): [unknown, string] => [v, `${name}.item`])
            : ArrayBuffer.isView(o) || o instanceof ArrayBuffer
              ? []
              : Object.entries(o).map(([k, v]): [unknown, string] => [v, Array.isArray(o) ? `${name}[${k}]` : `${name}.${k}`]);
      for (const [v, where] of entries) {
        if (v === value) return where;
        if (typeof v !== "object" || v === null || seen.has(v) || this.externals.keyOf(v) !== undefined) continue;
        seen.add(v);
        todo.push([v, where]);
      }
    }
    return "kernel";
  }

  run(root: object): Frozen {
    const { copies } = this;
    this.queue.push(root);
    this.ids.set(root, 0);
    for (let i = 0; i < this.queue.length; i++) {
      if (3 * i + 3 > copies.nodes.length) copies.growNodes();
      const before = this.slots;
      const o = this.queue[i]!;
      const kind = this.node(o);
      const { nodes } = copies;
      nodes[3 * i] = kind;
      nodes[3 * i + 1] = this.extra;
      nodes[3 * i + 2] = this.slots - before;
    }
    return {
      shapes: this.shapes,
      nodes: copies.nodes.slice(0, 3 * this.queue.length),
      tags: copies.tags.slice(0, this.slots),
      values: copies.values.slice(0, this.slots),
      strings: copies.strings,
      buffers: this.buffers,
    };
  }

  /** the second word of the node just written */
  private extra = 0;
  private node(o: object): number {
    this.extra = 0;
    const external = this.externals.keyOf(o);
    if (external !== undefined) {
      this.extra = this.copies.number(external);
      return EXTERNAL;
    }
    if (Array.isArray(o)) {
      for (let i = 0; i < o.length; i++) this.slot(o[i]);
      return ARRAY;
    }
    const proto = Object.getPrototypeOf(o) as object | null;
    if (proto === Map.prototype) {
      for (const [k, v] of o as Map<unknown, unknown>) {
        this.slot(k);
        this.slot(v);
      }
      return MAP;
    }
    if (proto === Set.prototype) {
      for (const x of o as Set<unknown>) this.slot(x);
      return SET;
    }
    if (proto === ArrayBuffer.prototype) {
      this.extra = this.buffers.push(this.copies.of(o as ArrayBuffer)) - 1;
      return BUFFER;
    }
    if (ArrayBuffer.isView(o)) {
      if (!(o.buffer instanceof ArrayBuffer)) throw new Error(`${this.path(o)} is a view of shared memory: it belongs to no snapshot`);
      this.slot(o.buffer);
      this.slot(o.byteOffset);
      this.slot(o instanceof DataView ? o.byteLength : (o as Uint8Array).length);
      return VIEW_KINDS.get(proto!) ?? VIEW;
    }
    this.extra = this.shapeOf(o, proto);
    const { f } = this.shapes[this.extra]!;
    const fields = o as Record<string, unknown>;
    for (let i = 0; i < f.length; i++) this.slot(fields[f[i]!]);
    return OBJECT;
  }
  /** Index of the class and fields of an object; entered if they are new. */
  private shapeOf(o: object, proto: object | null): number {
    const keys = Object.keys(o);
    let known = this.shapesOf.get(proto);
    if (known === undefined) this.shapesOf.set(proto, (known = []));
    next: for (const shape of known) {
      const { f } = this.shapes[shape]!;
      if (f.length !== keys.length) continue;
      for (let i = 0; i < keys.length; i++) if (f[i] !== keys[i]) continue next;
      return shape;
    }
    const c = proto === Object.prototype || proto === null ? "" : this.classes.keyOf(proto);
    if (c === undefined) throw new Error(`${this.path(o)} is a ${o.constructor?.name ?? "object"}, a class that is not in machine/classes.ts`);
    const shape = this.shapes.push({ c, f: keys }) - 1;
    known.push(shape);
    return shape;
  }
}

/** Freezes everything reachable from `root`. With `copies`, frozen values share strings, and the buffers that have not changed between them. */
export function freeze(root: object, classes: ClassTable, externals: Externals, copies = new Copies()): Frozen {
  return new Freezer(classes, externals, copies).run(root);
}

/** Fields that V8 lets an object have that gets them one by one under computed names, before it makes a hash table of it. */
const FEW_FIELDS = 12;
/**
 * An object with these fields and some values, to make others of: in a hash table each look at a field takes ten times as long, for as long as the
 * machine runs. What is a number in the slots from `at` on is one here, as V8 keeps a field in the form that it had first.
 */
function template(fields: readonly string[], at: number, { tags, values }: Frozen): object {
  const form = (i: number): string => (tags[i] !== NUMBER ? "null" : Number.isInteger(values[i]) ? String(values[i]) : "0.5");
  return JSON.parse(`{${fields.map((f, k) => `${JSON.stringify(f)}:${form(at + k)}`).join()}}`) as object;
}

/**
 * A new graph, equal to the frozen one, with this machine's externals. `frozen` is not shared with it and can be thawed again. `into`: objects that
 * become nodes of the graph (by number: the root is 0, what it refers to comes next); their fields are replaced.
 */
export function thaw(frozen: Frozen, classes: ClassTable, externals: Externals, into: ReadonlyMap<number, object> = new Map(), copies?: Copies): object {
  const { nodes, tags, values, strings, buffers } = frozen;
  const protos = frozen.shapes.map(({ c }) => (c === "" ? Object.prototype : classes.protoOf(c)));
  for (const [i, o] of into) {
    const { f } = frozen.shapes[nodes[3 * i + 1]!]!;
    // a field that goes costs the object its quick form: those that stay are only given other values
    for (const key of Object.keys(o)) if (!f.includes(key)) delete (o as Record<string, unknown>)[key];
  }
  const count = nodes.length / 3;
  const objects = new Array<object>(count);
  /** by shape */
  const templates: (object | undefined)[] = [];
  for (let i = 0, at = 0; i < count; at += nodes[3 * i + 2]!, i++) {
    const kind = nodes[3 * i]!;
    const extra = nodes[3 * i + 1]!;
    const given = into.get(i);
    if (given !== undefined) objects[i] = given;
    else if (kind === OBJECT) {
      const { f } = frozen.shapes[extra]!;
      objects[i] = f.length <= FEW_FIELDS ? (Object.create(protos[extra]!) as object) : { __proto__: protos[extra]!, ...(templates[extra] ??= template(f, at, frozen)) };
    }
    else if (kind === ARRAY) objects[i] = new Array<unknown>(nodes[3 * i + 2]!);
    else if (kind === MAP) objects[i] = new Map();
    else if (kind === SET) objects[i] = new Set();
    else if (kind === EXTERNAL) objects[i] = externals.object(strings[extra]!);
    else if (kind === BUFFER) {
      const buffer = buffers[extra]!.slice(0);
      copies?.note(buffer, buffers[extra]!);
      objects[i] = buffer;
    }
  }
  // views come when their buffers are there
  for (let i = 0, at = 0; i < count; at += nodes[3 * i + 2]!, i++) {
    const kind = nodes[3 * i]!;
    if (kind >= VIEW) objects[i] = new VIEW_LIST[kind - VIEW]!(objects[values[at]!] as ArrayBuffer, values[at + 1], values[at + 2]);
  }
  const value = (i: number): unknown => {
    switch (tags[i]) {
      case NUMBER:
        return values[i];
      case REF:
        return objects[values[i]!];
      case STRING:
        return strings[values[i]!];
      case BIGINT:
        return BigInt(strings[values[i]!]!);
      case NULL:
        return null;
      case FALSE:
        return false;
      case TRUE:
        return true;
      default:
        return undefined;
    }
  };
  for (let i = 0, at = 0; i < count; i++) {
    const kind = nodes[3 * i]!;
    const end = at + nodes[3 * i + 2]!;
    const o = objects[i]!;
    if (kind === OBJECT) {
      const { f } = frozen.shapes[nodes[3 * i + 1]!]!;
      // defineProperty would be exact but 10 times slower; fields are ordinary data properties, so assignment is the same
      for (let k = 0; k < f.length; k++) (o as Record<string, unknown>)[f[k]!] = value(at + k);
    } else if (kind === ARRAY) {
      for (let k = at; k < end; k++) (o as unknown[])[k - at] = value(k);
    } else if (kind === MAP) {
      for (let k = at; k < end; k += 2) (o as Map<unknown, unknown>).set(value(k), value(k + 1));
    } else if (kind === SET) {
      for (let k = at; k < end; k++) (o as Set<unknown>).add(value(k));
    }
    at = end;
  }
  return objects[0]!;
}
