// src/bar.tsx — the bar at the top: what the machine is doing, and the switches.
import type { ReactNode } from "react";
import type { PanelName } from "./panel.tsx";
import type { Power, Session } from "./session.ts";
import { useStore } from "./store.ts";
import { theme, toggleTheme } from "./theme.ts";

const STATES: Readonly<Record<Power, readonly [icon: string, word: string]>> = {
  off: ["○", "Off"],
  starting: ["◔", "Starting"],
  running: ["●", "Running"],
  paused: ["⏸", "Paused"],
  halted: ["■", "Halted"],
  crashed: ["▲", "Crashed"],
};

interface BarProps {
  readonly session: Session;
  readonly panel: PanelName | undefined;
  readonly setPanel: (panel: PanelName | undefined) => void;
  readonly openHelp: () => void;
}

export function Bar({ session, panel, setPanel, openHelp }: BarProps): ReactNode {
  const { power, storing, stale } = useStore(session.state);
  const dark = useStore(theme).theme === "dark";
  const on = power === "starting" || power === "running" || power === "paused";
  const [icon, word] = storing ? (["⛁", "Waiting for disk"] as const) : STATES[power];
  return (
    <header className="bar" data-region="bar" tabIndex={-1} aria-label="Machine">
      <h1>
        page<span>zero</span>
      </h1>
      <p className="tagline">Linux without an MMU, in this tab</p>
      <span className={`state ${storing ? "storing" : power}`} role="status" aria-label="State of the machine">
        <span aria-hidden="true">{icon}</span> {word}
      </span>
      <div className="buttons">
        {on ? (
          <button type="button" onClick={() => session.stop()}>
            Stop
          </button>
        ) : (
          <button type="button" className="primary" onClick={() => void session.start()}>
            Start
          </button>
        )}
        {power === "paused" ? (
          <button type="button" onClick={() => session.resume()}>
            Resume
          </button>
        ) : (
          <button type="button" disabled={power !== "running"} onClick={() => session.pause()}>
            Pause
          </button>
        )}
        <button type="button" className={stale ? "primary" : ""} disabled={!on} title={stale ? "The settings have changed" : undefined} onClick={() => void session.restart()}>
          Restart
        </button>
        <button type="button" aria-pressed={panel !== undefined} onClick={() => setPanel(panel === undefined ? "page 0" : undefined)}>
          Inspect
        </button>
        <button type="button" className="icon" aria-label={dark ? "Use the light theme" : "Use the dark theme"} title={dark ? "Light theme" : "Dark theme"} onClick={toggleTheme}>
          {dark ? "☀" : "☾"}
        </button>
        <button type="button" className="icon" aria-label="Help and keyboard" title="Help and keyboard (?)" onClick={openHelp}>
          ?
        </button>
      </div>
    </header>
  );
}
