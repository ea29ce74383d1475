// src/disks.tsx — the panel of disks: what each is made of, what was changed, and what can be done with it.
import { type ReactNode, useEffect, useRef, useState } from "react";
import type { DiskChange, DiskRow } from "../worker/protocol.ts";
import { otherDisks } from "./cmdline.ts";
import { addDisk, askToKeep, attachDisk, cancelWork, compareDisk, detachDisk, disks, downloadDisk, forgetImage, refreshDisks, resetDisk, roomInWords } from "./disks.ts";
import { SharedDirectory } from "./files.tsx";
import { count, size } from "./format.ts";
import type { ImageChoice, Session } from "./session.ts";
import { Head, numbers } from "./head.tsx";
import { usePart, useStore } from "./store.ts";

const SIGNS = { added: "+", changed: "~", removed: "−" } as const;
/** rows of a comparison that are shown at once */
const SHOWN = 500;

const text = new TextDecoder();
/** A byte string as people read it. */
const shown = (path: string): string => text.decode(Uint8Array.from(path, (c) => c.charCodeAt(0)));

function Changes({ list }: { readonly list: readonly DiskChange[] }): ReactNode {
  const [filter, setFilter] = useState("");
  const number = (kind: DiskChange["kind"]): string => count(list.filter((c) => c.kind === kind).length);
  if (list.length === 0) return <p className="empty">Nothing is different from the image.</p>;
  const found = list.filter((c) => shown(c.path).includes(filter));
  return (
    <div className="changes">
      <p role="status">
        {number("added")} added, {number("changed")} changed, {number("removed")} removed.
      </p>
      {list.length > 12 && <input type="search" aria-label="Filter the changes by path" placeholder="part of a path" value={filter} onChange={(e) => setFilter(e.target.value)} />}
      <table aria-label="Changes against the image">
        <Head columns={["what", "path", numbers("size")]} />
        <tbody>
          {found.slice(0, SHOWN).map((c) => (
            <tr key={`${c.kind} ${c.path}`} className={c.kind}>
              <td>
                <span aria-hidden="true">{SIGNS[c.kind]}</span> {c.kind}
                {c.what === "" ? "" : `: ${c.what}`}
              </td>
              <td>
                <code>{shown(c.path)}</code>
              </td>
              <td className="number">{c.path.endsWith("/") ? "" : c.kind === "changed" && c.before !== c.size ? `${size(c.before)} → ${size(c.size)}` : size(c.size)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {found.length > SHOWN && <p className="empty">{count(found.length - SHOWN)} more: narrow the filter.</p>}
    </div>
  );
}

interface DiskProps {
  readonly session: Session;
  readonly choice: ImageChoice;
  /** undefined: nothing of it is kept, and no machine has it */
  readonly row: DiskRow | undefined;
  /** it was asked what there is */
  readonly known: boolean;
}

/** What is asked before something is lost. */
function Ask({ question, yes, no, act, close }: { readonly question: string; readonly yes: string; readonly no: string; readonly act: () => void; readonly close: () => void }): ReactNode {
  return (
    <div className="confirm" role="alertdialog" aria-label={question} onKeyDown={(e) => e.key === "Escape" && close()}>
      <p>{question} It cannot be undone.</p>
      <div className="row">
        <button
          type="button"
          className="danger"
          onClick={() => {
            close();
            act();
          }}
        >
          {yes}
        </button>
        <button type="button" autoFocus onClick={close}>
          {no}
        </button>
      </div>
    </div>
  );
}

function Disk({ session, choice, row, known }: DiskProps): ReactNode {
  const { name } = choice;
  const state = useStore(session.state);
  const { work, changes } = useStore(disks);
  const [asking, setAsking] = useState<"reset" | "forget">();
  const [comparing, setComparing] = useState(false);
  const list = changes.get(name);
  const root = state.chosen === name;
  const attached = otherDisks(state.cmdline, state.chosen ?? "").includes(name);
  const own = choice.source.kind !== "published";
  const used = row?.use;
  const where =
    used === "scratch" || used === "copy" ? "in the machine, as a copy that ends with it" : used === "keep" ? "in the machine; what the guest syncs is kept in this browser" : !known ? "…" : row === undefined ? "nothing kept yet" : "kept in this browser";
  return (
    <article className="disk" aria-label={name}>
      <h3>{name}</h3>
      <p className="soft">
        {choice.title}
        {row !== undefined && (
          <>
            {" "}
            · image <code>{row.image}</code>
          </>
        )}
      </p>
      <dl className="facts">
        <dt>Overlay</dt>
        <dd>{!known ? "…" : row === undefined || row.changed === 0 ? "empty" : `${size(row.changed)} changed`}</dd>
        <dt>Where</dt>
        <dd>{where}</dd>
        {row?.used !== undefined && (
          <>
            <dt>Last used</dt>
            <dd>{new Date(row.used).toLocaleString()}</dd>
          </>
        )}
        <dt>Next boot</dt>
        <dd>{root ? "the root disk" : attached ? "a further disk" : "not there"}</dd>
      </dl>
      <div className="row">
        {!root && (
          <button type="button" onClick={() => session.choose(name)}>
            Boot from it
          </button>
        )}
        {!root && !attached && (
          <button type="button" onClick={() => attachDisk(session, name)}>
            Attach
          </button>
        )}
        {attached && (
          <button type="button" onClick={() => detachDisk(session, name)}>
            Detach
          </button>
        )}
        <button
          type="button"
          disabled={work !== undefined}
          onClick={() => {
            setComparing(true);
            void compareDisk(session, name);
          }}
        >
          Changes
        </button>
        <button type="button" disabled={work !== undefined} onClick={() => void downloadDisk(session, name)}>
          Download
        </button>
        <button type="button" className="danger" disabled={row === undefined} onClick={() => setAsking("reset")}>
          Reset…
        </button>
        {own && (
          <button type="button" className="danger" disabled={used !== undefined} onClick={() => setAsking("forget")}>
            Forget…
          </button>
        )}
      </div>
      {work?.disk === name && (
        <div className="working" role="status">
          <span>
            {work.what}
            {work.total > 0 ? `: ${size(work.done)} of ${size(work.total)}` : work.done > 0 ? `: ${count(work.done)}` : "…"}
          </span>
          {work.total > 0 && <progress max={work.total} value={work.done} aria-label={work.what} />}
          <button type="button" onClick={() => cancelWork(session)}>
            Cancel
          </button>
        </div>
      )}
      {asking === "reset" && (
        <Ask
          question={`This forgets all changes that were kept of ${name}.${used !== undefined ? " The machine starts anew." : ""}`}
          yes="Reset it"
          no="Keep my changes"
          act={() => void resetDisk(session, name)}
          close={() => setAsking(undefined)}
        />
      )}
      {asking === "forget" && (
        <Ask question={`This forgets the image ${name} and its changes.`} yes="Forget it" no="Keep it" act={() => void forgetImage(session, name)} close={() => setAsking(undefined)} />
      )}
      {comparing && list !== undefined && <Changes list={list} />}
    </article>
  );
}

export function DisksPanel({ session }: { readonly session: Session }): ReactNode {
  const { choices, power, stale } = useStore(session.state);
  const { rows, room, problem, work } = useStore(disks);
  const file = useRef<HTMLInputElement>(null);
  const changed = usePart(session.figures, (f) => f.status?.changed);
  useEffect(() => void refreshDisks(session), [session, power, changed]);
  return (
    <div className="disks">
      <p className="story">A disk is an image that never changes, and an overlay with all that was written since. What the guest syncs goes into this browser; nothing is uploaded.</p>
      <div className="room">
        <span>{roomInWords(room)}</span>
        {typeof room === "object" && <meter min={0} max={room.quota} value={room.used} aria-label="Storage used" />}
        {typeof room === "object" && !room.promised && (
          <button type="button" onClick={() => void askToKeep(session)}>
            Ask the browser to keep it
          </button>
        )}
      </div>
      {problem !== undefined && (
        <div className="message problem" role="alert">
          <p>{problem}</p>
          <button type="button" onClick={() => disks.set({ problem: undefined })}>
            Close
          </button>
        </div>
      )}
      {stale && <p className="soft">The next start uses what is chosen here; the machine that runs was started with other settings.</p>}
      <SharedDirectory session={session} />
      {choices.map((c) => (
        <Disk key={c.name} session={session} choice={c} row={rows?.find((r) => r.name === c.name)} known={rows !== undefined} />
      ))}
      <input
        ref={file}
        type="file"
        hidden
        aria-label="File for a further disk"
        onChange={(e) => {
          const [chosen] = e.target.files ?? [];
          if (chosen !== undefined) void addDisk(session, chosen);
          e.target.value = "";
        }}
      />
      <div className="row">
        <button type="button" disabled={work !== undefined} onClick={() => file.current?.click()}>
          Add a disk from a file…
        </button>
        <small>ext4 or a tar archive, as it is or packed with gzip. The guest sees it as /dev/ubdb, /dev/ubdc and so on.</small>
      </div>
    </div>
  );
}
