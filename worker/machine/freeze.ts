// machine/freeze.ts — from a graph of plain-data objects to arrays of numbers, again and again, and quickly: the machine stands still meanwhile.
//
// Most objects are where they were when the graph was frozen last. Each keeps a number, its handle, as long as it is found each time; where a
// field refers to the same object as last time, that is seen by one comparison, without looking the object up by its identity.
import { ARRAY, BIGINT, BUFFER, type ClassTable, type Counted, type Externals, EXTERNAL, FALSE, type Frozen, MAP, NULL, NUMBER, OBJECT, REF, SET, STRING, TRUE, UNDEFINED, VIEW, VIEW_LIST } from "./graph.ts";

type Shape = Frozen["shapes"][number];
const VIEW_KINDS = new Map<object, number>(VIEW_LIST.map((view, i) => [view.prototype, VIEW + i]));

/** A buffer, and the copy of it that was made last. */
class Held {
  readonly buffer: ArrayBuffer;
  copy: ArrayBuffer;
  private readonly words: Int32Array;
  private readonly bytes: Uint8Array;
  private words_copied: Int32Array;
  constructor(buffer: ArrayBuffer, copy: ArrayBuffer) {
    this.buffer = buffer;
    this.copy = copy;
    this.words = new Int32Array(buffer, 0, buffer.byteLength >>> 2);
    this.bytes = new Uint8Array(buffer);
    this.words_copied = new Int32Array(copy, 0, copy.byteLength >>> 2);
  }
  /** Is the copy still right? */
  same(): boolean {
    const { words: a, words_copied: b } = this;
    const n = a.length, even = n & ~3;
    for (let i = 0; i < even; i += 4) if (((a[i]! ^ b[i]!) | (a[i + 1]! ^ b[i + 1]!) | (a[i + 2]! ^ b[i + 2]!) | (a[i + 3]! ^ b[i + 3]!)) !== 0) return false;
    for (let i = even; i < n; i++) if (a[i] !== b[i]) return false;
    if ((this.bytes.length & 3) === 0) return true;
    const rest = new Uint8Array(this.copy, 4 * n);
    return rest.every((byte, i) => byte === this.bytes[4 * n + i]);
  }
  renew(): void {
    this.copy = this.buffer.slice(0);
    this.words_copied = new Int32Array(this.copy, 0, this.words.length);
  }
}
/** What a view looks at. */
class Looks {
  readonly buffer: ArrayBufferLike;
  readonly offset: number;
  readonly length: number;
  constructor(view: ArrayBufferView) {
    this.buffer = view.buffer;
    this.offset = view.byteOffset;
    this.length = view instanceof DataView ? view.byteLength : (view as Uint8Array).length;
  }
}

const more = (a: Int32Array, fill: number): Int32Array<ArrayBuffer> => {
  const b = new Int32Array(a.length * 2).fill(fill, a.length);
  b.set(a);
  return b;
};

/** What one freeze leaves for the next: who was there and what they referred to, copies of buffers (used again where nothing has changed), strings and shapes by number, and room. */
export class Copies {
  /** bytes copied so far */
  copied = 0;
  readonly strings: string[] = [];
  private readonly numbers = new Map<string, number>();
  readonly shapes: Shape[] = [];
  /** by shape: where its counter is, if it has one */
  readonly counted: (Counted & { readonly field: number } | undefined)[] = [];
  /** by prototype: the shapes that its objects have had so far */
  readonly shapesOf = new Map<object | null, number[]>();

  private readonly handles = new Map<object, number>();
  private readonly free: number[] = [];
  // by handle
  readonly objects: (object | undefined)[] = [];
  /** as in Frozen.nodes: kind, and what goes with it; of an object, the shape that it had last */
  readonly kinds: number[] = [];
  readonly extras: number[] = [];
  readonly about: (Held | Looks | undefined)[] = [];
  /** number of the node in the present freeze, and in the last one; -1 if it is not there */
  ids = new Int32Array(1 << 13).fill(-1);
  last = new Int32Array(1 << 13).fill(-1);

