// src/palette.tsx — the command palette: every action of the table, found by words.
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { type Action, allActions } from "./actions.ts";
import type { Session } from "./session.ts";

/** Actions whose title or group has all the words; those that begin with the text first. */
export function find(actions: readonly Action[], text: string): Action[] {
  const words = text.toLowerCase().split(/\s+/).filter((w) => w !== "");
  const hit = actions.filter((a) => words.every((w) => `${a.group} ${a.title}`.toLowerCase().includes(w)));
  const first = (a: Action): number => (words[0] !== undefined && a.title.toLowerCase().startsWith(words[0]) ? 0 : 1);
  return hit.sort((a, b) => first(a) - first(b));
}

export function Palette({ session, close }: { readonly session: Session; readonly close: () => void }): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  useEffect(() => {
    const d = dialog.current;
    if (d !== null && !d.open) d.showModal();
  }, []);
  const shown = find(allActions().filter((a) => a.id !== "commands" && (a.can?.(session) ?? true)), text);
  const chosen = Math.min(at, shown.length - 1);
  useEffect(() => {
    // new browsers return a promise here, which is no clean-up
    void list.current?.querySelector("[aria-selected='true']")?.scrollIntoView({ block: "nearest" });
  }, [chosen, text]);
  const run = (a: Action | undefined): void => {
    if (a === undefined) return;
    dialog.current?.close();
    a.run(session);
  };
  const onKeyDown = (e: KeyboardEvent): void => {
    if (e.key === "ArrowDown") setAt(Math.min(shown.length - 1, chosen + 1));
    else if (e.key === "ArrowUp") setAt(Math.max(0, chosen - 1));
    else if (e.key === "Enter") run(shown[chosen]);
    else return;
    e.preventDefault();
  };
  return (
    <dialog ref={dialog} className="palette" aria-label="Commands" onClose={close} onClick={(e) => (e.target === dialog.current ? dialog.current.close() : undefined)}>
      <input
        type="text"
        role="combobox"
        aria-label="Search commands"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={chosen >= 0 ? `palette-${chosen}` : undefined}
        placeholder="What do you want to do?"
        autoComplete="off"
        spellCheck={false}
        value={text}
        onChange={(e) => {
          setText(e.target.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div role="listbox" id="palette-list" aria-label="Commands" ref={list} tabIndex={-1}>
        {shown.map((a, i) => (
          <div key={a.id} id={`palette-${i}`} role="option" aria-selected={i === chosen} tabIndex={-1} onClick={() => run(a)} onPointerMove={() => setAt(i)}>
            <span>{a.title}</span> <small>{a.group}</small>
            {a.keys?.[0] !== undefined && <kbd>{a.keys[0]}</kbd>}
          </div>
        ))}
      </div>
      {shown.length === 0 && <p className="empty">Nothing on this page does that. Fewer words find more.</p>}
    </dialog>
  );
}
