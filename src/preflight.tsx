// src/preflight.tsx — the preflight page: is this browser ready for a workshop?
import { type ReactNode, useEffect, useRef, useState } from "react";
import { CopyButton } from "./copy.tsx";
import { offline } from "./offline.ts";
import { type Finding, preflight, readyCode, WITHOUT_NETWORK } from "./preflight.ts";
import type { Session } from "./session.ts";
import { useStore } from "./store.ts";

const MARKS = { good: "✓", note: "!", bad: "✕" } as const;
const WORDS = { good: "good", note: "works, with a note", bad: "does not work" } as const;
/** what shells need and keyboards hide */
const KEYS = "~ | \\ / $ # { } [ ] < > * & ` ' \"";

const AGAIN_MS = 1000;
const isOffline = (findings: readonly Finding[]): boolean => findings.some((f) => f.what === WITHOUT_NETWORK && f.verdict === "good");

export function Preflight({ session, close }: { readonly session: Session; readonly close: () => void }): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const [findings, setFindings] = useState<readonly Finding[]>();
  const [typed, setTyped] = useState("");
  const { state } = useStore(offline);
  const { power } = useStore(session.state);
  useEffect(() => {
    const d = dialog.current;
    if (d !== null && !d.open) d.showModal();
  }, []);
  useEffect(() => {
    let over = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async (): Promise<void> => {
      const found = await preflight(session);
      if (over) return;
      setFindings(found);
      // the page is kept, the disk image comes
      if (state === "ready" && !isOffline(found)) timer = setTimeout(() => void look(), AGAIN_MS);
    };
    void look();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [session, state, power]);
  const bad = findings?.some((f) => f.verdict === "bad") === true;
  const missing = KEYS.split(" ").filter((k) => !typed.includes(k));
  return (
    <dialog ref={dialog} className="help preflight" aria-labelledby="preflight-title" onClose={close}>
      <h2 id="preflight-title">Is this browser ready?</h2>
      {findings === undefined ? (
        <p role="status">Looking…</p>
      ) : (
        <>
          <p role="status" className={`ready ${bad ? "bad" : "good"}`}>
            <b>{bad ? "Not yet." : isOffline(findings) ? "Ready. Works without a network." : "Ready."}</b> Code for a sign-up form: <code>{readyCode(findings)}</code>
          </p>
          <ul className="findings">
            {findings.map((f) => (
              <li key={f.what} className={f.verdict}>
                <span aria-hidden="true">{MARKS[f.verdict]}</span>
                <span>
                  <b>{f.what}</b>
                  <span className="visually-hidden"> ({WORDS[f.verdict]})</span>
                  <br />
                  {f.words}
                </span>
              </li>
            ))}
            <li className={typed === "" || missing.length > 0 ? "note" : "good"}>
              <span aria-hidden="true">{typed !== "" && missing.length === 0 ? "✓" : "⌨"}</span>
              <span>
                <label htmlFor="preflight-keys">
                  <b>Keyboard</b>
                </label>
                <br />
                Type these, to find where they are on yours: <code>{KEYS}</code>
                <br />
                <input id="preflight-keys" type="text" spellCheck={false} autoCapitalize="off" autoComplete="off" value={typed} onChange={(e) => setTyped(e.target.value)} />{" "}
                <span role="status">{typed === "" ? "" : missing.length === 0 ? "All there." : `Still to find: ${missing.join(" ")}`}</span>
              </span>
            </li>
          </ul>
          <div className="row">
            <CopyButton text={() => [`pagezero ${readyCode(findings)}`, navigator.userAgent, ...findings.map((f) => `${f.verdict}: ${f.what}: ${f.words}`)].join("\n")}>Copy the report</CopyButton>
            <button type="button" onClick={() => void preflight(session).then(setFindings)}>
              Look again
            </button>
            <button type="button" className="primary" onClick={() => dialog.current?.close()}>
              Close
            </button>
          </div>
        </>
      )}
    </dialog>
  );
}
