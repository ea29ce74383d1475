// worker/cpu/insn/all.ts — every definition, by mnemonic.

import type { Definition, Definitions } from "./define.ts";
import { AVX } from "./avx.ts";
import { alu } from "./alu.ts";
import { bit } from "./bit.ts";
import { branch } from "./branch.ts";
import { mov } from "./mov.ts";
import { muldiv } from "./muldiv.ts";
import { SSE_CONVERT } from "./sse_convert.ts";
import { SSE_FLOAT } from "./sse_float.ts";
import { SSE_INT } from "./sse_int.ts";
import { SSE_MOVE } from "./sse_move.ts";
import { X87_INSN } from "./x87.ts";
import { segment } from "./segment.ts";
import { shift } from "./shift.ts";
import { stack } from "./stack.ts";
import { string } from "./string.ts";
import { system } from "./system.ts";

const files: Definitions[] = [alu, bit, branch, mov, muldiv, segment, shift, stack, string, system, SSE_MOVE, SSE_INT, SSE_FLOAT, SSE_CONVERT, X87_INSN, AVX];

export const definitions: ReadonlyMap<string, Definition> = new Map(files.flat().map((d) => [d.name, d]));
