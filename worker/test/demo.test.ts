// worker/test/demo.test.ts — nommu-demo: what each demonstration says by default, and with the parameters that change it.
import { readdirSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { DEFAULT_CMDLINE, TestMachine } from "./boot.ts";

const NAMES = readdirSync("scripts/userspace/demo").filter((name) => name.endsWith(".c")).map((name) => name.slice(0, -2));

/** By demonstration: what must be told by default. */
const BY_DEFAULT: Readonly<Record<string, readonly RegExp[]>> = {
  fork: [/fork\(\) = -1, Invalid argument/, /vfork\(\) worked.*: 2$/m],
  fragmentation: [/took \d\d+ pieces of 1 MiB, until Out of memory/, /free: \d{5,} kB\. Two MiB at once: Out of memory/],
  getpid: [/the bytes there: ff d0/],
  library: [/still a syscall/, /calls that trapped: (\d+) before, (?!\1 )\d+ after/],
  "map-fixed": [/MAP_FIXED, onto our own page: Invalid argument/, /mprotect: Function not implemented/],
  neighbour: [/process (\d+) looks into process (\d+), .*"the other one's own"\n {2}process \2 reads its variable: "overwritten by a stranger"/],
  "null-call": [/getppid\(\) = (\d+)\na call of address 0 with rax = 110 came back with \1\n/],
  page0: [/read of address 39: SIGSEGV at 0x27/, /write to address 39: SIGSEGV at 0x27/, /call of address 39: \d+/],
  pie: [/-no-pie: Exec format error/],
  preload: [/libzpoline: 1 sites rewritten/, /the bytes at .*: ff d0/, /calls that trapped: (\d+) before, \1 after/],
  stack: [/recursion of {2}8 .*: 0 bytes/, /recursion of 40 .*: \d{4,} bytes/],
};

/** And with CHANGED on the command line. */
const CHANGED = "nommu.fork=shadow nommu.map_fixed=own zpoline.scope=all zpoline.check=1";
const WHEN_CHANGED: Readonly<Record<string, readonly RegExp[]>> = {
  fork: [/fork\(\) worked/, /vfork\(\) worked.*: 2$/m],
  library: [/\(rewritten\)/, /calls that trapped: (\d+) before, \1 after/],
  "map-fixed": [/MAP_FIXED onto our own page worked/],
  "null-call": [/getppid\(\) = \d+\n(?!a call)/],
};

describe("nommu-demo", () => {
  let m: TestMachine;
  beforeAll(async () => {
    m = await TestMachine.boot();
  });
  test("lists every demonstration with its line", () => {
    const list = m.run("nommu-demo");
    for (const name of NAMES) expect(list).toMatch(new RegExp(`^  ${name} +\\S.*\\S$`, "m"));
    expect(Object.keys(BY_DEFAULT).sort()).toEqual(NAMES.sort());
  });
  test.each(NAMES)("%s", (name) => {
    const told = m.run(`nommu-demo ${name}`);
    for (const line of BY_DEFAULT[name]!) expect(told).toMatch(line);
    expect(told).toMatch(/^look: /m);
    expect(m.run(`nommu-demo -c ${name} | head -n 1`)).toMatch(new RegExp(`^// ${name}: `));
  });
  test("says what it does not know", () => {
    expect(m.run("nommu-demo nothing; echo $?")).toBe("nommu-demo: there is no demonstration nothing; nommu-demo lists them\n1\n");
  });
  test("says something else where the kernel was told to be something else", async () => {
    const changed = await TestMachine.boot({ cmdline: `${DEFAULT_CMDLINE} ${CHANGED}` });
    for (const [name, lines] of Object.entries(WHEN_CHANGED)) {
      const told = changed.run(`nommu-demo ${name}`);
      for (const line of lines) expect(told).toMatch(line);
    }
  });
});
