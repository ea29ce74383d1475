// src/link/guest.ts — a link or a bundle that was opened: what it asks for, what became of it, whether the machine is the one it speaks of.
import type { BootLink, OpenedLink } from "../../worker/protocol/link.ts";
import type { Status } from "../../worker/protocol.ts";
import { count, shortFingerprint, size } from "../format.ts";
import { Store } from "../store.ts";

export interface Verdict {
  readonly same: boolean;
  readonly text: string;
}

export interface Opened extends OpenedLink {
  /** what a person calls it: "link", "file name" */
  readonly from: string;
  /** asking: it wants an answer first. done: the machine was booted from it */
  readonly phase: "asking" | "done";
  /** what the person has to know before, in sentences */
  readonly questions: readonly string[];
  readonly verdict: Verdict | undefined;
  /** its command has neither been run nor put away */
  readonly armed: boolean;
}

/** A boot bundle, by its name. */
export const isBundle = (name: string): boolean => /\.umlboot$/i.test(name);

export const guest = new Store<{ readonly opened: Opened | undefined }>({ opened: undefined });

export function changeOpened(change: Partial<Opened>): void {
  const { opened } = guest.get();
  if (opened !== undefined) guest.set({ opened: { ...opened, ...change } });
}

/** What stands between a link and its machine. `site`: the images that this page has, by name. */
export function questionsOf(link: BootLink, site: ReadonlyMap<string, string | undefined>): string[] {
  const out: string[] = [];
  if (link.source !== undefined) {
    const { host } = new URL(link.source.url);
    out.push(`Its disk image comes from ${host}, not from here (${link.source.url}). It is fetched from there if you go on${link.source.size === undefined ? " (the link does not say how large it is)" : `: ${size(link.source.size)}`}, and only used if its SHA-256 is ${link.source.hash.slice(0, 12)}….`);
  } else if (!site.has(link.image.name)) out.push(`Its disk image is called ${link.image.name}. There is no such image here: drop the file on the page, then open the link again.`);
  else {
    const have = site.get(link.image.name);
    if (link.image.hash !== undefined && have !== undefined && !have.startsWith(link.image.hash))
      out.push(`It was made with another version of the image ${link.image.name} (${link.image.hash.slice(0, 12)}; here it is ${have.slice(0, 12)}). The machine will not be the same.`);
  }
  return out;
}

/**
 * The machine's fingerprint, once it stands where its link says. An idle machine stands at one instruction for seconds, and its kernel still writes to the
 * disk: until what was recorded is over it is not at that moment yet.
 */
export function fingerprintAt(status: Pick<Status, "retired" | "live" | "fingerprint">, at: number): string | undefined {
  return status.retired >= at && status.live ? status.fingerprint : undefined;
}

/** Compares, once the machine stands where the link says. */
export function judge(status: Pick<Status, "retired" | "live" | "fingerprint">): void {
  const { opened } = guest.get();
  if (opened === undefined || opened.phase !== "done" || opened.verdict !== undefined) return;
  const { at, fingerprint } = opened.link;
  const got = at === undefined ? undefined : fingerprintAt(status, at);
  if (at === undefined || fingerprint === undefined || got === undefined) return;
  const same = got === fingerprint && status.retired === at;
  changeOpened({
    verdict: {
      same,
      text: same
        ? `Identical at instruction ${count(at)}: fingerprint ${shortFingerprint(fingerprint)}, the same registers, memory, disk and console as where the link was made.`
        : `Not the same machine at instruction ${count(status.retired)}: its fingerprint is ${shortFingerprint(got)}, the link says ${shortFingerprint(fingerprint)}${status.retired === at ? "" : ` at ${count(at)}`}. Another image or another version of this page, most likely.`,
    },
  });
}
