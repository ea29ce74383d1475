// src/cmdline.ts — what is wrong with a command line, in sentences, before the machine is started with it.

/** `mem=` as the machine takes it, in bytes. */
function bytes(text: string): number {
  const m = /^(\d+)([kKmMgG]?)$/.exec(text);
  if (m === null) return NaN;
  return Number(m[1]) * { "": 1, k: 1 << 10, m: 1 << 20, g: 1 << 30 }[m[2]!.toLowerCase() as "" | "k" | "m" | "g"];
}

const LEAST = 8 << 20;
const MOST = 2 ** 31;

/** Parameters that take one of a few values. */
const CHOICES: Readonly<Record<string, readonly string[]>> = {
  zpoline: ["1", "lazy", "0"],
  time: ["virtual", "real"],
  "nommu.map_fixed": ["einval", "own"],
  "nommu.fork": ["einval", "shadow"],
};

/** The `ubd` parameters of a line: names and values. */
function disksOf(line: string): [name: string, value: string][] {
  const words = (line.split(/\s--(?:\s|$)/)[0] ?? "").split(/\s+/);
  return words.map((w): [string, string] => [w.slice(0, w.indexOf("=")), w.slice(w.indexOf("=") + 1)]).filter(([name]) => /^ubd[0-9a-z]+$/.test(name));
}

/** The disks that a line names beside `disk`, once each. */
export function otherDisks(line: string, disk: string): string[] {
  return [...new Set(disksOf(line).map(([, value]) => value.split(/[,:]/)[0]!))].filter((name) => name !== disk);
}

/** The line with `disk` as the first ubd that is free. */
export function withMore(line: string, disk: string): string {
  const taken = new Set(disksOf(line).map(([name]) => name.replace(/^(ubd\d+|ubd[a-z]).*/, "$1")));
  const n = Array.from({ length: 16 }, (_, i) => i).find((i) => !taken.has(`ubd${i}`) && !taken.has(`ubd${String.fromCharCode(97 + i)}`));
  return n === undefined ? line : line.replace(/(^|\s)(ubd\w+=\S+)(?!.*\subd\w+=)/, `$1$2 ubd${n}=${disk}`);
}

/** Complaints; an empty list is a line that can be booted. `disk` is the name that ubd0= must have, `known` what further disks there are. */
export function checkCommandLine(line: string, disk: string, known: readonly string[] = []): string[] {
  const out: string[] = [];
  if (/[^\x20-\x7e]/.test(line)) out.push("The command line may contain only plain ASCII characters, on one line.");
  if ((line.match(/"/g)?.length ?? 0) % 2 === 1) out.push("A quotation mark is not closed.");
  if (line.length > 2047) out.push(`The command line has ${line.length} characters; the kernel takes 2047.`);
  const words = (line.split(/\s--(?:\s|$)/)[0] ?? "").split(/\s+/).filter((w) => w !== "");
  const values = new Map<string, string>();
  for (const w of words) {
    const at = w.indexOf("=");
    if (at > 0) values.set(w.slice(0, at), w.slice(at + 1));
  }
  const mem = values.get("mem");
  if (mem !== undefined) {
    const n = bytes(mem);
    if (Number.isNaN(n)) out.push(`mem=${mem} is not a size: write it like mem=256m.`);
    else if (n < LEAST || n > MOST) out.push(`mem=${mem} is out of range: the machine can have from 8 to 2048 megabytes.`);
  }
  for (const [name, choices] of Object.entries(CHOICES)) {
    const v = values.get(name);
    if (v !== undefined && !choices.includes(v)) out.push(`${name}=${v} is not known: it can be ${choices.join(", ").replace(/, ([^,]*)$/, " or $1")}.`);
  }
  const loglevel = values.get("loglevel");
  if (loglevel !== undefined && !/^\d+$/.test(loglevel)) out.push(`loglevel=${loglevel} is not a number from 0 to 8.`);
  const disks = disksOf(line);
  if (disks.length === 0) out.push(`There is no disk: add ubd0=${disk}.`);
  const used = new Set<string>();
  for (const [name, value] of disks) {
    const [file, backing] = value.split(/[,:]/) as [string, string | undefined];
    const first = /^ubd(0|a)/.test(name);
    if (first ? file !== disk : file !== disk && !known.includes(file)) out.push(`${name}=${value} names a disk that is not here: ${first || known.length < 2 ? `the chosen one is called ${disk}` : `there is ${known.join(", ")}`}.`);
    else if (backing !== undefined && backing !== "") out.push(`${name}=${value}: the disk keeps your changes apart from the image by itself; write ${name}=${file}.`);
    else if (used.has(file)) out.push(`${name}=${value}: a disk can be there only once.`);
    used.add(file);
  }
  return out;
}

/** The line with ubd0= naming `disk`. */
export function withDisk(line: string, disk: string): string {
  return /(^|\s)ubd0\w*=\S+/.test(line) ? line.replace(/(^|\s)(ubd0\w*)=\S+/, `$1$2=${disk}`) : `ubd0=${disk} ${line}`;
}

/** A file's name as a word of the command line. */
export function diskName(file: string): string {
  return file.replace(/[^A-Za-z0-9._+-]/g, "_").slice(0, 60) || "disk";
}
