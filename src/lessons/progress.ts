// src/lessons/progress.ts — how far somebody is, as a short code to paste into a chat; and a pasted list of them as a table.

export interface Progress {
  readonly lesson: string;
  /** the step that is open, from 1 */
  readonly step: number;
  /** steps that are done, from 1 */
  readonly done: readonly number[];
}

const DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz";

/** One digit over all the others: a mistyped or swapped one is noticed. */
function checkDigit(text: string): string {
  let n = 7;
  for (const c of text) n = (n * 31 + c.charCodeAt(0)) % 1_000_003;
  return DIGITS[n % 36]!;
}

/** `PZ-tour-4-1f-k`: lesson, step, done steps as bits in base 36, check digit. */
export function progressCode({ lesson, step, done }: Progress): string {
  const bits = done.reduce((n, s) => n + 2 ** (s - 1), 0);
  const text = `PZ-${lesson}-${step}-${bits.toString(36)}`;
  return `${text}-${checkDigit(text)}`;
}

/** Undefined for what is no code, or a damaged one. */
export function readCode(code: string): Progress | undefined {
  const m = /^(PZ-([a-z0-9][a-z0-9_-]*)-(\d{1,3})-([0-9a-z]{1,10}))-([0-9a-z])$/i.exec(code.trim());
  if (m === null || checkDigit(m[1]!) !== m[5]!.toLowerCase()) return undefined;
  const bits = Number.parseInt(m[4]!, 36);
  const done: number[] = [];
  for (let s = 1; s <= 53; s++) if (Math.floor(bits / 2 ** (s - 1)) % 2 === 1) done.push(s);
  return { lesson: m[2]!, step: Number(m[3]), done };
}

export interface ProgressRow {
  /** what stands before the code on its line: a name, most likely */
  readonly name: string;
  readonly code: string;
  readonly progress: Progress | undefined;
}
/** A chat's lines, those with codes: who is least far comes first. */
export function readCodes(text: string): ProgressRow[] {
  const rows = text.split("\n").flatMap((line): ProgressRow[] => {
    const m = /\bPZ-[\w-]+/i.exec(line);
    return m === null ? [] : [{ name: line.slice(0, m.index).replace(/[\s:,-]+$/, "").trim(), code: m[0], progress: readCode(m[0]) }];
  });
  return rows.sort((a, b) => (a.progress?.done.length ?? -1) - (b.progress?.done.length ?? -1));
}
