// src/bar.tsx — the bar at the top: what the machine is doing, and the switches.
import type { ReactNode } from "react";
import { ActionButton } from "./button.tsx";
import type { Power, Session } from "./session.ts";
import { useStore } from "./store.ts";
import { theme } from "./theme.ts";
import { ui } from "./ui.ts";

const STATES: Readonly<Record<Power, readonly [icon: string, word: string]>> = {
  off: ["○", "Off"],
  starting: ["◔", "Starting"],
  running: ["●", "Running"],
  paused: ["‖", "Paused"],
  halted: ["■", "Halted"],
  crashed: ["▲", "Crashed"],
};

export function Bar({ session }: { readonly session: Session }): ReactNode {
  const { power, storing, stale } = useStore(session.state);
  const { panel, lesson } = useStore(ui);
  const dark = useStore(theme).theme === "dark";
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
        {session.isOn ? (
          <ActionButton session={session} id="stop">
            Stop
          </ActionButton>
        ) : (
          <ActionButton session={session} id="start" className="primary">
            Start
          </ActionButton>
        )}
        {power === "paused" ? (
          <ActionButton session={session} id="resume">
            Resume
          </ActionButton>
        ) : (
          <ActionButton session={session} id="pause">
            Pause
          </ActionButton>
        )}
        <ActionButton session={session} id="restart" className={stale ? "primary" : ""}>
          Restart
        </ActionButton>
        <ActionButton session={session} id="lessons" className="phonehas" pressed={lesson !== undefined}>
          Lessons
        </ActionButton>
        <ActionButton session={session} id="share">Share</ActionButton>
        <ActionButton session={session} id="inspect" className="phonehas" pressed={panel !== undefined}>
          Inspect
        </ActionButton>
        <ActionButton session={session} id="commands" className="icon" label="Search all commands">
          ⌕
        </ActionButton>
        <ActionButton session={session} id="theme" className="icon" label={dark ? "Use the light theme" : "Use the dark theme"}>
          {dark ? "☀" : "☾"}
        </ActionButton>
        <ActionButton session={session} id="help" className="icon" label="Help and keyboard">
          ?
        </ActionButton>
      </div>
    </header>
  );
}
