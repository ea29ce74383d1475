// scripts/headless.ts — `vmlinux --link URL` and `--bundle FILE`: runs what they describe without a page, and prints the fingerprint.
//
//   --image FILE   the disk image, instead of the one here that has the link's name
//   --console      what the machine prints, too
//   jit=off        interpreted
// Exit status: 0 the fingerprint is what the link says, or it says none; 1 it differs; 2 it cannot be run.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { loadIced } from "../worker/cpu/iced.ts";
import { type Bundle, BLOCK_SIZE, readBundle } from "../worker/link/bundle.ts";
import { fromLinkEvents } from "../worker/link/events.ts";
import { parseLink } from "../worker/link/link.ts";
import { commandLine } from "../worker/link/recipe.ts";
import { Machine } from "../worker/machine.ts";
import { MemoryStore } from "../worker/lib/memory_store.ts";
import { NodeOs } from "../worker/os-node/os.ts";
import type { Problem } from "../worker/protocol/link.ts";
import { Timeline } from "../worker/replay/timeline.ts";
import { codec } from "./codec.ts";
import { startCpu } from "./cpu_worker.ts";

const DEFAULT_IMAGE = "nommu.ext4";
const FOLDER = ".cache/images";
/** ns of virtual time with nothing to do: a machine that sleeps so long waits for somebody */
const QUIET = 2e9;
/** a link without a moment runs this far at most */
const LONGEST = 20e9;

/** A sentence for whoever called. */
export class Refusal extends Error {}

export async function fromLink(url: string): Promise<{ bundle: Bundle; problems: readonly Problem[] }> {
  const { link, problems } = await parseLink(url.includes("#") ? url.slice(url.indexOf("#")) : url, DEFAULT_IMAGE, codec);
  return { bundle: { link, overlays: [] }, problems };
}
export function fromFile(path: string): { bundle: Bundle; problems: readonly Problem[] } {
  if (!existsSync(path)) throw new Refusal(`There is no file ${path}.`);
  const { bundle, problems } = readBundle(new Uint8Array(readFileSync(path)), DEFAULT_IMAGE);
  if (bundle === undefined) throw new Refusal(`${path}: ${problems[0]?.text ?? "it is empty"}.`);
  return { bundle, problems };
}

function findImage({ link }: Bundle, given: string | undefined): Uint8Array {
  const path = given ?? `${FOLDER}/${link.image.name}`;
  if (!existsSync(path)) throw new Refusal(`The image ${link.image.name} is not here (${path}). Name the file: --image FILE.${link.source === undefined ? "" : ` It comes from ${link.source.url}.`}`);
  const bytes = new Uint8Array(readFileSync(path));
  const hash = link.source?.hash ?? link.image.hash;
  const have = createHash("sha256").update(bytes).digest("hex");
  if (hash !== undefined && !have.startsWith(hash)) throw new Refusal(`${path} is not the image that is asked for: its SHA-256 begins ${have.slice(0, 12)}, and ${hash.slice(0, 12)} is wanted.`);
  return bytes;
}

export interface Outcome {
  readonly at: number;
  readonly fingerprint: string;
  /** undefined: nothing was expected */
  readonly equal: boolean | undefined;
}

export interface HeadlessOptions {
  readonly image?: string | undefined;
  readonly jit: boolean;
  /** the machine's output */
  readonly write?: (bytes: Uint8Array) => void;
}

