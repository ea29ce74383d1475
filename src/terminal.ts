// src/terminal.ts — the console: xterm, its size, its colours. One for the page; a component lends it a place.
import { FitAddon } from "@xterm/addon-fit";
import type { SearchAddon } from "@xterm/addon-search";
import { Terminal } from "@xterm/xterm";
import "@xterm/xterm/css/xterm.css";
import { TERMINAL, theme } from "./theme.ts";

/** reset to initial state */
const RIS = "\x1bc";

export class Console {
  /** made when something is written or shown: most machines use one console */
  private made: Terminal | undefined;
  private readonly fit = new FitAddon();
  private observer: ResizeObserver | undefined;
  private search: SearchAddon | undefined;
  /** what was typed; the new size */
  oninput: (bytes: Uint8Array<ArrayBuffer>) => void = () => undefined;
  onresize: (cols: number, rows: number) => void = () => undefined;
  /** keys that the page keeps for itself */
  keeps: (e: KeyboardEvent) => boolean = () => false;

  private looks = { reader: false, size: 13 };
  /** so much of what is written was written before: the terminal's answers to it were given then; what somebody types meanwhile is none */
  private old = 0;

  private get term(): Terminal {
    return (this.made ??= this.make());
  }
  private make(): Terminal {
    const term = new Terminal({
      convertEol: false,
      cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      fontFamily: 'ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace',
      fontSize: this.looks.size,
      screenReaderMode: this.looks.reader,
      lineHeight: 1.15,
      minimumContrastRatio: 4.5,
      scrollback: 10_000,
      theme: TERMINAL[theme.get().theme],
    });
    term.loadAddon(this.fit);
    const encoder = new TextEncoder();
    term.onData((text) => (this.old > 0 && text.startsWith("\x1b")) || this.oninput(encoder.encode(text)));
    term.onBinary((text) => this.oninput(Uint8Array.from(text, (c) => c.charCodeAt(0))));
    term.onResize(({ cols, rows }) => this.onresize(cols, rows));
    term.attachCustomKeyEventHandler((e) => !this.keeps(e));
    theme.subscribe(() => {
      term.options.theme = TERMINAL[theme.get().theme];
    });
    return term;
  }

  get cols(): number {
    return this.term.cols;
  }
  get rows(): number {
    return this.term.rows;
  }

  /** Shows the terminal in `place`, as large as it is. Returns how to end that. */
  mount(place: HTMLElement): () => void {
    if (this.term.element === undefined) this.term.open(place);
    else place.append(this.term.element);
    // Tab stops at the frame around it, not inside: F6 leaves, Enter enters
    if (this.term.textarea !== undefined) this.term.textarea.tabIndex = -1;
    const fit = (): void => {
      if (place.clientWidth > 0 && place.clientHeight > 0) this.fit.fit();
    };
    fit();
    this.observer = new ResizeObserver(fit);
    this.observer.observe(place);
    return () => {
      this.observer?.disconnect();
      this.observer = undefined;
    };
  }
  write(bytes: Uint8Array, shown: () => void): void {
    this.term.write(bytes, shown);
  }
  /** Shows this and nothing else. */
  repaint(bytes: Uint8Array, shown: () => void): void {
    this.old++;
    this.reset();
    this.term.write(bytes, () => {
      this.old--;
      shown();
    });
  }
  print(text: string): void {
    this.term.write(text);
  }
  /** In its turn: what was written before, and is not on the screen yet, is gone as well. */
  reset(): void {
    this.made?.write(RIS);
  }
  focus(): void {
    this.term.focus();
  }
  /** What is marked in it. */
  get selection(): string {
    return this.term.getSelection();
  }
  /** As if it was pasted into it: with the guest's bracketed paste, if that is on. */
  paste(text: string): void {
    this.term.paste(text);
  }
  /** Looks for `text` upwards or downwards; whether it is there. */
  async find(text: string, up: boolean): Promise<boolean> {
    if (this.search === undefined) {
      const { SearchAddon: Addon } = await import("@xterm/addon-search");
      this.search = new Addon();
      this.term.loadAddon(this.search);
    }
    return up ? this.search.findPrevious(text) : this.search.findNext(text);
  }
  endFind(): void {
    this.search?.clearDecorations();
    this.term.clearSelection();
  }
  /** For screen readers, with lines in a live region as they come; and how large its letters are. */
  look(reader: boolean, size: number): void {
    this.looks = { reader, size };
    const { made } = this;
    if (made === undefined) return;
    made.options.screenReaderMode = reader;
    made.options.fontSize = size;
    if (made.element?.isConnected === true) this.fit.fit();
  }
}
