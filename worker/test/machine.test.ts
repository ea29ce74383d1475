// worker/test/machine.test.ts — whole machines: what a boot must hold whatever runs in it
import { expect, test } from "vitest";
import { createHash } from "node:crypto";
import { Snapshots } from "../machine/snapshot.ts";
import { TestMachine, image, IMAGE_4K } from "./boot.ts";

const SESSION = [
  "ls -l / | sort -r | head -2 | cut -c1-10; echo $(seq 5) | tr ' ' '\\n' | wc -l",
  "for i in 1 2 3; do echo $i > /tmp/f$i; done; cat /tmp/f? | sort -rn; rm /tmp/f?",
  "sleep 1 & wait; (exit 3); echo $?; false || echo or",
  "awk 'BEGIN { printf \"%d %.3f %s\\n\", 2^10, exp(1), sprintf(\"%x\", 255) }'; printf '%5.2f|%-5s|%05d\\n' 3.14159 ab 42",
  // tasks that take turns: who runs when is part of it
  "seq 3000 | sort -r | sha256sum",
];

/** Types the session, and ends with what makes two machines comparable. */
function play(m: TestMachine, slice: () => number): { text: string; retired: number; ns: number; state: string } {
  m.machine.boot();
  m.until(/[#$] $/, 0, slice());
  for (const command of SESSION) {
    const from = m.text.length;
    m.type(`${command}\n`);
    m.until(/\n[^\n]*[#$] $/, from + command.length, slice());
    // until everything sleeps, so that the next line arrives at the same moment in every run
    while (m.step(slice()) !== "idle");
  }
  const { kernel, cpu } = m.machine;
  return { text: m.text, retired: m.machine.retired, ns: kernel.time.monotonic(), state: createHash("sha256").update(cpu.mem.u8.subarray(0, cpu.mem.size)).update(cpu.state.save()).digest("hex") };
}

test("a shell does what shells do, and every system call of boot and session came through page 0", async () => {
  const m = await TestMachine.boot();
  expect(m.run("echo $((6*7))")).toBe("42\n");
  expect(m.run("cat /proc/version")).toContain("Linux version 6.12");
  expect(m.run("ls / | tr '\\n' ' '")).toMatch(/bin dev etc .* usr var/);
  expect(m.run("x=$(echo a b c | wc -w); echo $x; echo one | sed s/one/two/ | cat")).toBe("3\ntwo\n");
  const { arch } = m.machine;
  expect(arch.zpoline.trapped).toBe(0);
  expect(arch.page0_calls).toBeGreaterThan(500);
  expect(m.text).not.toMatch(/panic|BUG|segfault/);
});

test("^C ends a sleep, ^D an input, and the window's size is the guest's", async () => {
  const m = await TestMachine.boot();
  const from = m.text.length;
  m.type("sleep 1000\n");
  while (m.machine.run(1_000_000) !== "idle");
  m.type("\x03");
  m.until(/\^C[\s\S]*[#$] $/, from);
  expect(m.run("echo alive")).toBe("alive\n");
  m.machine.resize(0, 132, 43);
  expect(m.run("stty size")).toBe("43 132\n");
  const cat = m.text.length;
  m.type("cat | tr a-z A-Z\nabc\n\x04");
  m.until(/ABC/, cat);
});

test("the same session is the same to the byte and the instruction, whatever the slices", async () => {
  let x = 1;
  const odd = (): number => (x = (Math.imul(x, 1103515245) + 12345) >>> 0) % 177_777 + 1;
  const a = play(await TestMachine.create(), () => 1_000_000);
  for (let i = 0; i < 4; i++) expect(play(await TestMachine.create(), odd)).toEqual(a);
});

test("a snapshot taken at any point of a boot goes on in another machine to the same end", async () => {
  const whole = await TestMachine.create();
  whole.machine.boot();
  // other shells start, too: to where all sleep
  const toPrompt = (m: TestMachine, from = 0): void => {
    m.until(/[#$] $/, from);
    while (m.machine.run(100_000) !== "idle");
  };
  toPrompt(whole);
  const end = { retired: whole.machine.retired, text: whole.text };
  let x = 7;
  const points = Array.from({ length: 2 }, () => ((x = (Math.imul(x, 1103515245) + 12345) >>> 0) / 2 ** 32) * end.retired);
  for (const point of points) {
    const first = await TestMachine.create();
    first.machine.boot();
    while (first.machine.retired < point) {
      const reason = first.machine.run(Math.min(100_000, Math.ceil(point - first.machine.retired)));
      if (reason === "idle") first.machine.advance_idle(first.machine.until());
    }
    const { machine } = first;
    const snapshot = new Snapshots(machine).take();
    const before = first.text;
    // the other machine gets the disk as it is now, and a boot of its own to throw away
    const second = await TestMachine.create({ disks: { disk: first.disks.get("disk")!.bytes.slice() } });
    second.machine.boot();
    const from = second.text.length;
    new Snapshots(second.machine).restore(snapshot);
    toPrompt(second, from);
    expect(second.machine.retired).toBe(end.retired);
    expect(before + second.text.slice(from)).toBe(end.text);
  }
});

test("an image with 4 KiB blocks boots as well", async () => {
  const m = await TestMachine.boot({ disks: { disk: image(IMAGE_4K) } });
  expect(m.run("df / | tail -1 | tr -s ' ' | cut -d' ' -f1,6")).toBe("/dev/root /\n");
});