/** Runs a link or bundle to its moment, or until its input is done and the machine waits for somebody. */
export async function runHeadless(bundle: Bundle, options: HeadlessOptions): Promise<Outcome> {
  const { link } = bundle;
  const bytes = findImage(bundle, options.image);
  for (const { disk, blocks } of bundle.overlays) {
    if (disk !== link.image.name) throw new Refusal(`The bundle has changes to a disk ${disk}, which it does not name as its image.`);
    for (const [block, data] of blocks) {
      if (block * BLOCK_SIZE >= bytes.length) throw new Refusal(`The bundle changes block ${block}, which the image does not have.`);
      bytes.set(data.subarray(0, Math.min(BLOCK_SIZE, bytes.length - block * BLOCK_SIZE)), block * BLOCK_SIZE);
    }
  }
  const os = new NodeOs({
    disks: new Map([[link.image.name, new MemoryStore(link.image.name, bytes)]]),
    scratch: true,
    print: (line) => options.write?.(new TextEncoder().encode(`${line}\n`)),
    write: (line, out) => (line === 0 ? options.write?.(out) : undefined),
  });
  const files = (link.extra.files ?? []).map(({ path, text }) => ({ path, bytes: new TextEncoder().encode(text) }));
  let machine: Machine;
  try {
    machine = new Machine({ cmdline: commandLine(link), os, iced: await loadIced(), shared: true, jit: options.jit, clock: link.clock, files, startCpu });
  } catch (e) {
    throw new Refusal(e instanceof Error ? e.message : String(e));
  }
  const timeline = new Timeline(machine);
  await machine.start();
  try {
    machine.boot();
    const events = fromLinkEvents(link.extra.input ?? []);
    const last = events.at(-1);
    if (machine.kernel.halted === undefined) timeline.snapshot();
    timeline.load(events, { at: last?.at ?? 0, ns: last?.ns ?? 0, events: events.length });
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    if (link.at !== undefined) await timeline.seek({ at: link.at, ...(link.ns === undefined ? {} : { ns: link.ns }) }, { turn, show: true });
    else await untilQuiet(timeline, turn);
    if (link.at !== undefined && machine.retired < link.at) throw new Refusal(`The machine ${machine.kernel.halted === undefined ? "sleeps for ever" : "has halted"} at instruction ${machine.retired}, before ${link.at}.`);
    const fingerprint = timeline.fingerprint();
    return { at: machine.retired, fingerprint, equal: link.fingerprint === undefined ? undefined : link.fingerprint === fingerprint };
  } catch (e) {
    if (e instanceof Error && /astray/.test(e.message)) throw new Refusal(`This is not the machine of the link: ${e.message}.`);
    throw e;
  } finally {
    machine.close();
  }
}

/** All events have entered, and the machine waits for somebody. */
async function untilQuiet(timeline: Timeline, turn: () => Promise<void>): Promise<void> {
  while (timeline.machine.retired < LONGEST) {
    const reason = timeline.run(10_000_000);
    if (reason === "halted") return;
    if (reason === "host") await timeline.machine.host();
    else if (reason === "idle") {
      const until = timeline.until();
      if (until === Infinity || (timeline.live && until - timeline.now.ns > QUIET)) return;
      timeline.advance_idle(until);
    } else await turn();
  }
}

/** What vmlinux does when it is called with --link or --bundle. Its exit status. */
export async function headless(args: readonly string[]): Promise<number> {
  const option = (name: string): string | undefined => {
    const i = args.indexOf(name);
    return i >= 0 ? args[i + 1] : args.find((a) => a.startsWith(`${name}=`))?.slice(name.length + 1);
  };
  const url = option("--link");
  const path = option("--bundle");
  try {
    if (url === undefined && path === undefined) throw new Refusal("Give the link or the bundle's file.");
    const { bundle, problems } = url !== undefined ? await fromLink(url) : fromFile(path!);
    for (const p of problems) process.stderr.write(`vmlinux: ${p.key === "" ? "" : `${p.key}: `}${p.text}\n`);
    for (const [key] of bundle.link.unknown) process.stderr.write(`vmlinux: made by a newer version; ignored: ${key}\n`);
    const show = args.includes("--console");
    const out = await runHeadless(bundle, { image: option("--image"), jit: !args.includes("jit=off"), ...(show ? { write: (b: Uint8Array) => process.stdout.write(Uint8Array.from(b)) } : {}) });
    process.stdout.write(`${show ? "\n" : ""}${out.fingerprint} at instruction ${out.at}\n`);
    if (out.equal === true) process.stderr.write(`vmlinux: identical at instruction ${out.at}\n`);
    if (out.equal === false) process.stderr.write(`vmlinux: it differs: the link says ${bundle.link.fingerprint}\n`);
    return out.equal === false ? 1 : 0;
  } catch (e) {
    if (!(e instanceof Refusal)) throw e;
    process.stderr.write(`vmlinux: ${e.message}\n`);
    return 2;
  }
}
