// src/panel.tsx — the panel beside the console: the machine's settings, and what can be seen of its inside.
import { type KeyboardEvent, lazy, type ReactNode, Suspense } from "react";
import { MachinePanel } from "./machine.tsx";
import type { Session } from "./session.ts";
import { SledPanel } from "./inspect/sled.tsx";

const CallsPanel = lazy(async () => ({ default: (await import("./inspect/calls.tsx")).CallsPanel }));
const ProcessesPanel = lazy(async () => ({ default: (await import("./inspect/processes.tsx")).ProcessesPanel }));
const MemoryPanel = lazy(async () => ({ default: (await import("./inspect/memory.tsx")).MemoryPanel }));
const CpuPanel = lazy(async () => ({ default: (await import("./inspect/cpu.tsx")).CpuPanel }));

export const PANELS = ["machine", "page 0", "calls", "processes", "memory", "cpu"] as const;
export type PanelName = (typeof PANELS)[number];
const TITLES: Readonly<Record<PanelName, string>> = { machine: "Machine", "page 0": "Page 0", calls: "Calls", processes: "Processes", memory: "Memory", cpu: "CPU" };

interface PanelProps {
  readonly session: Session;
  readonly name: PanelName;
  readonly setName: (name: PanelName | undefined) => void;
}

export function Panel({ session, name, setName }: PanelProps): ReactNode {
  const onKeyDown = (e: KeyboardEvent<HTMLDivElement>): void => {
    const step = e.key === "ArrowRight" ? 1 : e.key === "ArrowLeft" ? -1 : 0;
    if (step === 0) return;
    const next = PANELS[(PANELS.indexOf(name) + step + PANELS.length) % PANELS.length]!;
    setName(next);
    e.currentTarget.querySelector<HTMLElement>(`[data-name="${next}"]`)?.focus();
  };
  return (
    <aside className="panel" data-region="panel" tabIndex={-1} aria-label="Inspector">
      <div className="tabs" role="tablist" aria-label="Panels" onKeyDown={onKeyDown}>
        {PANELS.map((p) => (
          <button type="button" role="tab" key={p} data-name={p} id={`tab-${p.replace(" ", "-")}`} aria-selected={p === name} aria-controls="panel-body" tabIndex={p === name ? 0 : -1} onClick={() => setName(p)}>
            {TITLES[p]}
          </button>
        ))}
        <button type="button" className="close" aria-label="Close the panel" onClick={() => setName(undefined)}>
          ✕
        </button>
      </div>
      <div className="body" role="tabpanel" id="panel-body" aria-labelledby={`tab-${name.replace(" ", "-")}`}>
        <Suspense fallback={<p className="empty">…</p>}>
          {name === "machine" && <MachinePanel session={session} />}
          {name === "page 0" && <SledPanel session={session} />}
          {name === "calls" && <CallsPanel session={session} />}
          {name === "processes" && <ProcessesPanel session={session} />}
          {name === "memory" && <MemoryPanel session={session} />}
          {name === "cpu" && <CpuPanel session={session} />}
        </Suspense>
      </div>
    </aside>
  );
}
