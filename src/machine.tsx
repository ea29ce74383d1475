// src/machine.tsx — the panel with what the machine boots: image, command line, disk.
import { type ReactNode, useId, useRef } from "react";
import { kept, setKept } from "./kept.ts";
import type { Session } from "./session.ts";
import { useStore } from "./store.ts";
import { ui } from "./ui.ts";

export function MachinePanel({ session }: { readonly session: Session }): ReactNode {
  const state = useStore(session.state);
  const id = useId();
  const file = useRef<HTMLInputElement>(null);
  const on = session.isOn;
  const { on: goesOn } = useStore(kept);
  const complaints = session.complaints();
  return (
    <form
      className="settings"
      onSubmit={(e) => {
        e.preventDefault();
        if (complaints.length > 0) return;
        // on a phone, too, it is seen what comes of it
        ui.set({ tab: "console" });
        void (on ? session.restart() : session.start());
      }}
    >
      <fieldset>
        <legend>Disk image</legend>
        <div className="choices">
          {state.choices.map((c) => (
            <label key={c.name}>
              <input type="radio" name="image" value={c.name} checked={c.name === state.chosen} onChange={() => session.choose(c.name)} />
              <span>
                <b>{c.name}</b> <small>{c.title}</small>
              </span>
            </label>
          ))}
        </div>
        <input
          ref={file}
          type="file"
          hidden
          aria-label="Image file"
          onChange={(e) => {
            const [chosen] = e.target.files ?? [];
            if (chosen !== undefined) void session.bring(chosen);
            e.target.value = "";
          }}
        />
        <button type="button" onClick={() => file.current?.click()}>
          Choose a file…
        </button>
        <small className="aside">An ext4 image or a tar archive of a root directory, as it is or packed with gzip; or drop it anywhere on the page.</small>
      </fieldset>
      <fieldset>
        <legend>Changes</legend>
        <label>
          <input type="radio" name="keep" checked={state.keep} onChange={() => session.setKeep(true)} />
          <span>
            <b>Keep</b> <small>what the guest syncs stays in this browser</small>
          </span>
        </label>
        <label>
          <input type="radio" name="keep" checked={!state.keep} onChange={() => session.setKeep(false)} />
          <span>
            <b>Scratch copy</b> <small>forgotten when the machine stops</small>
          </span>
        </label>
        <label>
          <input type="checkbox" checked={goesOn} onChange={(e) => setKept(session, e.target.checked)} />
          <span>
            <b>Go on after a reload</b> <small>the machine itself is kept in this browser, too, every few seconds (up to 64 MB); also after a crash</small>
          </span>
        </label>
      </fieldset>
      <fieldset>
        <legend>
          <label htmlFor={`${id}-line`}>Kernel command line</label>
        </legend>
        <textarea
          id={`${id}-line`}
          rows={3}
          spellCheck={false}
          autoCapitalize="off"
          autoComplete="off"
          value={state.cmdline}
          aria-invalid={complaints.length > 0}
          aria-describedby={`${id}-complaints`}
          onChange={(e) => session.setCommandLine(e.target.value.replaceAll("\n", " "))}
        />
        <div id={`${id}-complaints`} className="complaints" role="status">
          {complaints.map((c) => (
            <p key={c}>{c}</p>
          ))}
        </div>
        <button type="submit" className="primary" disabled={complaints.length > 0}>
          {on ? "Restart with these" : "Start"}
        </button>
        {state.stale && complaints.length === 0 && <small className="aside">The machine that runs was started with other settings.</small>}
      </fieldset>
    </form>
  );
}
