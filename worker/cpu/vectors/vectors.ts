// worker/cpu/vectors/vectors.ts — reads the recorded vectors

import type { Group } from "./shapes.ts";

export interface Vector {
  asm: string;
  code: Uint8Array;
  seed: number;
  /** name → value, as compare.ts makes them */
  want: Map<string, string>;
}

/** Parses a vector file: its kind, and its cases in order. */
export function parseVectors(text: string): { kind: Group["kind"]; avx: boolean; vectors: Vector[] } {
  const lines = text.split("\n");
  const kind = /kind (\w+)/.exec(lines[0]!)![1] as Group["kind"];
  const vectors: Vector[] = [];
  let asm = "", code = new Uint8Array(0);
  for (const line of lines.slice(1)) {
    if (line.startsWith("= ")) {
      const [, hex, name] = /^= (\S*) (.*)$/.exec(line)!;
      asm = name!;
      code = Uint8Array.from({ length: hex!.length / 2 }, (_, i) => parseInt(hex!.slice(2 * i, 2 * i + 2), 16));
    } else if (line !== "") {
      const [seed, ...fields] = line.split(" ");
      vectors.push({ asm, code, seed: Number(seed), want: new Map(fields.map((f) => f.split("=") as [string, string])) });
    }
  }
  return { kind, avx: lines[0]!.endsWith(" avx"), vectors };
}
