// src/panel.tsx — the panel beside the console: the machine's settings, and what can be seen of its inside.
import type { ComponentType, KeyboardEvent, ReactNode } from "react";
import { TITLES } from "./actions.ts";
import { late } from "./late.tsx";
import { MachinePanel } from "./machine.tsx";
import type { Session } from "./session.ts";
import { ZpolinePanel } from "./inspect/zpoline.tsx";
import { openPanel, PANELS, type PanelName } from "./ui.ts";

type PanelComponent = ComponentType<{ readonly session: Session }>;

const WAITING = <p className="empty">…</p>;
const VIEWS: Readonly<Record<PanelName, PanelComponent>> = {
  machine: MachinePanel,
  disks: late(async () => (await import("./disks.tsx")).DisksPanel, WAITING),
  "page 0": ZpolinePanel,
  calls: late(async () => (await import("./inspect/calls.tsx")).CallsPanel, WAITING),
  processes: late(async () => (await import("./inspect/processes.tsx")).ProcessesPanel, WAITING),
  memory: late(async () => (await import("./inspect/memory.tsx")).MemoryPanel, WAITING),
  cpu: late(async () => (await import("./inspect/cpu.tsx")).CpuPanel, WAITING),
  bench: late(async () => (await import("./bench/bench.tsx")).BenchPanel, WAITING),
};

const id = (name: PanelName): string => `tab-${name.replace(" ", "-")}`;

export function Panel({ session, name }: { readonly session: Session; readonly name: PanelName }): ReactNode {
  const View = VIEWS[name];
  const onKeyDown = (e: KeyboardEvent<HTMLDivElement>): void => {
    const at = PANELS.indexOf(name);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: PANELS.length - 1 }[e.key];
    if (to === undefined) return;
    e.preventDefault();
    const next = PANELS[(to + PANELS.length) % PANELS.length]!;
    openPanel(next);
    e.currentTarget.querySelector<HTMLElement>(`[data-name="${next}"]`)?.focus();
  };
  return (
    <aside className="panel" data-region="panel" tabIndex={-1} aria-label="Inspector">
      <div className="tabbar">
        <div className="tabs" role="tablist" aria-label="Panels" onKeyDown={onKeyDown}>
          {PANELS.map((p) => (
            <button type="button" role="tab" key={p} data-name={p} id={id(p)} aria-selected={p === name} aria-controls="panel-body" tabIndex={p === name ? 0 : -1} onClick={() => openPanel(p)}>
              {TITLES[p]}
            </button>
          ))}
        </div>
        <button type="button" className="close" aria-label="Close the panel" onClick={() => openPanel(undefined)}>
          ✕
        </button>
      </div>
      {/* each from its top */}
      <div key={name} className="body" role="tabpanel" id="panel-body" aria-labelledby={id(name)} tabIndex={0}>
        <View session={session} />
      </div>
    </aside>
  );
}
