// src/status.tsx — the line at the bottom: how much, how fast, what of it came through page 0.
import type { ReactNode } from "react";
import { count, seconds, shortFingerprint, size } from "./format.ts";
import { offline } from "./offline.ts";
import type { Session } from "./session.ts";
import { useStore } from "./store.ts";

export function StatusLine({ session }: { readonly session: Session }): ReactNode {
  const { isolated, running, power } = useStore(session.state);
  const { status, mips } = useStore(session.figures);
  const { state: kept } = useStore(offline);
  const on = running !== undefined;
  return (
    <footer className="status" data-region="status" tabIndex={-1} aria-label="Figures">
      {status === undefined ? (
        <span>{power === "off" ? "The machine is off." : "…"}</span>
      ) : (
        <>
          <span>
            <b>{count(status.retired)}</b> instructions
          </span>
          <span title="While it ran">{mips > 0 ? `${mips < 10 ? mips.toFixed(1) : Math.round(mips)} M/s` : "–"}</span>
          <span>{seconds(status.ns)} guest time</span>
          <span title={status.trapped > 0 ? "Calls by a syscall instruction that was not rewritten" : "All system calls came through page 0"}>
            <b>{count(status.calls)}</b> calls through page 0{status.trapped > 0 ? `, ${count(status.trapped)} trapped` : ""}
          </span>
          {on && (
            <span>
              disk {running.disk}: {size(status.changed)} changed, {running.keep ? "kept in this browser" : "scratch copy"}
            </span>
          )}
          <span>{status.idle ? "idle" : "busy"}</span>
          {!status.live && <span className="warning">in the past</span>}
          {status.fingerprint !== undefined && (
            <span title="Fingerprint: registers, memory, disk, console and instruction count. Equal on every browser that runs the same machine to the same instruction.">
              fingerprint <b>{shortFingerprint(status.fingerprint)}</b>
            </span>
          )}
        </>
      )}
      {kept === "ready" && (
        <span title="The page is kept in this browser: it opens without a network. Chunks of the disk image are kept as they come.">
          works offline <span aria-hidden="true">✓</span>
        </span>
      )}
      {!isolated && (
        <span className="warning" role="note" tabIndex={0} title="The server does not send the isolation headers (COOP, COEP). All works; memory cannot be shared between threads.">
          not isolated: running on unshared memory
        </span>
      )}
    </footer>
  );
}
