// src/paste.tsx — pasting that works on plain HTTP, too, and that asks before several lines are run.
import { type ReactNode, useEffect, useRef, useState } from "react";
import type { Session } from "./session.ts";
import { ui } from "./ui.ts";

export function Paste({ session, close }: { readonly session: Session; readonly close: () => void }): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState("");
  const console = session.consoles[Number(ui.get().screen)] ?? session.console;
  useEffect(() => {
    const d = dialog.current;
    if (d !== null && !d.open) d.showModal();
    // where the clipboard can be read, its text is there already; unless the browser asked first, and somebody was quicker
    navigator.clipboard?.readText().then((found) => setText((typed) => (typed === "" ? found : typed)), () => undefined);
  }, []);
  const lines = text.replace(/\n$/, "").split("\n").length;
  const paste = (what: string): void => {
    dialog.current?.close();
    console.paste(what);
    console.focus();
  };
  return (
    <dialog ref={dialog} className="help" aria-labelledby="paste-title" onClose={close}>
      <h2 id="paste-title">Paste into the console</h2>
      <p>{lines > 1 ? `These are ${lines} lines: each of them is run when it is pasted as it is.` : "Put the text here, with the browser’s own paste if it is not there yet."}</p>
      <textarea className="wide" rows={8} autoFocus spellCheck={false} aria-label="Text to paste" value={text} onChange={(e) => setText(e.target.value)} />
      <div className="row">
        <button type="button" className="primary" disabled={text === ""} onClick={() => paste(text)}>
          Paste
        </button>
        {lines > 1 && (
          <button type="button" onClick={() => paste(text.replaceAll("\n", " ").trim())}>
            Paste as one line
          </button>
        )}
        <button type="button" onClick={() => dialog.current?.close()}>
          Cancel
        </button>
      </div>
    </dialog>
  );
}
