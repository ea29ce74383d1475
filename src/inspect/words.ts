// src/inspect/words.ts — instructions in plain words: what the line does, without looking at registers.

/** By mnemonic without its size letter: a sentence with $0 for the destination and $1 for the source (AT&T order: source first). */
const MEANINGS: Readonly<Record<string, string>> = {
  mov: "put $1 into $0", movabs: "put $1 into $0", movzx: "put $1, widened with zeros, into $0", movsx: "put $1, widened with its sign, into $0", movslq: "put $1, widened with its sign, into $0",
  lea: "work out where $1 is, and put that into $0", push: "put $1 on the stack", pop: "take the top of the stack into $0", add: "add $1 to $0", sub: "subtract $1 from $0", adc: "add $1 and the carry to $0",
  sbb: "subtract $1 and the borrow from $0", and: "keep the bits of $0 that are also in $1", or: "set the bits of $1 in $0", xor: "flip the bits of $1 in $0", not: "flip all bits of $0", neg: "negate $0", inc: "add 1 to $0",
  dec: "subtract 1 from $0", cmp: "compare $0 with $1: sets the flags only", test: "look whether $0 and $1 have common bits: sets the flags only", shl: "shift $0 left by $1", shr: "shift $0 right by $1",
  sar: "shift $0 right by $1, keeping its sign", rol: "rotate $0 left by $1", ror: "rotate $0 right by $1", imul: "multiply", mul: "multiply rax, the result is in rdx:rax", div: "divide rdx:rax by $0", idiv: "divide rdx:rax by $0, signed",
  cqto: "fill rdx with the sign of rax", cltq: "widen eax to rax", cltd: "fill edx with the sign of eax", jmp: "go on at $0", call: "go to $0, and remember on the stack where to come back", ret: "go back to where the stack says", leave: "give the stack frame back",
  nop: "do nothing", endbr64: "nothing here: a mark that calls may arrive", syscall: "ask the kernel: this one traps", vmcall: "the door: the kernel's own code begins here", hlt: "stop: not allowed to programs", int3: "stop for a debugger",
  ud2: "an instruction that is none, on purpose", cpuid: "ask the CPU what it can do", rdtsc: "read the time stamp counter", xchg: "exchange $0 and $1", cmpxchg: "put $1 into $0 if $0 is what rax holds", xadd: "exchange and add", bt: "copy bit $1 of $0 into the carry",
  bsf: "find the lowest set bit of $1", bsr: "find the highest set bit of $1", tzcnt: "count the zeros at the low end of $1", movsb: "copy a byte from rsi to rdi", stos: "store al at rdi", stosb: "store al at rdi", stosq: "store rax at rdi", lods: "load from rsi", scasb: "look for al at rdi",
  cld: "string instructions go upwards", std: "string instructions go downwards", pxor: "flip the bits of $1 in $0 (128 bits)", movaps: "put 16 aligned bytes of $1 into $0", movups: "put 16 bytes of $1 into $0", movdqa: "put 16 aligned bytes of $1 into $0",
  movdqu: "put 16 bytes of $1 into $0", movq: "put 8 bytes of $1 into $0", movd: "put 4 bytes of $1 into $0", fld: "push $1 on the x87 stack", fstp: "pop the x87 stack into $0", pause: "wait a moment: a loop is spinning",
};
const CONDITIONS: Readonly<Record<string, string>> = {
  e: "they were equal, or the result was zero", ne: "they were not equal, or the result was not zero", z: "the result was zero", nz: "the result was not zero", a: "the first was above (unsigned)", ae: "the first was above or equal (unsigned)", b: "the first was below (unsigned)",
  be: "the first was below or equal (unsigned)", g: "the first was greater (signed)", ge: "the first was greater or equal (signed)", l: "the first was less (signed)", le: "the first was less or equal (signed)", s: "the result was negative", ns: "the result was not negative",
  o: "it overflowed", no: "it did not overflow", p: "parity is even", np: "parity is odd",
};

/** Operands of an AT&T line, in its order. */
function operands(text: string): string[] {
  const out: string[] = [];
  let depth = 0;
  let part = "";
  for (const c of text) {
    if (c === "(") depth++;
    if (c === ")") depth--;
    if (c === "," && depth === 0) {
      out.push(part);
      part = "";
    } else part += c;
  }
  if (part !== "") out.push(part);
  return out.map((o) => o.trim());
}

function say(operand: string): string {
  const memory = /^(?:%\w\w:)?(-?(?:0x)?[0-9a-f]*)\(([^)]*)\)$/i.exec(operand);
  if (memory !== null) return `the memory at ${memory[2]!.replaceAll("%", "").replaceAll(",", " + ")}${memory[1] === "" ? "" : memory[1]!.startsWith("-") ? ` − ${memory[1]!.slice(1)}` : ` + ${memory[1]}`}`;
  return operand.replace(/^\*/, "the address in ").replaceAll("%", "").replace(/^\$/, "");
}

/** One line of plain words; empty for what has none. `names`: system calls by number, for `mov $39, %eax`. */
export function inWords(text: string, names: readonly (string | undefined)[] = []): string {
  const m = /^(?:(rep\w*|lock|bnd|notrack)\s+)?(\S+)\s*(.*)$/.exec(text);
  if (m === null) return "";
  const [, prefix, mnemonic = "", rest = ""] = m;
  const ops = operands(rest);
  const source = say(ops[0] ?? "");
  const target = say(ops.at(-1) ?? "");
  if (mnemonic === "xor" && ops.length === 2 && ops[0] === ops[1]) return `put 0 into ${target}`;
  const jump = /^j(\w+)$/.exec(mnemonic);
  if (jump !== null && CONDITIONS[jump[1]!] !== undefined) return `go on at ${target} if ${CONDITIONS[jump[1]!]}`;
  const move = /^cmov(\w+?)[lqw]?$/.exec(mnemonic);
  if (move !== null && CONDITIONS[move[1]!] !== undefined) return `put ${source} into ${target} if ${CONDITIONS[move[1]!]}`;
  const set = /^set(\w+)$/.exec(mnemonic);
  if (set !== null && CONDITIONS[set[1]!] !== undefined) return `put 1 into ${target} if ${CONDITIONS[set[1]!]}, else 0`;
  const meaning = MEANINGS[mnemonic] ?? MEANINGS[mnemonic.replace(/[bwlq]$/, "")];
  if (meaning === undefined) return "";
  let words = meaning.replace("$0", target).replace("$1", mnemonic === "cmp" || ops.length > 1 ? source : target);
  const number = /^mov[lq]?\s+\$(0x[0-9a-f]+|\d+),%[er]ax$/.exec(text);
  const name = number === null ? undefined : names[Number(number[1])];
  if (name !== undefined) words += ` — ${Number(number![1])} is ${name}`;
  return prefix === undefined ? words : prefix.startsWith("rep") ? `${words}, again until rcx is 0` : prefix === "lock" ? `${words}, in one piece` : words;
}
