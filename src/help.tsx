// src/help.tsx — what this is, and the keys.
import { type ReactNode, useEffect, useRef } from "react";
import { allActions } from "./actions.ts";

const MORE = [["Enter", "On the console's frame: type into it"], ["T", "Picture or table, in a panel that has both"]] as const;

export function Help({ close, images }: { readonly close: () => void; readonly images: number }): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const d = dialog.current;
    if (d === null || d.open) return;
    d.showModal();
    // not to the first button, which is at the end
    d.focus();
    d.scrollTop = 0;
  }, []);
  return (
    <dialog ref={dialog} className="help" tabIndex={-1} aria-labelledby="help-title" onClose={close}>
      <h2 id="help-title">An x86-64 CPU and a Linux kernel without MMU, in this tab</h2>
      <p>
        The machine runs in a worker of this page; nothing is uploaded. Processes share one address space. Each <code>syscall</code> of a program has become{" "}
        <code>call *%rax</code>: a jump to the call's number, which is an address in page 0. There lie nops that slide into the kernel's entry.
      </p>
      <p>
        {images > 0 ? "What the guest syncs is kept in this browser. " : ""}The panel <em>Machine</em> changes the command line and the disk image;{" "}
        <em>Disks</em> shows what was changed, downloads, resets and adds disks.
      </p>
      <h3>Keys</h3>
      <dl>
        {allActions()
          .filter((a) => a.keys !== undefined)
          .map((a) => (
            <div key={a.id}>
              <dt>
                {a.keys!.map((k) => (
                  <kbd key={k}>{k}</kbd>
                ))}
              </dt>
              <dd>
                {a.title}
                {a.everywhere === true ? "" : " (outside the console)"}
              </dd>
            </div>
          ))}
        {MORE.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <button type="button" className="primary" onClick={() => dialog.current?.close()}>
        Close
      </button>
    </dialog>
  );
}
