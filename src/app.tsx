// src/app.tsx — the page: bar, console, panel, status line.
import { type CSSProperties, type DragEvent, type ReactNode, useEffect, useState } from "react";
import { Bar } from "./bar.tsx";
import { ConsoleView } from "./console.tsx";
import { dropped, watchFiles } from "./files.ts";
import { Help } from "./help.tsx";
import { late } from "./late.tsx";
import { LinkBanner } from "./link/banner.tsx";
import { Share } from "./link/share.tsx";
import { installKeys } from "./keys.ts";
import { Palette } from "./palette.tsx";
import { Panel } from "./panel.tsx";
import { Paste } from "./paste.tsx";
import type { Session } from "./session.ts";
import { Splitter } from "./splitter.tsx";
import { StatusLine } from "./status.tsx";
import { useStore } from "./store.ts";
import { openLesson, openPanel, openSheet, ui } from "./ui.ts";

const FileQuestion = late(async () => (await import("./files.tsx")).FileQuestion);
const Preflight = late(async () => (await import("./preflight.tsx")).Preflight);
const Column = late(async () => (await import("./lessons/column.tsx")).Column, <aside className="lesson" />);

export function App({ session }: { readonly session: Session }): ReactNode {
  const { panel, sheet, width, still, lesson, present, tab } = useStore(ui);
  const [dropping, setDropping] = useState(false);
  const { choices, problem } = useStore(session.state);
  // on a phone whoever looks at something else would not hear of it
  useEffect(() => {
    if (problem !== undefined) ui.set({ tab: "console" });
  }, [problem]);
  useEffect(() => installKeys(session), [session]);
  useEffect(() => watchFiles(session), [session]);

  const carriesFiles = (e: DragEvent): boolean => e.dataTransfer.types.includes("Files");
  const onDrop = (e: DragEvent): void => {
    if (!carriesFiles(e)) return;
    e.preventDefault();
    setDropping(false);
    void dropped(session, e.dataTransfer);
  };
  return (
    <div
      className="app"
      data-panel={panel ?? "none"}
      data-still={still}
      data-present={present}
      data-tab={tab}
      data-lesson={lesson !== undefined}
      style={{ "--panel": `${width}%` } as CSSProperties}
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
      <Bar session={session} />
      <LinkBanner session={session} />
      <main className="stage">
        {lesson !== undefined && <Column session={session} />}
        <ConsoleView session={session} />
        {panel !== undefined && (
          <>
            <Splitter />
            <Panel session={session} name={panel} />
          </>
        )}
      </main>
      <nav className="phonetabs" aria-label="What is shown">
        {(["text", "console", "inspect"] as const).map((t) => (
          <button
            type="button"
            key={t}
            aria-pressed={tab === t}
            onClick={() => {
              ui.set({ tab: t });
              if (t === "text" && lesson === undefined) openLesson("list");
              if (t === "inspect" && panel === undefined) openPanel("page 0");
            }}
          >
            {{ text: "Text", console: "Console", inspect: "Inspect" }[t]}
          </button>
        ))}
      </nav>
      <StatusLine session={session} />
      {dropping && (
        <div className="drop" aria-hidden="true">
          {session.isOn ? "Drop files to hand them to the guest; an ext4 image, a tar archive or a bundle also to boot from" : "Drop an ext4 image or a tar archive (both also packed with gzip) to boot from it"}
        </div>
      )}
      {sheet === "share" && <Share session={session} close={() => ui.get().sheet === "share" && openSheet(undefined)} />}
      {sheet === "file" && <FileQuestion session={session} close={() => ui.get().sheet === "file" && openSheet(undefined)} />}
      {sheet === "check" && <Preflight session={session} close={() => ui.get().sheet === "check" && openSheet(undefined)} />}
      {sheet === "help" && <Help close={() => openSheet(undefined)} images={choices.length} />}
      {sheet === "paste" && <Paste session={session} close={() => openSheet(undefined)} />}
      {sheet === "commands" && <Palette session={session} close={() => ui.get().sheet === "commands" && openSheet(undefined)} />}
    </div>
  );
}
