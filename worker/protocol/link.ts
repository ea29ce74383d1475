// worker/protocol/link.ts — boot links and bundles as page and worker speak of them. Types only; docs/links.md has the grammar.

/** What came from outside, as a link or a bundle writes it. A person may leave out all but `at` and one of text, hex, size, clock, file. */
export interface LinkEvent {
  /** instructions that had retired */
  at: number;
  /** what the guest's monotonic clock read then, ns; left out: the first moment of that instruction */
  ns?: number;
  /** console; left out: 0 */
  line?: number;
  /** keys typed */
  text?: string;
  /** or their bytes, where they are no text */
  hex?: string;
  /** or the window's new size: columns, rows */
  size?: [number, number];
  /** or a reading of the host's clock (time=real): monotonic ns */
  clock?: number;
  /** where the bytes `hex` were written into memory, from outside */
  poke?: number;
  /** or the name of a file that was handed to the guest (hostfs), a byte string, and its bytes as base64url */
  file?: string;
  data?: string;
}

/** What a link says, spelled out; also the contents of boot.json in a bundle. */
export interface BootLink {
  /** format of the link, 1 */
  format: number;
  screen: string;
  image: { name: string; hash: string | undefined };
  /** version~hash of the engine that made it */
  engine: string | undefined;
  /** MiB of guest RAM */
  mem: number;
  /** hex digits */
  seed: string;
  /** guest clock at power-on, seconds since the epoch */
  clock: number;
  /** more of the kernel's command line */
  append: string;
  /** all of it, where it is not of the usual form (recipe.ts): then `mem`, `seed` and `append` say nothing */
  line: string | undefined;
  /** run to this instruction, then pause */
  at: number | undefined;
  /** and until the guest's monotonic clock reads this, ns: an idle machine's moves on, and timers are due */
  ns: number | undefined;
  title: string;
  /** expected at `at`, or at the first prompt: 16 hex digits */
  fingerprint: string | undefined;
  /** where the image comes from if not from here, its SHA-256, and the bytes to fetch, if whoever made the link said so: nobody is asked before the visitor is */
  source: { url: string; hash: string; size: number | undefined } | undefined;
  /** the packed part: files, armed command, input, notes */
  extra: Extra;
  /** keys of a newer version, kept so that sharing on loses nothing */
  unknown: [key: string, value: string][];
}

/** The packed part. */
export interface Extra {
  /** typed for the person at the prompt, never run by itself */
  command?: string;
  /** what came from outside, with the instruction at which it entered */
  input?: LinkEvent[];
  /** files put on the scratch disk: absolute path and text */
  files?: { path: string; text: string }[];
  notes?: string;
}

/** One sentence about what could not be used; `key` says where. */
export interface Problem {
  readonly key: string;
  readonly text: string;
}

/** Changed blocks of a disk: number and 4096 bytes each. */
export type Blocks = readonly (readonly [block: number, bytes: Uint8Array<ArrayBuffer>])[];

/** A link or a bundle that was read. */
export interface OpenedLink {
  readonly link: BootLink;
  readonly problems: readonly Problem[];
  /** the kernel's command line that it asks for */
  readonly cmdline: string;
  /** what a bundle says of the disk as the machine found it */
  readonly overlay: Blocks;
}

export interface LinkWish {
  readonly image: { readonly name: string; readonly hash: string | undefined };
  /** this page's emulator, version~hash */
  readonly engine: string;
  readonly screen: string;
  readonly title: string;
  readonly notes: string;
  /** what was typed and when, the moment and its fingerprint; without it a link is of a machine that is about to start */
  readonly moment: boolean;
}

/** A link to the machine as it is. */
export interface MadeLink {
  readonly link: BootLink;
  /** what stands behind the page's address, with its `#` */
  readonly fragment: string;
  /** what each part is called, and its characters */
  readonly parts: readonly { readonly key: string; readonly label: string; readonly length: number }[];
  /** where a fragment of this length fits */
  readonly advice: string;
  /** why the link alone does not make this machine, in a sentence; a bundle does */
  readonly missing: string | undefined;
}

export interface LinkControl {
  /** undefined: that is no boot link. `image`: the site's own. */
  openLink(fragment: string, image: string): Promise<OpenedLink | undefined>;
  /** Rejects with a sentence for what is no bundle at all. */
  openBundle(bytes: Uint8Array<ArrayBuffer>, image: string): OpenedLink;
  makeLink(wish: LinkWish): Promise<MadeLink>;
  makeBundle(wish: LinkWish): Promise<Uint8Array<ArrayBuffer>>;
}
