// worker/cpu/fault.ts — what a bad address means: #PF, #GP or #SS, and whether it was a write. SDM Vol. 3, 6.15; AMD's Vol. 2, 8.2.
//
// The executors say which access failed; what they do not keep in mind (which segment it went through, whether the instruction would have written
// what it could not read, whether it should have noticed something before) is worked out here, from the instruction.

import { type Decoder, Insn } from "./decode.ts";
import { EXIT_ADDRESS, EXIT_GP, EXIT_MF, EXIT_PF, EXIT_SS, type Exit } from "./exit.ts";
import { type CpuState, ST_EXIT_ADDR, ST_EXIT_FLAGS, ST_FS_BASE, ST_FSW, ST_GS_BASE } from "./state.ts";

const WRITE = 1, FETCH = 2, MISALIGNED = 4;

/** x87 status word: an unmasked exception is pending */
const ES = 0x80;
/** Instructions of the x87 that notice a pending exception, before they look at memory: all but fnstcw and its kin, fxsave and fxrstor. SDM Vol. 1, 8.6 */
const WAITING = /^f[^nx]/;

const canonical = (a: bigint): boolean => BigInt.asUintN(64, BigInt.asIntN(48, a)) === a;

/** Makes what the outside sees of an internal exit; ST_EXIT_FLAGS is then right, too. Other exits are as they were. */
export function refineFault(exit: number, state: CpuState, decoder: Decoder): Exit {
  if (exit !== EXIT_ADDRESS && exit !== EXIT_PF) return exit as Exit;
  const flags = state.get32(ST_EXIT_FLAGS);
  if ((flags & FETCH) !== 0) return EXIT_PF;
  if ((state.get32(ST_FSW) & ES) !== 0 && waits(state.rip, decoder)) return EXIT_MF;
  const address = state.get64(ST_EXIT_ADDR >> 3), last = BigInt.asUintN(64, address + BigInt(Math.max(flags >> 8, 1) - 1));
  const bad = !canonical(address) || !canonical(last);
  if (exit === EXIT_ADDRESS && !bad) return EXIT_GP; // misaligned
  if (!bad && (flags & WRITE) !== 0) return EXIT_PF;
  const accesses = decoder.accesses(state.rip, (n) => state.get64(n), [state.get64(ST_FS_BASE >> 3), state.get64(ST_GS_BASE >> 3)]);
  const access = accesses.find((a) => a.address === address) ?? accesses[0];
  if (bad) return access?.stack === true && (flags & MISALIGNED) === 0 ? EXIT_SS : EXIT_GP;
  if (access?.both === true) state.set32(ST_EXIT_FLAGS, flags | WRITE);
  return EXIT_PF;
}

function waits(rip: number, decoder: Decoder): boolean {
  const insn = new Insn();
  decoder.forget();
  decoder.decode(rip, insn);
  return insn.length > 0 && WAITING.test(insn.shape.form.name);
}
