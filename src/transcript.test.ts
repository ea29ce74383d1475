// src/transcript.test.ts — a session at the console as commands.
import { expect, test } from "vitest";
import { asText, ending, Transcript } from "./transcript.ts";

test("commands with their output and how they ended, whatever the pieces", () => {
  const t = new Transcript();
  for (const piece of ["boot\n~ # l", "x\bs -l\n", "total 0\n", "~ # "]) t.print(piece);
  t.ended("ls", 0);
  t.print("false\n~ # crash\n");
  t.ended("crash", 11);
  t.print("~ # ");
  expect(t.entries.map((e) => [e.command, e.output, e.ends])).toEqual([
    [undefined, "boot\n", []],
    ["ls -l", "total 0\n", [["ls", 0]]],
    ["false", "", []],
    ["crash", "", [["crash", 11]]],
  ]);
  expect(asText(t.entries)).toBe("boot\n# ls -l\ntotal 0\n[ls: exit 0]\n# false\n# crash\n[crash: killed by signal 11]\n");
  expect([ending(0x300), ending(9)]).toEqual(["exit 3", "killed by signal 9"]);
});
