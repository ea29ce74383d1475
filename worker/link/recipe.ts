// link/recipe.ts — a link's command line: made of its parts, and taken apart. The form must never change: it is part of what old links mean.
import type { BootLink } from "../protocol/link.ts";
import { CAPS, DEFAULT_MEM } from "./fields.ts";

/** What a link says if it says nothing. */
const usual = (image: string, mem: number): string => `ubd0=${image} rw mem=${mem}m loglevel=8 init=/sbin/init`;

/** The kernel's command line that a link asks for. `image`: what the disk is called. */
export function commandLine(link: BootLink): string {
  if (link.line !== undefined) return link.line;
  return [usual(link.image.name, link.mem), ...(link.seed === "0" ? [] : [`seed=${link.seed}`]), ...(link.append === "" ? [] : [link.append])].join(" ");
}

/** The parts of a link that say `line`: readable ones if it is of the usual form. */
export function fromCommandLine(line: string, image: string): Pick<BootLink, "mem" | "seed" | "append" | "line"> {
  const whole = { mem: DEFAULT_MEM, seed: "0", append: "", line };
  const mem = Number(/ mem=(\d{1,4})m /.exec(line)?.[1] ?? NaN);
  if (!(mem >= CAPS.minMem && mem <= CAPS.mem) || !(line === usual(image, mem) || line.startsWith(`${usual(image, mem)} `))) return whole;
  let append = line.slice(usual(image, mem).length + 1);
  const seed = /^seed=([1-9a-f][0-9a-f]{0,15})(?: |$)/.exec(append)?.[1];
  if (seed !== undefined) append = append.slice(`seed=${seed}`.length + 1);
  if (append.length > CAPS.append || append !== append.trim()) return whole;
  return { mem, seed: seed ?? "0", append, line: undefined };
}
