// src/inspect/rewrite.tsx — what execve made of the files: sites found, rewritten, left and why; the bytes before and after.
import { type ReactNode, useCallback, useState } from "react";
import type { CodeLine, ImageRow, SiteRow } from "../../worker/protocol/inspect.ts";
import { count, hex } from "../format.ts";
import type { Session } from "../session.ts";
import { usePart } from "../store.ts";
import { showMemory } from "../ui.ts";
import { Head, numbers } from "../head.tsx";
import { Absent } from "./absent.tsx";
import { usePoll } from "./poll.ts";

const images = (session: Session): Promise<ImageRow[]> => session.ask("images");
/** rows at once */
const MANY = 60;

const SOURCES: Readonly<Record<string, string>> = { sections: "section headers", eh_frame: ".eh_frame", sweep: "nothing told where its code is: all of it was swept" };

/** Code around a site: as it is in memory, and where the file has something else, that. */
function Code({ before, after, site }: { readonly before: readonly CodeLine[]; readonly after: readonly CodeLine[]; readonly site: number }): ReactNode {
  return (
    <table className="code twocode">
      <Head columns={["address", "in the file", "in memory"]} />
      <tbody>
        {after.map((l) => {
          const then = before.find((f) => f.address === l.address);
          const same = then?.bytes === l.bytes;
          return (
            <tr key={l.address} className={l.address === site ? "site" : ""}>
              <td>{hex(l.address, 6)}</td>
              <td>
                <span className={same ? "bytes" : "bytes differs"}>{then?.bytes}</span> {then?.text}
              </td>
              <td>
                {same ? (
                  <span className="bytes">the same</span>
                ) : (
                  <>
                    <span className="bytes differs">{l.bytes}</span> {l.text}
                  </>
                )}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function Sites({ session, image }: { readonly session: Session; readonly image: ImageRow }): ReactNode {
  const ask = useCallback((s: Session) => s.ask("sites", image.name), [image.name]);
  const sites = usePoll(session, ask, 2000);
  const [shown, setShown] = useState<SiteRow>();
  const [only, setOnly] = useState(false);
  const at = shown ?? sites?.find((s) => s.now !== undefined && s.left === undefined) ?? sites?.find((s) => s.now !== undefined);
  const address = at?.address ?? 0;
  const askCode = useCallback((s: Session) => s.ask("siteCode", image.name, address), [image.name, address]);
  const code = usePoll(session, askCode, 3000);
  if (sites === undefined) return null;
  if (sites.length === 0) return <p className="empty">No syscall instruction is in this file: its calls go through the interpreter (musl), which is listed, too.</p>;
  const rows = sites.filter((s) => !only || s.left !== undefined).slice(0, MANY);
  return (
    <div className="sites">
      {code !== undefined && code.before.length > 0 && at !== undefined && (
        <Code before={code.before} after={code.after} site={address} />
      )}
      {at !== undefined && at.now === undefined && <p className="empty">The process that ran this is gone, and so is its code: run it again to see the bytes.</p>}
      {image.left > 0 && (
        <div className="row">
          <button type="button" aria-pressed={only} onClick={() => setOnly(!only)}>
            Only the {image.left} that were left
          </button>
        </div>
      )}
      <table>
        <Head columns={["address", "bytes now", "call", "what became of it"]} />
        <tbody>
          {rows.map((s) => (
            <tr key={s.address} aria-current={s.address === address ? "true" : undefined}>
              <td>
                <button type="button" className="link" onClick={() => setShown(s)}>
                  {hex(s.address, 6)}
                </button>
              </td>
              <td className="bytes">{s.now ?? "–"}</td>
              <td>{s.nr === undefined ? "worked out at run time" : `${s.nr} ${s.name ?? ""}`}</td>
              <td>
                {s.left === undefined ? "rewritten" : <b>left: {s.left}</b>}{" "}
                <button type="button" className="link" aria-label={`Show ${hex(s.address, 6)} in memory`} onClick={() => showMemory(s.address)}>
                  memory
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {sites.length > MANY && <p className="empty">The first {MANY} of {count(sites.length)}.</p>}
    </div>
  );
}

export function Rewrite({ session }: { readonly session: Session }): ReactNode {
  const files = usePoll(session, images, 700);
  const line = usePart(session.state, (s) => s.running?.line);
  const [open, setOpen] = useState<string>();
  const newest = [...(files ?? [])].reverse();
  const own = newest.filter((f) => f.sites > 0);
  const without = newest.filter((f) => f.sites === 0).map((f) => f.name.slice(f.name.lastIndexOf("/") + 1));
  const image = newest.find((f) => f.name === open);
  return (
    <section aria-label="The rewriting">
      <h3>Two bytes each</h3>
      <p className="story">
        At <code>execve</code>, each <code>0f 05</code> (<code>syscall</code>) of a program and its loader became <code>ff d0</code> (<code>call *%rax</code>): both are two bytes long, so nothing moves. A site in a function that keeps data
        below its stack pointer (the red zone) is left, for the call would overwrite it. Libraries that are loaded later are not translated either. What is left traps, and works all the same.
      </p>
      {files === undefined && <Absent session={session} />}
      {files?.length === 0 && <p className="empty">{/(?:^| )zpoline=(?:0|lazy)(?: |$)/.test(line ?? "") ? "Nothing was rewritten: the machine runs with zpoline=0 or lazy." : "Nothing was executed yet."}</p>}
      {own.length > 0 && (
        <table>
          <Head columns={["file, newest first", numbers("sites"), numbers("rewritten"), numbers("left")]} />
          <tbody>
            {own.map((f) => (
              <tr key={f.name} aria-current={f.name === open ? "true" : undefined}>
                <td>
                  <button type="button" className="link" aria-expanded={f.name === open} onClick={() => setOpen(f.name === open ? undefined : f.name)}>
                    <span aria-hidden="true">{f.name === open ? "▾" : "▸"}</span> {f.name}
                  </button>
                </td>
                <td className="number">{f.sites}</td>
                <td className="number">{f.rewritten}</td>
                <td className="number">{f.left}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {without.length > 0 && (
        <p className="story">
          Without a <code>syscall</code> of their own, because they call the C library for it: {without.slice(0, 12).join(", ")}
          {without.length > 12 ? ` and ${without.length - 12} more` : ""}.
        </p>
      )}
      {image !== undefined && (
        <>
          <h4>{image.name}</h4>
          <p className="story">
            Loaded at 0x{image.base.toString(16)} for {image.comm} (pid {image.pid}). {count(image.instructions)} instructions were decoded; where the code is: {SOURCES[image.source] ?? image.source}
            {image.skipped > 0 ? `; ${count(image.skipped)} bytes did not decode` : ""}.
          </p>
          <Sites session={session} image={image} />
        </>
      )}
    </section>
  );
}
