// worker/cpu/jit/callees.ts — what regions call outside of their module. It comes in as globals, from which each module makes a table of its own.
//
// A function that is imported as such costs more than all the rest of a module: V8 compiles a way to a JavaScript function of that type
// beforehand, with its best compiler, for each module again (Node 20: 0.1 ms of processor time and 0.2 of waiting for each type; later versions keep
// them). A table that is imported would have to be told of all instances, and each new one costs more than the one before.
import { IMPORTS } from "../build/imports.ts";
import { ModuleWriter, type WasmType } from "../build/module.ts";

export class Callees {
  private readonly functions: Readonly<Record<string, WebAssembly.ImportValue>>;
  /** by name: which type of a module it has */
  private readonly typeOf = new Map<string, number>();
  private readonly types: (readonly [params: readonly WasmType[], results: readonly WasmType[], key: string])[] = [];
  /** what modules import */
  readonly imports: Record<string, WebAssembly.ImportValue>;

  /** @param functions by name: a helper is a JavaScript one, others generated */
  constructor(memory: WebAssembly.Memory, functions: Readonly<Record<string, WebAssembly.ImportValue>>) {
    this.functions = functions;
    this.imports = { m: memory };
  }
  /** The type that this function has in modules; from now on it can be called. */
  type(name: string): number {
    const known = this.typeOf.get(name);
    if (known !== undefined) return known;
    const wanted = IMPORTS[name] ?? [[], ["i32"]] as const, key = ModuleWriter.key(...wanted);
    let type = this.types.findIndex((t) => t[2] === key);
    if (type < 0) type = this.types.push([...wanted, key]) - 1;
    this.typeOf.set(name, type);
    // a global takes generated functions alone; one that was imported and exported is
    const w = new ModuleWriter();
    w.exportFunction(name, w.importFunction(name, ...wanted));
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(w.finish()), { e: this.functions });
    this.imports[name] = new WebAssembly.Global({ value: "anyfunc", mutable: false }, exports[name] as never);
    return type;
  }
  /** A module begins that calls these: the types come first, in their order. */
  declare(w: ModuleWriter, names: readonly string[]): void {
    for (const [params, results, key] of this.types) w.type(params, results, key);
    w.tableOfGlobals(names);
  }
}
