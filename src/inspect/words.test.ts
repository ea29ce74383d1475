// src/inspect/words.test.ts — instructions in plain words.
import { expect, test } from "vitest";
import { inWords } from "./words.ts";

const names = Array.from({ length: 40 }, (_, i) => (i === 39 ? "getpid" : undefined));

test.each([
  ["mov $0x27,%eax", "put 0x27 into eax — 39 is getpid"],
  ["mov -0x8(%rbp),%rax", "put the memory at rbp − 0x8 into rax"],
  ["lea 0x10(%rax,%rbx,8),%rcx", "work out where the memory at rax + rbx + 8 + 0x10 is, and put that into rcx"],
  ["call *%rax", "go to the address in rax, and remember on the stack where to come back"],
  ["xor %edi,%edi", "put 0 into edi"],
  ["jne 0x000000000040AB12", "go on at 0x000000000040AB12 if they were not equal, or the result was not zero"],
  ["pop %rcx", "take the top of the stack into rcx"],
  ["push %rbx", "put rbx on the stack"],
  ["cmp $1,%rdi", "compare rdi with 1: sets the flags only"],
  ["rep stosq", "store rax at rdi, again until rcx is 0"],
  ["vfmadd231ps %ymm0,%ymm1,%ymm2", ""],
])("%s", (text, words) => {
  expect(inWords(text, names)).toBe(words);
});
