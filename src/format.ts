// src/format.ts — numbers for people.

const grouped = new Intl.NumberFormat("en-US");

export const count = (n: number): string => grouped.format(n);

export function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  if (bytes < 1 << 20) return `${(bytes / 1024).toFixed(bytes < 10240 ? 1 : 0)} KiB`;
  if (bytes < 2 ** 30) return `${(bytes / (1 << 20)).toFixed(bytes < 100 << 20 ? 1 : 0)} MiB`;
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}

export function seconds(ns: number): string {
  return `${(ns / 1e9).toFixed(2)} s`;
}

/** As it is shown: the first 8 of 16 digits. */
export const shortFingerprint = (fp: string): string => `${fp.slice(0, 4)}-${fp.slice(4, 8)}`;

export const hex = (n: number, digits = 8): string => n.toString(16).padStart(digits, "0");

/** What a terminal is told, without what is no text. */
// eslint-disable-next-line no-control-regex
export const plain = (text: string): string => text.replace(/\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07]*\x07|\x1b[@-_]|\r/g, "");
