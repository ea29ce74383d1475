// link/control.ts — boot links for the page: reads them, and makes them of the machine that runs.
import type { BootLink, LinkControl, LinkWish, MadeLink, OpenedLink } from "../protocol/link.ts";
import type { Recording } from "../protocol/replay.ts";
import { BLOCK_SIZE, readBundle, writeBundle, type Bundle } from "./bundle.ts";
import { defaultLink } from "./fields.ts";
import { isBootLink, lengthAdvice, linkParts, parseLink } from "./link.ts";
import type { Codec } from "./pack.ts";
import { commandLine, fromCommandLine } from "./recipe.ts";

/** `recording` is asked for the machine as it is; it rejects while there is none. */
export function linkControl(codec: Codec, recording: () => Promise<Recording>): LinkControl {
  const opened = ({ link, overlays }: Bundle, problems: OpenedLink["problems"]): OpenedLink => ({
    link,
    problems,
    cmdline: commandLine(link),
    overlay: overlays.filter((o) => o.disk === link.image.name).flatMap((o) => o.blocks.map(([n, bytes]) => [n, Uint8Array.from(bytes)] as const)),
  });
  const bundle = async (wish: LinkWish): Promise<Bundle> => {
    const r = await recording();
    const link: BootLink = {
      ...defaultLink(wish.image.name),
      ...fromCommandLine(r.cmdline, wish.image.name),
      image: { name: wish.image.name, hash: wish.image.hash },
      engine: wish.engine,
      screen: wish.screen,
      clock: r.clock,
      title: wish.title,
      extra: wish.notes === "" ? {} : { notes: wish.notes },
    };
    if (wish.moment) {
      link.at = r.now.at;
      link.ns = r.now.ns;
      link.fingerprint = r.fingerprint;
      if (r.events.length > 0) link.extra.input = [...r.events];
    }
    return { link, overlays: r.overlay.length === 0 ? [] : [{ disk: wish.image.name, blocks: r.overlay }] };
  };
  return {
    openLink: async (fragment, image) => {
      if (!isBootLink(fragment)) return undefined;
      const { link, problems } = await parseLink(fragment, image, codec);
      return opened({ link, overlays: [] }, problems);
    },
    openBundle: (bytes, image) => {
      const { bundle: read, problems } = readBundle(bytes, image);
      if (read === undefined) throw new Error(`This bundle cannot be opened: ${problems[0]?.text ?? "it is empty"}.`);
      return opened(read, problems);
    },
    makeLink: async (wish): Promise<MadeLink> => {
      const { link, overlays } = await bundle(wish);
      const parts = await linkParts(link, codec);
      const fragment = `#/${link.screen}?${parts.map((p) => p.text).join("&")}`;
      const kept = overlays.reduce((n, o) => n + o.blocks.length * BLOCK_SIZE, 0);
      return {
        link,
        fragment,
        parts: parts.map((p) => ({ key: p.key, label: p.label, length: p.text.length + 1 })),
        advice: lengthAdvice(fragment.length),
        missing:
          kept === 0
            ? undefined
            : `This machine was started on a disk with ${(kept / 1e6).toFixed(1)} MB of changes that are kept in this browser. A link does not carry them: whoever opens it gets another machine. A file does carry them; or start on a scratch copy first.`,
      };
    },
    makeBundle: async (wish) => Uint8Array.from(writeBundle(await bundle(wish))),
  };
}
