// src/try.ts — commands that the page offers: chips under the console, buttons of the panels.

/** one getpid, called through page 0 */
export const GETPID = "/usr/libexec/nommu/getpid";

export interface Try {
  readonly label: string;
  readonly command: string;
  /** record this call of this program while it runs */
  readonly record?: { readonly nr: number; readonly by: string };
}

export const TRY: readonly Try[] = [
  { label: "getpid", command: GETPID, record: { nr: 39, by: "getpid" } },
  { label: "ls -l /", command: "ls -l /" },
  { label: "ps", command: "ps" },
  { label: "cat /proc/zpoline", command: "cat /proc/zpoline" },
  { label: "nommu-demo", command: "nommu-demo" },
];
