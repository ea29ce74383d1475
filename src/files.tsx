// src/files.tsx — files between this computer and the guest: a list in the panel of disks, a question after a drop.
import { type ReactNode, useEffect, useRef } from "react";
import { files, MOUNT, pickFiles, putFiles, refreshFiles, takeFile } from "./files.ts";
import { size } from "./format.ts";
import type { Session } from "./session.ts";
import { useStore } from "./store.ts";
import { Head, numbers } from "./head.tsx";
import { openPanel } from "./ui.ts";

/** The shared directory, in the panel of disks. */
export function SharedDirectory({ session }: { readonly session: Session }): ReactNode {
  const { shared } = useStore(files);
  const { power } = useStore(session.state);
  useEffect(() => void refreshFiles(session), [session, power]);
  const where = shared?.where;
  return (
    <section className="disk" aria-label="Shared files">
      <h3>{where ?? "hostfs"}</h3>
      <p className="soft">
        {shared === undefined ? (
          `A directory that guest and page share${power === "off" || power === "halted" || power === "crashed" ? "; the machine is off." : "."}`
        ) : where === undefined ? (
          <>
            A directory that guest and page share. The guest has not mounted it: <code>{MOUNT}</code>
          </>
        ) : (
          <>
            A directory that guest and page share. Files dropped on the page are in it; <code>cp FILE {where}/</code> makes one that can be downloaded here.
          </>
        )}
      </p>
      {shared !== undefined && shared.files.length > 0 && (
        <table aria-label="Shared files">
          <Head columns={["file", numbers("size"), { name: "action", hidden: true }]} />
          <tbody>
            {shared.files.map((f) => (
              <tr key={f.path}>
                <td>
                  <code>{f.path}</code>
                </td>
                <td className="number">{size(f.size)}</td>
                <td>
                  <button type="button" aria-label={`Download ${f.path}`} onClick={() => void takeFile(session, f.path)}>
                    Download
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <div className="row">
        <button type="button" disabled={shared === undefined} onClick={() => pickFiles(session)}>
          Put files into the guest…
        </button>
        {shared !== undefined && where === undefined && (
          <button type="button" disabled={power !== "running"} onClick={() => session.type(`${MOUNT}\n`)}>
            Type the mount command
          </button>
        )}
        <button type="button" disabled={shared === undefined} onClick={() => void refreshFiles(session)}>
          Look again
        </button>
      </div>
    </section>
  );
}

/** A file that could be a disk was dropped while a machine runs. */
export function FileQuestion({ session, close }: { readonly session: Session; readonly close: () => void }): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const { asked } = useStore(files);
  useEffect(() => {
    const d = dialog.current;
    if (d !== null && !d.open) d.showModal();
  }, []);
  if (asked === undefined) return null;
  const act = (what: () => unknown) => (): void => {
    dialog.current?.close();
    what();
  };
  return (
    <dialog ref={dialog} className="help" aria-labelledby="file-title" onClose={close}>
      <h2 id="file-title">{asked.name}</h2>
      <p>{size(asked.size)}. It can be a disk: what shall become of it?</p>
      <div className="row">
        <button
          type="button"
          className="primary"
          onClick={act(() => {
            void session.bring(asked);
            openPanel("machine");
          })}
        >
          Boot from it
        </button>
        <button type="button" onClick={act(() => putFiles(session, [asked]))}>
          Put it into the guest as a file
        </button>
        <button type="button" onClick={act(() => undefined)}>
          Nothing
        </button>
      </div>
    </dialog>
  );
}