  // of the present freeze: handle by node; and room, slots too
  order = new Int32Array(1 << 13);
  starts = new Int32Array(1 << 13);
  nodes = new Int32Array(1 << 14);
  tags = new Uint8Array(1 << 14);
  values = new Float64Array(1 << 14);
  // of the last one: handle by node, first slot by node, slots
  lastOrder = new Int32Array(1 << 13);
  lastStarts = new Int32Array(1 << 13);
  lastTags: Uint8Array = new Uint8Array();
  lastValues: Float64Array = new Float64Array();

  /** The handle of an object that one has not been found for otherwise; a new one's kind is -1. */
  handle(o: object): number {
    let h = this.handles.get(o);
    if (h !== undefined) return h;
    h = this.free.pop() ?? this.objects.length;
    this.handles.set(o, h);
    this.objects[h] = o;
    this.kinds[h] = -1;
    this.extras[h] = 0;
    this.about[h] = undefined;
    if (h >= this.ids.length) {
      this.ids = more(this.ids, -1);
      this.last = more(this.last, -1);
    }
    this.ids[h] = this.last[h] = -1;
    return h;
  }
  /** A freeze is complete: `frozen`. Who was not met is forgotten. */
  done(frozen: Frozen): void {
    const { objects, ids } = this;
    for (let h = 0; h < objects.length; h++) {
      const o = objects[h];
      if (o === undefined || ids[h]! >= 0) continue;
      this.handles.delete(o);
      objects[h] = this.about[h] = undefined;
      this.free.push(h);
    }
    this.ids = this.last;
    this.last = ids;
    [this.order, this.lastOrder] = [this.lastOrder, this.order];
    [this.starts, this.lastStarts] = [this.lastStarts, this.starts];
    this.lastTags = frozen.tags;
    this.lastValues = frozen.values;
  }

