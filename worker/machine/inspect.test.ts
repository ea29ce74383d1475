// machine/inspect.test.ts — what the panels and lessons stand on: steps, breakpoints, recordings, events, checks; and that looking changes nothing.
import { expect, test } from "vitest";
import { loadIced } from "../cpu/iced.ts";
import type { MachineEvent } from "../protocol/inspect.ts";
import { TestMachine } from "../test/boot.ts";
import { satisfies } from "./checks.ts";
import { Inspector } from "./inspect.ts";

const GETPID = "/usr/libexec/nommu/getpid";

async function inspected(options: { readonly cmdline?: string; readonly hot?: number } = {}): Promise<{ m: TestMachine; i: Inspector; events: MachineEvent[] }> {
  const m = await TestMachine.boot(options);
  const events: MachineEvent[] = [];
  const i = new Inspector(m.machine, await loadIced(), (e) => events.push(e));
  return { m, i, events };
}
/** Runs until the debugger stops the machine; why. */
function untilStop(m: TestMachine, i: Inspector): string {
  for (let n = 0; n < 200_000; n++) {
    const reason = i.debug.run(100_000);
    if (reason === "stop") return i.stopped();
    if (reason === "halted") throw new Error("halted");
    if (reason === "idle") {
      if (m.machine.until() === Infinity) throw new Error("everything sleeps");
      m.machine.advance_idle(m.machine.until());
    }
  }
  throw new Error("it does not stop");
}
function until(m: TestMachine, i: Inspector, done: () => boolean): void {
  for (let n = 0; n < 200_000 && !done(); n++) if (i.debug.run(100_000) === "idle" && m.machine.until() < Infinity) m.machine.advance_idle(m.machine.until());
  expect(done()).toBe(true);
}

test("one call, instruction by instruction: from mov through the nops into the kernel and back", async () => {
  const { m, i } = await inspected();
  i.record(39, "getpid");
  m.type(`${GETPID}\n`);
  until(m, i, () => i.recorded() !== undefined);
  const t = i.recorded()!;
  expect(t.name).toBe("getpid");
  const { steps } = t;
  expect(steps[t.call]!.text).toBe("call *%rax");
  expect(steps[t.call - 1]!.text).toMatch(/mov .*\$0x27.*%eax/);
  expect(steps[t.page0]!.rip).toBe(39);
  // 175 nops to the jump at 214, over 127 bytes, and from 343 on to 463
  expect(t.nops).toBe(175 + 120);
  expect(steps[t.entry]!.text).toBe("vmcall");
  expect(steps[t.entry]!.rcx).toBe((steps[t.call]!.rip + 2).toString(16).padStart(16, "0"));
  expect(steps[t.back]!.rip).toBe(steps[t.call]!.rip + 2);
  expect(steps[t.back]!.rsp).toBe(steps[t.call]!.rsp);
  expect(Number.parseInt(steps[t.back]!.rax, 16)).toBeGreaterThan(1);
});

test("a call that traps is recorded, too", async () => {
  const { m, i } = await inspected({ cmdline: "ubd0=disk rw mem=128m loglevel=4 init=/sbin/init zpoline=0" });
  i.record(39, "getpid");
  m.type(`${GETPID}\n`);
  until(m, i, () => i.recorded() !== undefined);
  const t = i.recorded()!;
  expect(t.page0).toBe(-1);
  expect(t.steps[t.call]!.text).toBe("syscall");
  expect(t.nops).toBe(0);
});

test("breakpoints: call, start, address, write, fault; step, over, until the next call", async () => {
  const { m, i } = await inspected();
  i.breakpoints([{ kind: "start", comm: "getpid" }]);
  m.type(`${GETPID}\n`);
  expect(untilStop(m, i)).toMatch(/starts getpid/);
  const entry = i.registers();
  expect(entry.comm).toBe("getpid");
  i.breakpoints([]);
  const before = m.machine.retired;
  i.go("step");
  expect(untilStop(m, i)).toMatch(/^One instruction of getpid/);
  expect(m.machine.retired).toBe(before + 1);
  i.go("call");
  expect(untilStop(m, i)).toMatch(/calls \w+\. The kernel has not done it yet/);
  // to the first call instruction, and over it
  while (!/^call/.test(i.registers().code[0]!.text)) {
    i.go("step");
    untilStop(m, i);
  }
  const { rip, rsp, code } = i.registers();
  i.go("over");
  untilStop(m, i);
  expect(i.registers().rip).toBe(rip + (code[0]!.bytes.length + 1) / 3);
  expect(i.registers().rsp).toBe(rsp);
  i.breakpoints([{ kind: "call", name: "getpid" }]);
  i.go("run");
  expect(untilStop(m, i)).toMatch(/calls getpid: there is a breakpoint/);
  // the word at the top of the stack is written sooner or later
  const at = i.registers().rsp - 64;
  i.breakpoints([{ kind: "write", address: at, length: 8 }]);
  i.go("run");
  expect(untilStop(m, i)).toContain(`changed the bytes at 0x${at.toString(16)}`);
  i.breakpoints([{ kind: "address", address: rip }]);
  m.type(`${GETPID}\n`);
  i.go("run");
  expect(untilStop(m, i)).toContain(`reached 0x${rip.toString(16)}`);
  i.breakpoints([{ kind: "fault" }]);
  m.type("/usr/libexec/nommu/page0\n");
  i.go("run");
  expect(untilStop(m, i)).toMatch(/an instruction of page0 .* faulted/);
});

