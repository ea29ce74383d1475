// src/app.tsx — the page: bar, console, panel, status line.
import { type DragEvent, type ReactNode, useEffect, useState } from "react";
import { Bar } from "./bar.tsx";
import { ConsoleView } from "./console.tsx";
import { Help } from "./help.tsx";
import { installKeys } from "./keys.ts";
import { Panel, type PanelName, PANELS } from "./panel.tsx";
import type { Session } from "./session.ts";
import { StatusLine } from "./status.tsx";
import { useStore } from "./store.ts";

const wide = matchMedia("(min-width: 900px)");

export function App({ session }: { readonly session: Session }): ReactNode {
  const [panel, setPanel] = useState<PanelName | undefined>(wide.matches ? "page 0" : undefined);
  const [help, setHelp] = useState(false);
  const [dropping, setDropping] = useState(false);
  const { choices } = useStore(session.state);
  useEffect(() => installKeys(() => session.console.focus()), [session]);
  useEffect(() => {
    const onKey = (e: KeyboardEvent): void => {
      const typing = (e.target as HTMLElement).closest("textarea, input, select, .xterm") !== null;
      if (e.key === "?" && !typing) setHelp(true);
      const n = e.altKey && !e.ctrlKey && !e.metaKey ? Number(e.key) : NaN;
      const chosen = PANELS[n - 1];
      if (chosen !== undefined && !typing) {
        e.preventDefault();
        setPanel(chosen);
      }
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);

  const carriesFiles = (e: DragEvent): boolean => e.dataTransfer.types.includes("Files");
  const onDrop = (e: DragEvent): void => {
    if (!carriesFiles(e)) return;
    e.preventDefault();
    setDropping(false);
    const [file] = e.dataTransfer.files;
    if (file === undefined) return;
    session.bring(file);
    setPanel("machine");
  };
  return (
    <div
      className="app"
      data-panel={panel ?? "none"}
      onDragOver={(e) => {
        if (!carriesFiles(e)) return;
        e.preventDefault();
        setDropping(true);
      }}
      onDragLeave={(e) => {
        if (e.currentTarget === e.target || !e.currentTarget.contains(e.relatedTarget as Node | null)) setDropping(false);
      }}
      onDrop={onDrop}
    >
      <Bar session={session} panel={panel} setPanel={setPanel} openHelp={() => setHelp(true)} />
      <main className="stage">
        <ConsoleView session={session} openPanel={setPanel} />
        {panel !== undefined && <Panel session={session} name={panel} setName={setPanel} />}
      </main>
      <StatusLine session={session} />
      {dropping && (
        <div className="drop" aria-hidden="true">
          Drop an ext4 image (or .ext4.gz) to boot from it
        </div>
      )}
      {help && <Help close={() => setHelp(false)} images={choices.length} />}
    </div>
  );
}