  /** The copy of the buffer with this handle. Nobody may write to it. `known`: nothing has been written since the last freeze. */
  of(handle: number, known: boolean): ArrayBuffer {
    const held = this.about[handle];
    if (held instanceof Held) {
      if (known || held.same()) return held.copy;
      held.renew();
      this.copied += held.copy.byteLength;
      return held.copy;
    }
    const buffer = this.objects[handle] as ArrayBuffer;
    const copy = buffer.slice(0);
    this.copied += copy.byteLength;
    this.about[handle] = new Held(buffer, copy);
    return copy;
  }
  /** Whether each copy is what its buffer holds: counters may be wrong. For tests. */
  verify(): boolean {
    return this.about.every((a) => !(a instanceof Held) || a.same());
  }
  /** `buffer` was made from `copy`. */
  note(buffer: ArrayBuffer, copy: ArrayBuffer): void {
    this.about[this.handle(buffer)] = new Held(buffer, copy);
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
    this.nodes = more(this.nodes, 0);
  }
  growOrder(): void {
    this.order = more(this.order, 0);
    this.starts = more(this.starts, 0);
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

/** nodes between two questions whether it is enough for now */
const NODES = 32;

/** One freeze: in parts, if need be, as long as nothing changes in between. One that is not brought to its end has not been. */
export class Freezer {
  private readonly buffers: ArrayBuffer[] = [];
  /** buffers that counted objects look at, and whether those have counted since the last freeze */
  private readonly counted = new Map<ArrayBufferLike, boolean>();
  /** nodes written */
  private written = 0;
  private slots = 0;
  private count = 0;
  /** where the slot that is written now was last time, and where that node's slots ended */
  private hint = 0;
  private hintEnd = 0;
  private readonly root: object;
  private readonly classes: ClassTable;
  private readonly externals: Externals;
  private readonly copies: Copies;
  constructor(root: object, classes: ClassTable, externals: Externals, copies: Copies) {
    this.root = root;
    this.classes = classes;
    this.externals = externals;
    this.copies = copies;
  }

  /** `value` goes to slot i; last time it was `hint`. */
  private put(i: number, value: unknown, hint: number): void {
    const { copies } = this;
    const { tags, values } = copies;
    if (typeof value === "number") {
      tags[i] = NUMBER;
      values[i] = value;
    } else if (typeof value === "object" && value !== null) {
      tags[i] = REF;
      values[i] = this.node(value, hint);
    } else if (typeof value === "string") {
      tags[i] = STRING;
      let n = hint < this.hintEnd && copies.lastTags[hint] === STRING ? copies.lastValues[hint]! : -1;
      if (n < 0 || copies.strings[n] !== value) n = copies.number(value);
      values[i] = n;
    } else this.rare(i, value);
  }
  private slot(value: unknown): void {
    const i = this.slots++;
    if (i >= this.copies.tags.length) this.copies.growSlots();
    this.put(i, value, this.hint++);
  }
  private rare(i: number, value: unknown): void {
    const { tags, values } = this.copies;
    values[i] = 0;
    if (value === undefined) tags[i] = UNDEFINED;
    else if (value === null) tags[i] = NULL;
    else if (typeof value === "boolean") tags[i] = value ? TRUE : FALSE;
    else if (typeof value === "bigint") {
      tags[i] = BIGINT;
      values[i] = this.copies.number(value.toString());
    } else throw new Error(`${this.path(value)} is a ${typeof value}: machine state must be plain data`);
  }
  /** The node's number; it comes to the end of the queue if it is met for the first time. */
  private node(o: object, hint: number): number {
    const { copies } = this;
    let h = -1;
    if (hint < this.hintEnd && copies.lastTags[hint] === REF) h = copies.lastOrder[copies.lastValues[hint]!]!;
    if (h < 0 || copies.objects[h] !== o) h = copies.handle(o);
    const id = copies.ids[h]!;
    return id >= 0 ? id : this.enqueue(h);
  }
  private enqueue(h: number): number {
    const { copies } = this;
    const id = this.count++;
    if (id >= copies.order.length) copies.growOrder();
    copies.order[id] = h;
    copies.ids[h] = id;
    return id;
  }
  /** How one gets to `value` from the root: for messages, so it may take long. */
  private path(value: unknown): string {
    const seen = new Set<object>();
    const todo: [object, string][] = [[this.root, "kernel"]];
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

  /** Goes on until `enough` says so; undefined: there is more to do. */
  step(enough: () => boolean): Frozen | undefined {
    const { copies } = this;
    if (this.count === 0) {
      copies.ids.fill(-1);
      this.node(this.root, this.hintEnd);
    }
    while (this.written < this.count) {
      const end = Math.min(this.count, this.written + NODES);
      while (this.written < end) this.next(this.written++);
      if (this.written < this.count && enough()) return undefined;
    }
    if (this.count >= copies.starts.length) copies.growOrder();
    copies.starts[this.count] = this.slots;
    const frozen = {
      shapes: copies.shapes,
      nodes: copies.nodes.slice(0, 3 * this.count),
      tags: copies.tags.slice(0, this.slots),
      values: copies.values.slice(0, this.slots),
      strings: copies.strings,
      buffers: this.buffers,
    };
    copies.done(frozen);
    return frozen;
  }
  private next(i: number): void {
    const { copies } = this;
    if (3 * i + 3 > copies.nodes.length) copies.growNodes();
    const before = this.slots;
    const h = copies.order[i]!;
    const last = copies.last[h]!;
    copies.starts[i] = before;
    this.hint = last < 0 ? 0 : copies.lastStarts[last]!;
    this.hintEnd = last < 0 ? 0 : copies.lastStarts[last + 1]!;
    this.write(h);
    const { nodes } = copies;
    nodes[3 * i] = copies.kinds[h]!;
    nodes[3 * i + 1] = copies.kinds[h] === BUFFER ? this.buffers.length - 1 : copies.extras[h]!;
    nodes[3 * i + 2] = this.slots - before;
  }

  /** Writes the slots of the object with this handle. */
  private write(h: number): void {
    const { copies } = this;
    const o = copies.objects[h]!;
    if (copies.kinds[h]! < 0) this.learn(h, o);
    switch (copies.kinds[h]) {
      case OBJECT:
        this.fields(h, o as Record<string, unknown>);
        return;
      case ARRAY: {
        const list = o as unknown[];
        for (let i = 0; i < list.length; i++) this.slot(list[i]);
        return;
      }
      case MAP:
        if ((o as Map<unknown, unknown>).size === 0) return;
        for (const [k, v] of o as Map<unknown, unknown>) {
          this.slot(k);
          this.slot(v);
        }
        return;
      case SET:
        if ((o as Set<unknown>).size === 0) return;
        for (const x of o as Set<unknown>) this.slot(x);
        return;
      case BUFFER:
        this.buffers.push(copies.of(h, this.counted.get(o as ArrayBuffer) === false));
        return;
      case EXTERNAL:
        return;
      default: {
        const { buffer, offset, length } = copies.about[h] as Looks;
        this.slot(buffer);
        this.slot(offset);
        this.slot(length);
      }
    }
  }
  /** What an object is, which does not change; of its fields, those that it has now. */
  private learn(h: number, o: object): void {
    const { copies } = this;
    const external = this.externals.keyOf(o);
    const proto = Object.getPrototypeOf(o) as object | null;
    if (external !== undefined) {
      copies.extras[h] = copies.number(external);
      copies.kinds[h] = EXTERNAL;
    } else if (Array.isArray(o)) copies.kinds[h] = ARRAY;
    else if (proto === Map.prototype) copies.kinds[h] = MAP;
    else if (proto === Set.prototype) copies.kinds[h] = SET;
    else if (proto === ArrayBuffer.prototype) copies.kinds[h] = BUFFER;
    else if (ArrayBuffer.isView(o)) {
      if (!(o.buffer instanceof ArrayBuffer)) throw new Error(`${this.path(o)} is a view of shared memory: it belongs to no snapshot`);
      copies.about[h] = new Looks(o);
      copies.kinds[h] = VIEW_KINDS.get(proto!) ?? VIEW;
    } else {
      copies.extras[h] = this.shapeOf(o, proto);
      copies.kinds[h] = OBJECT;
    }
  }
  private fields(h: number, o: Record<string, unknown>): void {
    const { copies } = this;
    const { f } = copies.shapes[copies.extras[h]!]!;
    const { slots, hint } = this;
    while (slots + f.length > copies.tags.length) copies.growSlots();
    let n = 0;
    // the engine has the places of the fields at hand in such a loop; all of them are the object's own
    for (const key in o) {
      if (key !== f[n]) {
        n = -1;
        break;
      }
      this.put(slots + n, o[key], hint + n);
      n++;
    }
    if (n === f.length) {
      this.slots = slots + n;
      const counted = copies.counted[copies.extras[h]!];
      if (counted !== undefined) this.counts(o, counted, hint);
      return;
    }
    // it has other fields than last time
    copies.extras[h] = this.shapeOf(o, Object.getPrototypeOf(o) as object | null);
    for (const key of copies.shapes[copies.extras[h]!]!.f) this.slot(o[key]);
  }
  /** An object that counts the changes of its bytes; its fields were at `hint` last time. */
  private counts(o: Record<string, unknown>, { view, count, field }: NonNullable<Copies["counted"][number]>, hint: number): void {
    const same = hint + field < this.hintEnd && this.copies.lastValues[hint + field] === o[count];
    const { buffer } = o[view] as Uint8Array;
    if (!same || !this.counted.has(buffer)) this.counted.set(buffer, !same);
  }
  /** Index of the class and fields of an object; entered if they are new. */
  private shapeOf(o: object, proto: object | null): number {
    const { shapes, shapesOf } = this.copies;
    const keys = Object.keys(o);
    let known = shapesOf.get(proto);
    if (known === undefined) shapesOf.set(proto, (known = []));
    next: for (const shape of known) {
      const { f } = shapes[shape]!;
      if (f.length !== keys.length) continue;
      for (let i = 0; i < keys.length; i++) if (f[i] !== keys[i]) continue next;
      return shape;
    }
    const c = proto === Object.prototype || proto === null ? "" : this.classes.keyOf(proto);
    if (c === undefined) throw new Error(`${this.path(o)} is a ${o.constructor?.name ?? "object"}, a class that is not in machine/classes.ts`);
    const shape = shapes.push({ c, f: keys }) - 1;
    const counted = this.classes.countedOf(c);
    this.copies.counted[shape] = counted && { ...counted, field: keys.indexOf(counted.count) };
    known.push(shape);
    return shape;
  }
}

/**
 * Freezes everything reachable from `root`. With `copies`, frozen values share strings and shapes, and the buffers that have not changed between them; and
 * the next one is quicker.
 */
export function freeze(root: object, classes: ClassTable, externals: Externals, copies = new Copies()): Frozen {
  return new Freezer(root, classes, externals, copies).step(() => false)!;
}
