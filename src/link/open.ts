// src/link/open.ts — opening links and bundles: read, asked about where something has to be asked, booted on a scratch disk.
import type { LinkWish, OpenedLink } from "../../worker/protocol/link.ts";
import type { ImageSource } from "../../worker/protocol.ts";
import { ENGINE } from "../engine.ts";
import { type Session, save, sentence } from "../session.ts";
import { changeOpened, guest, questionsOf } from "./guest.ts";

/** name of an image where there is none to tell it */
const USUAL = "nommu.ext4";
const site = (session: Session): string => session.state.get().choices[0]?.name ?? USUAL;

/** Where the image of a link comes from. */
function sourceOf(session: Session, { link }: OpenedLink): ImageSource | undefined {
  if (link.source !== undefined) return { kind: "published", url: link.source.url, sha256: link.source.hash, gzSize: link.source.size ?? 0 };
  return session.state.get().choices.find((c) => c.name === link.image.name)?.source;
}

/** Can it be booted at all? */
export const bootable = (session: Session, opened: OpenedLink): boolean => sourceOf(session, opened) !== undefined;

/** Opens what stands behind the `#` of the page's address. False: that is no boot link. */
export async function openFragment(session: Session, fragment: string): Promise<boolean> {
  // most visits: nobody has to be asked
  if (fragment === "" || fragment === "#") return false;
  const opened = await session.control.openLink(fragment, site(session));
  if (opened === undefined) return false;
  // a link may name an image that the visitor has brought before
  await session.stored;
  await offer(session, opened, "link");
  return true;
}

/** A bundle that was dropped or chosen. */
export async function openBundle(session: Session, file: File): Promise<void> {
  try {
    await offer(session, await session.control.openBundle(new Uint8Array(await file.arrayBuffer()), site(session)), `file, ${file.name}`);
  } catch (e) {
    session.complain(sentence(e));
  }
}

/** Boots what was opened at once if nothing has to be asked. */
async function offer(session: Session, opened: OpenedLink, from: string): Promise<void> {
  const images = new Map(session.state.get().choices.map((c) => [c.name, c.source.kind === "published" ? c.source.sha256 : undefined] as const));
  const questions = questionsOf(opened.link, images);
  guest.set({ opened: { ...opened, from, questions, phase: "asking", verdict: undefined, armed: true } });
  if (questions.length === 0 && opened.problems.length === 0 && !session.isOn) await bootOpened(session);
}

export async function bootOpened(session: Session): Promise<void> {
  const { opened } = guest.get();
  const source = opened && sourceOf(session, opened);
  if (opened === undefined || source === undefined) return;
  changeOpened({ phase: "done", verdict: undefined, questions: [] });
  const { link, overlay } = opened;
  session.unplug();
  await session.start("scratch", {
    cmdline: opened.cmdline,
    disk: { name: link.image.name, source, use: "scratch" },
    request: {
      replay: { clock: link.clock, events: link.extra.input ?? [], ...(link.at === undefined ? {} : { at: link.at }), ...(link.ns === undefined ? {} : { ns: link.ns }), speed: "full" },
      ...(overlay.length === 0 ? {} : { overlay }),
      ...(link.extra.files === undefined ? {} : { files: link.extra.files }),
    },
  });
}

export function closeOpened(session: Session): void {
  const asking = guest.get().opened?.phase === "asking";
  guest.set({ opened: undefined });
  if (asking && !session.isOn) void session.start();
}

/** Types the command that a link has brought, because the visitor said so. */
export function runArmed(session: Session): void {
  const command = guest.get().opened?.link.extra.command;
  changeOpened({ armed: false });
  if (command !== undefined) session.type(command.endsWith("\n") ? command : `${command}\n`);
}

/** The image that the machine runs on. */
export function runningSource(session: Session): ImageSource | undefined {
  const { running, choices } = session.state.get();
  const { opened } = guest.get();
  if (opened?.phase === "done" && opened.link.image.name === running?.disk) return sourceOf(session, opened);
  return choices.find((c) => c.name === running?.disk)?.source;
}

/** What a link to the machine that runs is to be made of. */
export function wishOf(session: Session, part: Pick<LinkWish, "title" | "notes" | "moment">): LinkWish {
  const source = runningSource(session);
  return { ...part, engine: ENGINE, screen: "", image: { name: session.state.get().running?.disk ?? site(session), hash: source?.kind === "published" ? source.sha256 : undefined } };
}

export async function downloadBundle(session: Session, part: Pick<LinkWish, "title" | "notes" | "moment">): Promise<void> {
  try {
    const bytes = await session.control.makeBundle(wishOf(session, part));
    save(`${(part.title || "machine").replaceAll(/[^\w-]+/g, "-").slice(0, 40)}.umlboot`, new Blob([bytes], { type: "application/zip" }));
  } catch (e) {
    session.complain(sentence(e));
  }
}
