// worker/cpu/insn/define.ts — insn(name, flags, lowering): what an instruction does, said once.

import type { Builder, InsnForm, Operand } from "../build/builder.ts";

/** The meaning of an instruction in builder verbs. V and X are opaque: it works for every executor. */
export type Lowering = <V, X>(b: Builder<V, X>, ...operands: Operand[]) => void;

export interface Definition {
  readonly name: string;
  readonly lower: Lowering;
  /** The instruction may send control elsewhere or leave: it ends a block. */
  readonly ends: boolean;
  /** The value of the last immediate (0–255) is part of the shape: it stands in Operand.fixed in every executor. */
  readonly fixedImm: boolean;
}

/** Runs a definition. (Spreading its operands would be the slowest part of a short one.) */
export function lowerInto<V, X>(b: Builder<V, X>, { definition, form: { operands } }: { readonly definition: Definition | undefined; readonly form: InsnForm }): void {
  const { lower } = definition!, [first, second, third] = operands;
  switch (operands.length) {
    case 0:
      return lower(b);
    case 1:
      return lower(b, first!);
    case 2:
      return lower(b, first!, second!);
    case 3:
      return lower(b, first!, second!, third!);
    default:
      lower(b, ...operands);
  }
}

/** Options of a definition: see Definition. */
export interface DefinitionOptions {
  readonly ends?: boolean;
  readonly fixedImm?: boolean;
}

/** A file of definitions exports one of these. */
export type Definitions = Definition[];

/** Appends a definition. `names` may be several mnemonics with one meaning; the lowering can tell them apart by b.form.name. */
export function insn(into: Definitions, names: string | readonly string[], lower: Lowering, options: DefinitionOptions = {}): void {
  for (const name of typeof names === "string" ? [names] : names) into.push({ name, lower, ends: options.ends === true, fixedImm: options.fixedImm === true });
}
