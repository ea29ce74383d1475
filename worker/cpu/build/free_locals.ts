// worker/cpu/build/free_locals.ts — locals of a function that may be used again, by type.
import type { WasmType } from "./module.ts";

/** A property of its own for each type: to look for a list by the type's name would be slower than all that is done with it. */
export class FreeLocals {
  private readonly i32: number[] = [];
  private readonly i64: number[] = [];
  private readonly f32: number[] = [];
  private readonly f64: number[] = [];
  private readonly v128: number[] = [];

  of(type: WasmType): number[] {
    switch (type) {
      case "i32":
        return this.i32;
      case "i64":
        return this.i64;
      case "f32":
        return this.f32;
      case "f64":
        return this.f64;
      case "v128":
        return this.v128;
    }
  }
  clear(): void {
    for (const list of [this.i32, this.i64, this.f32, this.f64, this.v128]) while (list.length > 0) list.pop();
  }
}
