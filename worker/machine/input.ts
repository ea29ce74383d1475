// machine/input.ts — what comes from outside, and how it is kept: for as long as the machine runs.
//
// A key is an event of its own, so an event must be small: engines give an object that is made of another one's fields a description of its own, which is
// larger than the object, and each array of bytes a buffer of its own, which is larger than a key.

/** Keys typed at console `line`, the new size of its window, what the host's clock says (time=real), bytes written into memory, or a file handed over (hostfs). */
export type Input =
  | { readonly line: number; readonly bytes: Uint8Array }
  | { readonly line: number; readonly size: { readonly cols: number; readonly rows: number } }
  | { readonly clock: number }
  | { readonly poke: { readonly address: number; readonly bytes: Uint8Array } }
  | { readonly file: { readonly name: string; readonly bytes: Uint8Array } };

/** An event from outside: `at` instructions had retired, and the clock stood at `ns`. */
export type InputEvent = Input & { readonly at: number; readonly ns: number };

/** `input` as the event of that moment: those of a kind are of one form. */
export function eventOf(input: Input, at: number, ns: number): InputEvent {
  if ("bytes" in input) return { at, ns, line: input.line, bytes: input.bytes };
  if ("size" in input) return { at, ns, line: input.line, size: input.size };
  if ("poke" in input) return { at, ns, poke: input.poke };
  if ("file" in input) return { at, ns, file: input.file };
  return { at, ns, clock: input.clock };
}

/** Bytes of a buffer that keys share, and the most that one of them puts there. */
const ROOM = 4096, SHORT = 256;

/** Copies of bytes that came. */
export class KeptBytes {
  private room = new Uint8Array(0);

  copy(bytes: Uint8Array): Uint8Array {
    const n = bytes.length;
    if (n > SHORT) return bytes.slice();
    if (this.room.length < n) this.room = new Uint8Array(ROOM);
    const kept = this.room.subarray(0, n);
    kept.set(bytes);
    this.room = this.room.subarray(n);
    return kept;
  }
}
