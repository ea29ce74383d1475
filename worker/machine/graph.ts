// machine/graph.ts — turns a graph of plain-data objects into a value that can be stored and posted, and back.
//
// The machine's state is classes with fields, arrays, Map, Set and typed arrays (PATTERNS.md). The walker follows every field, keeps identity and
// cycles, and knows classes by "module.Class" (names of exports survive minification, names of classes do not). Objects that belong to the
// host or are constants (`externals`) are stored by key. A function, symbol, promise or unknown class is an error that names the path to it.
// freeze.ts goes one way, thaw() the other.
import type { Copies } from "./freeze.ts";

/** What may look at a buffer; several may share one, and still do when they are thawed. */
const VIEWS = { Uint8Array, Int8Array, Uint16Array, Int16Array, Uint32Array, Int32Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array, DataView } as const;
export const VIEW_LIST = Object.values(VIEWS) as readonly Uint8ArrayConstructor[];

/** Kinds of nodes; a view's is VIEW + its place in VIEWS. */
export const OBJECT = 0, ARRAY = 1, MAP = 2, SET = 3, BUFFER = 4, EXTERNAL = 5, VIEW = 6;
/** What a slot holds. */
export const NUMBER = 0, REF = 1, STRING = 2, BIGINT = 3, UNDEFINED = 4, NULL = 5, FALSE = 6, TRUE = 7;

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

/** Names of two fields: a view, and a number that says whether its bytes are still the same. */
export interface Counted {
  readonly view: string;
  readonly count: string;
}

/** Classes by key and key by prototype. */
export class ClassTable {
  private readonly byKey = new Map<string, object>();
  private readonly byProto = new Map<object, string>();
  private readonly counts = new Map<string, Counted>();

  /** Adds classes by their names, under "module.Name". */
  add(module: string, classes: Readonly<Record<string, { readonly prototype: object }>>): void {
    for (const [name, { prototype }] of Object.entries(classes)) {
      this.byKey.set(`${module}.${name}`, prototype);
      this.byProto.set(prototype, `${module}.${name}`);
    }
  }
  /** Objects of class `key` alone look at the bytes that their field `view` looks at, and their field `count` is another number after each change of them. */
  counted(key: string, view: string, count: string): void {
    this.counts.set(key, { view, count });
  }
  countedOf(key: string): Counted | undefined {
    return this.counts.get(key);
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