test("looking on changes nothing: the same instructions and the same time with everything watched", async () => {
  const run = async (watched: boolean): Promise<string> => {
    const { m, i } = await inspected();
    if (watched) {
      i.watchCalls(true);
      i.checks([{ id: "a", kind: "syscall", args: { name: "nosuch" } }]);
      i.breakpoints([{ kind: "address", address: 500 }, { kind: "call", name: "nosuch" }]);
    }
    m.type(`${GETPID}; ls /proc | wc -l; echo d''one\n`);
    until(m, i, () => m.text.includes("\r\ndone"));
    until(m, i, () => m.machine.run(0) === "idle");
    return `${m.machine.retired} ${m.machine.kernel.time.monotonic()} ${i.registers().values.join(" ")}`;
  };
  expect(await run(true)).toBe(await run(false));
});

test("events: start, end with the kernel's status, stray calls, faults", async () => {
  const { m, i, events } = await inspected();
  m.type("false; /usr/libexec/nommu/null-call; /usr/libexec/nommu/page0; sh -c 'kill -9 $$'; echo d''one\n");
  until(m, i, () => m.text.includes("\r\ndone"));
  const told = (type: MachineEvent["type"]): MachineEvent[] => events.filter((e) => e.type === type);
  expect(told("start")).toContainEqual(expect.objectContaining({ comm: "null-call" }));
  expect(told("end")).toContainEqual(expect.objectContaining({ comm: "page0", status: 0 }));
  expect(told("end").some((e) => e.type === "end" && e.status === 9)).toBe(true);
  expect(told("stray")).toContainEqual(expect.objectContaining({ comm: "null-call", name: "getppid" }));
  expect(told("fault").some((e) => e.type === "fault" && e.words.includes("page 0"))).toBe(true);
});

test("calls are quick while nobody looks at them, and what happens in them is told all the same", async () => {
  const { m, i, events: all } = await inspected({ hot: 100 });
  const { machine } = m, { log } = machine.cpu;
  const names = i.callNames();
  let events: MachineEvent[] = [], quick: string[] = [];
  const plain = machine.quick.bind(machine);
  machine.quick = (nr) => (quick.push(names[nr]!), plain(nr));
  const run = (command: string): void => {
    quick = [];
    const from = all.length;
    m.run(command);
    events = all.slice(from);
  };
  const ends = (status: number): number => events.filter((e) => e.type === "end" && e.status === status << 8).length;
  run("for i in 1 2 3 4 5 6 7 8 9; do (exit 3); done; i=0; while [ $i -lt 200 ]; do i=$((i+1)); echo x >/dev/null; done");
  expect(["write", "fcntl", "wait4", "execve"].filter((name) => !quick.includes(name))).toEqual([]);
  expect([ends(3), events.filter((e) => e.type === "start").length]).toEqual([9, 9]);
  expect(events.filter((e) => e.type === "stray")).toEqual([]);
  // the sites are forgotten: now each call is one that comes from where none was rewritten
  machine.arch.zpoline.rewritten.forget(0, machine.kernel.mem.size);
  // sites that were seen are looked up anew after an execve
  run("(exit 3)");
  const fcntl = names.indexOf("fcntl"), before = log.histogram[fcntl]!;
  run("i=0; while [ $i -lt 40 ]; do i=$((i+1)); echo x >/dev/null; done");
  expect(quick).toContain("fcntl");
  const strays = events.filter((e) => e.type === "stray" && e.name === "fcntl");
  expect(strays.length).toBe(log.histogram[fcntl]! - before);
  expect(strays.length).toBeGreaterThan(0);
  i.watchCalls(true);
  run("(exit 3)");
  expect(quick).toEqual([]);
  expect(ends(3)).toBe(1);
  expect(i.calls(0).some((c) => c.name === "wait4")).toBe(true);
  i.watchCalls(false);
  i.checks([{ id: "a", kind: "syscall", args: { name: "fcntl", times: "3" } }]);
  run("i=0; while [ $i -lt 40 ]; do i=$((i+1)); echo x >/dev/null; done");
  // the check has turned green on the way, and nobody looks any more
  expect(events).toContainEqual({ type: "check", id: "a" });
  expect(quick).toContain("fcntl");
});

