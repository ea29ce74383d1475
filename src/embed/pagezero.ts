// src/embed/pagezero.ts — pagezero.js: mounts a machine in anybody's page, in a frame of its own (docs/embedding.md). Has no dependencies, and none of the machine's code.

/** Off, Starting, Running, Paused, Halted or Crashed, as the page's own bar says. */
export type MachineState = "off" | "starting" | "running" | "paused" | "halted" | "crashed";

export interface MountOptions {
  /** Address of embed.html. Default: beside this module. */
  readonly src?: string | URL;
  /** The kernel's command line. Default: that of the image. */
  readonly cmdline?: string;
  /** A boot link, as the share dialog makes it (only what stands behind its `#` matters). */
  readonly link?: string;
  /** What the frame is called, for screen readers. */
  readonly title?: string;
  /** CSS height. Default: 420px. */
  readonly height?: string;
  /** Called with each change of the state. */
  readonly onState?: (state: MachineState) => void;
  /** Called with what con0 prints, without control sequences. */
  readonly onOutput?: (text: string) => void;
}

/** What the frame says and hears. `pagezero` is the version of this protocol. */
export type FromFrame = { readonly pagezero: 1; readonly event: "ready" } | { readonly pagezero: 1; readonly event: "state"; readonly state: MachineState } | { readonly pagezero: 1; readonly event: "output"; readonly text: string };
export type ToFrame = { readonly pagezero: 1; readonly do: "start" | "pause" | "resume" | "stop" } | { readonly pagezero: 1; readonly do: "type"; readonly text: string };

/** The end of what was printed that is kept for waitFor(). */
const KEPT = 100_000;

/** A machine in a frame. It is a scratch copy: nothing that happens in it is kept. */
export class EmbeddedMachine {
  readonly frame: HTMLIFrameElement;
  state: MachineState = "off";
  /** what con0 has printed, its last part */
  output = "";
  private readonly options: MountOptions;
  private readonly origin: string;
  private ready = false;
  private readonly queue: ToFrame[] = [];
  private readonly waiting = new Set<() => void>();

  constructor(place: Element, options: MountOptions) {
    this.options = options;
    const src = new URL(options.src ?? new URL(/* @vite-ignore */ "embed.html", import.meta.url), document.baseURI);
    this.origin = src.origin;
    const { link } = options;
    if (link !== undefined) src.hash = link.slice(link.indexOf("#") + 1);
    else if (options.cmdline !== undefined) src.hash = new URLSearchParams({ line: options.cmdline }).toString();
    this.frame = document.createElement("iframe");
    this.frame.src = src.href;
    this.frame.title = options.title ?? "A Linux machine (pagezero)";
    this.frame.allow = "clipboard-read; clipboard-write; cross-origin-isolated";
    this.frame.style.cssText = `border:0;width:100%;height:${options.height ?? "420px"}`;
    addEventListener("message", this.hear);
    place.append(this.frame);
  }
  private readonly hear = (e: MessageEvent<FromFrame>): void => {
    if (e.source !== this.frame.contentWindow || e.origin !== this.origin || e.data?.pagezero !== 1) return;
    if (e.data.event === "ready") {
      this.ready = true;
      for (const m of this.queue.splice(0)) this.post(m);
    } else if (e.data.event === "state") {
      this.state = e.data.state;
      this.options.onState?.(this.state);
    } else {
      this.output = (this.output + e.data.text).slice(-KEPT);
      this.options.onOutput?.(e.data.text);
    }
    for (const w of [...this.waiting]) w();
  };
  private post(message: ToFrame): void {
    if (this.ready) this.frame.contentWindow?.postMessage(message, this.origin);
    else this.queue.push(message);
  }
  /** Starts it, as a click on it would. */
  start(): void {
    this.post({ pagezero: 1, do: "start" });
  }
  pause(): void {
    this.post({ pagezero: 1, do: "pause" });
  }
  resume(): void {
    this.post({ pagezero: 1, do: "resume" });
  }
  stop(): void {
    this.post({ pagezero: 1, do: "stop" });
  }
  /** Types text at con0: end a command with "\n". */
  type(text: string): void {
    this.post({ pagezero: 1, do: "type", text });
  }
  /** Resolves to the match once con0 has printed it, which may be a part of a line yet: let the pattern end with what ends it. Rejects when the machine stops first, or after `ms`. */
  waitFor(pattern: RegExp, ms = 60_000): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const end = (act: () => void): void => {
        clearTimeout(timer);
        this.waiting.delete(look);
        act();
      };
      const look = (): void => {
        const found = pattern.exec(this.output);
        if (found !== null) end(() => resolve(found));
        else if (this.state === "halted" || this.state === "crashed") end(() => reject(new Error(`the machine is ${this.state}, and ${pattern} was not printed`)));
      };
      const timer = setTimeout(() => end(() => reject(new Error(`${pattern} was not printed within ${ms} ms`))), ms);
      this.waiting.add(look);
      look();
    });
  }
  /** Takes it out of the page. */
  remove(): void {
    removeEventListener("message", this.hear);
    this.frame.remove();
  }
}

/** Puts a machine into `place`. It starts when somebody clicks on it, or with start(). */
export function mount(place: Element, options: MountOptions = {}): EmbeddedMachine {
  return new EmbeddedMachine(place, options);
}
