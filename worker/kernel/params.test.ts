// kernel/params.test.ts — the command line and the log.
import { expect, test } from "vitest";
import { Params, memparse } from "./params.ts";
import { FakeKernel } from "./testing.ts";

test("known parameters are the kernel's, the rest is init's", () => {
  const p = new Params('ubd0=a.ext4 rw mem=256m loglevel=8 init=/bin/sh single FOO="a b" mod.x=1 quiet -- -c "echo hi"');
  expect(p.get("loglevel")).toBe("8");
  expect(p.get("rw")).toBe("");
  expect(p.get("ro")).toBeUndefined();
  expect(p.starting("ubd")).toEqual([{ name: "ubd0", value: "a.ext4" }]);
  expect(p.argv_init).toEqual(["single", "-c", "echo hi"]);
  expect(p.envp_init).toEqual(["HOME=/", "TERM=linux", "mem=256m", "FOO=a b"]);
  expect(p.unknown_message()).toBe('Unknown kernel command line parameters "mem=256m single FOO=a b", will be passed to user space.');
});

test("init= forgets the arguments before it", () => {
  expect(new Params("one init=/x two").argv_init).toEqual(["two"]);
});

test("sizes have suffixes", () => {
  expect([memparse("64m"), memparse("0x10k"), memparse("1G"), memparse("x")]).toEqual([64 << 20, 16384, 1 << 30, NaN]);
});

test("the log shows what is below the console's level, and keeps all", () => {
  const f = new FakeKernel();
  const { printk } = f.kernel;
  printk.console_loglevel = 5;
  printk.info("quiet");
  printk.err("loud");
  expect(f.log).toEqual(["loud"]);
  expect(printk.records.map((r) => printk.format_syslog(r))).toEqual(["<6>quiet\n", "<3>loud\n"]);
  printk.write_kmsg("<12>from user\n");
  const rec = printk.records[2]!;
  expect(printk.format_kmsg(rec)).toBe(`12,2,0,-;from user\n`);
});