test("checks turn green when it happens, and not before", async () => {
  const { m, i, events } = await inspected();
  const green = (): string[] => events.flatMap((e) => (e.type === "check" ? [e.id] : []));
  i.checks([
    { id: "call", kind: "syscall", args: { name: "getpid", by: "getpid", trapped: "no" } },
    { id: "often", kind: "syscall", args: { name: "getpid", by: "getpid", times: ">=2" } },
    { id: "exit", kind: "process", args: { name: "getpid", exit: "0" } },
    { id: "refused", kind: "syscall", args: { name: "mprotect", error: "ENOSYS", by: "map-fixed" } },
    { id: "text", kind: "screen", args: { match: "^the bytes there: ff d0" } },
    { id: "file", kind: "rewrite", args: { file: "getpid", sites: "1" } },
    { id: "boot", kind: "boot", args: { has: "zpoline=0" } },
    { id: "poke", kind: "poke", args: {} },
  ]);
  expect(green()).toEqual([]);
  const os = m.machine.kernel.os;
  const write = os.consoleWrite.bind(os);
  os.consoleWrite = (line, bytes) => (write(line, bytes), i.output(line, bytes));
  m.type(`${GETPID}\n`);
  until(m, i, () => green().includes("exit") && green().includes("text"));
  expect(green().toSorted()).toEqual(["call", "exit", "file", "text"]);
  m.type(`${GETPID}; /usr/libexec/nommu/map-fixed\n`);
  until(m, i, () => green().includes("refused"));
  expect(green()).toContain("often");
  i.poke(i.address("rsp-100"), [1]);
  expect(green()).toContain("poke");
  expect(green()).not.toContain("boot");
  expect([satisfies(3, ">=3"), satisfies(3, "<3"), satisfies(-1, "-1"), satisfies(1, "x")]).toEqual([true, false, true, false]);
});

test("calls as strace writes them, absent ones with their arguments; a flood is counted", async () => {
  const { m, i } = await inspected();
  i.watchCalls(true);
  m.type("/usr/libexec/nommu/map-fixed; echo d''one\n");
  until(m, i, () => m.text.includes("\r\ndone"));
  const texts = i.calls(0).map((c) => c.text);
  expect(texts.some((t) => /^mprotect\(0x[0-9a-f]+, 8192|^mprotect\(0x[0-9a-f]+, 4096, PROT_NONE\) = -1 ENOSYS/.test(t))).toBe(true);
  expect(texts.every((t) => !t.includes("(…)"))).toBe(true);
  m.type("i=0; while [ $i -lt 400 ]; do i=$((i+1)); echo x >/dev/null; done; echo tw''o\n");
  until(m, i, () => m.text.includes("\r\ntwo"));
  expect(i.calls(0).some((c) => /and \d+ more like it/.test(c.text))).toBe(true);
});

test("what lies where: sites, code around them, memory, processes", async () => {
  const { m, i } = await inspected();
  i.breakpoints([{ kind: "call", name: "getpid", by: "getpid" }]);
  m.type(`${GETPID}\n`);
  expect(untilStop(m, i)).toMatch(/getpid .* calls getpid/);
  const image = i.images().find((x) => x.name.endsWith("/getpid"))!;
  const site = i.sites(image.name).find((s) => s.nr === 39)!;
  expect(site).toMatchObject({ name: "getpid", left: undefined, now: "ff d0" });
  const code = i.siteCode(image.name, site.address);
  expect(code.before.map((l) => l.text)).toContain("syscall");
  expect(code.after.map((l) => l.text)).toContain("call *%rax");
  const map = i.memory();
  expect(map.rows[0]).toMatchObject({ start: 0, kind: "trampoline" });
  expect(map.rows.at(-1)!.end).toBe(map.size);
  expect(i.address("rsp+10")).toBe(i.registers().rsp + 16);
  expect(() => i.address("rubbish!")).toThrow(/no address/);
  expect(i.look(39, 16).words.join(" ")).toContain("system call 39");
  const row = i.processes().find((p) => p.comm === "getpid")!;
  expect(row.args).toContain("getpid");
  expect(row.files.map(([fd]) => fd)).toContain(1);
  // the one that ran the loader last is gone: its code is shown where another process has it
  i.breakpoints([]);
  i.go("run");
  until(m, i, () => i.processes().every((p) => p.comm !== "getpid"));
  const musl = i.images().find((x) => x.name.includes("ld-musl"))!;
  expect(i.processes().map((p) => p.pid)).toContain(musl.pid);
  const sites = i.sites(musl.name);
  expect(sites.length).toBeGreaterThan(400);
  expect(sites.filter((s) => s.now !== (s.left === undefined ? "ff d0" : "0f 05"))).toEqual([]);
  expect(i.siteCode(musl.name, sites[0]!.address).after.map((l) => l.text)).toContain("call *%rax");
  expect(i.images().find((x) => x.name.endsWith("/getpid"))).toBeDefined();
  expect(i.sites(image.name).every((s) => s.now === undefined)).toBe(true);
});
