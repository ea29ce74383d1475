// scripts/lessons.test.ts — lessons and their Markdown: ours are well-formed, and what is wrong with others is said with its line.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readLessons } from "./lessons.ts";
import { CHECK_KINDS } from "../worker/machine/checks.ts";
import { bootLine, bootsAs, KINDS, parseBreakpoints, parseLesson } from "../src/lessons/lesson.ts";
import { parseArgs, parseBlocks, parseInline } from "../src/lessons/markdown.ts";
import { accepted, lint, parseBytes } from "../src/lessons/solve.ts";

test("our lessons are well-formed, and the list names each of them", () => {
  const lessons = readLessons();
  expect(lessons.length).toBe(11);
  expect(lessons.flatMap(lint)).toEqual([]);
  for (const l of lessons) expect(l.steps.length, l.id).toBeGreaterThanOrEqual(3);
});
test("the example in docs/lessons.md is a lesson", () => {
  const guide = readFileSync("docs/lessons.md", "utf8");
  const example = /````markdown\n([^]*?)\n````/.exec(guide)![1]!;
  expect(lint(parseLesson("example", example))).toEqual([]);
});
test("the page and the machine know the same kinds of checks", () => {
  const { answer, view, ...machine } = KINDS;
  expect(machine).toEqual(CHECK_KINDS);
  expect([answer, view]).toEqual([["accept"], ["panel"]]);
});

test("Markdown as data, and no HTML", () => {
  expect(parseInline("a `b*c` **d *e*** [f](#g) <b>")).toEqual([
    { text: "a " }, { code: "b*c" }, { text: " " }, { strong: [{ text: "d " }, { em: [{ text: "e" }] }] }, { text: " " }, { link: "#g", of: [{ text: "f" }] }, { text: " <b>" },
  ]);
  expect(parseInline("[x](javascript:alert(1))")).toEqual([{ text: "[x](javascript:alert(1))" }]);
  expect(parseBlocks(["- a", "  b", "- c", "", "1. d", "```", "x  y", "```", "", "e", "f"])).toEqual([
    { type: "list", ordered: false, items: [[{ text: "a b" }], [{ text: "c" }]] }, { type: "list", ordered: true, items: [[{ text: "d" }]] }, { type: "code", text: "x  y" }, { type: "paragraph", of: [{ text: "e f" }] },
  ]);
  expect(parseArgs('id=a match="x \\"y\\" z" flag times=>=2')).toEqual({ id: "a", match: 'x "y" z', flag: "yes", times: ">=2" });
});

test.each([
  ["no head", "line 1"],
  ["---\ntitle: x\n---\n", "no steps"],
  ["---\ntitle: x\n---\n## a\n:::run\nls\n", "line 5"],
  ["---\ntitle: x\n---\n## a\n:::check{id=a kind=nosuch}\nx\n:::", "line 5: there is no check of the kind nosuch"],
  ["---\ntitle: x\n---\n## a\n:::check{id=a kind=syscall nam=x}\nx\n:::", "has no nam"],
  ["---\ntitle: x\n---\n## a\n:::view{panel=nowhere}\n:::", "there is no panel"],
  ["---\ntitle: x\n---\n## a\n:::solve\nwait a bit\n:::", "is no deed"],
  ["---\ntitle: x\n---\n## a\n:::view{breakpoints=\"sometimes\"}\n:::", "is no breakpoint"],
])("%j", (text, sentence) => {
  expect(() => parseLesson("x", text)).toThrow(sentence);
});

test("command lines, breakpoints, bytes and answers", () => {
  expect(bootLine("ubd0=a zpoline=0 mem=64m -- -c x", "um=ptrace mem=32m")).toBe("ubd0=a um=ptrace mem=32m -- -c x");
  expect([bootsAs("a mem=1", undefined), bootsAs("a zpoline=0", ""), bootsAs("a zpoline=0", "zpoline=0")]).toEqual([true, false, true]);
  expect(parseBreakpoints("call getpid by sh, start ls, address 27, fault")).toEqual([{ kind: "call", name: "getpid", by: "sh" }, { kind: "start", comm: "ls" }, { kind: "address", address: 0x27 }, { kind: "fault" }]);
  expect([parseBytes("90 c3"), parseBytes('"hi\\0"')]).toEqual([[0x90, 0xc3], [0x68, 0x69, 0]]);
  expect([accepted(" SigSegv ", ["SIGSEGV"]), accepted("x", ["y"])]).toEqual([true, false]);
});
