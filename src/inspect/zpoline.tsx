// src/inspect/zpoline.tsx — the panel about page 0: the sled, one call through it, the rewriting, and what else could be done.
import { type ReactNode, useCallback, useState } from "react";
import type { Trace } from "../../worker/protocol/inspect.ts";
import type { Session } from "../session.ts";
import { Modes } from "./modes.tsx";
import { Rewrite } from "./rewrite.tsx";
import { Sled } from "./sled.tsx";
import { SlowMotion } from "./slow.tsx";
import { CELLS } from "./trampoline.ts";

export function ZpolinePanel({ session }: { readonly session: Session }): ReactNode {
  const [cell, setCell] = useState(39);
  const [trace, setTrace] = useState<Trace>();
  const [at, setAt] = useState(0);
  const onTrace = useCallback((t: Trace | undefined) => setTrace(t), []);
  const onAt = useCallback((n: number) => setAt(n), []);
  const rip = trace?.steps[at]?.rip;
  return (
    <div className="sled">
      <p className="story">
        A program calls the kernel with <code>call *%rax</code>: it jumps to the address that is the call’s number. Nearly all of these bytes are <code>nop</code>s, so it slides to the end, where a few instructions jump into the kernel; that finds the number in rax, as always. Bright cells were called often.
      </p>
      <Sled session={session} here={rip !== undefined && rip < CELLS ? rip : undefined} at={cell} setAt={setCell} />
      <SlowMotion session={session} trace={trace} at={at} setTrace={onTrace} setAt={onAt} />
      <Rewrite session={session} />
      <Modes session={session} />
    </div>
  );
}
