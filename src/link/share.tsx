// src/link/share.tsx — the share dialog: what a link to this machine carries, how long that makes it, and in which forms it can be handed on.
import { type ReactNode, useEffect, useRef, useState } from "react";
import type { LinkWish, MadeLink } from "../../worker/protocol/link.ts";
import { CopyButton } from "../copy.tsx";
import { count, shortFingerprint } from "../format.ts";
import type { Session } from "../session.ts";
import { useStore } from "../store.ts";
import { type Check, checkLink } from "./check.ts";
import { downloadBundle, runningSource, wishOf } from "./open.ts";
import { Qr } from "./qr.tsx";

const escape = (s: string): string => s.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");

/** Forms of a link, for the places it goes to. */
export const FORMS: readonly { readonly name: string; readonly write: (url: string, title: string) => string }[] = [
  { name: "Link", write: (url) => url },
  { name: "Markdown", write: (url, title) => `[${title.replace(/[[\]\\]/g, "\\$&")}](${url})` },
  { name: "HTML button", write: (url, title) => `<a href="${escape(url)}" role="button">${escape(title)}</a>` },
  // a frame of its own page: it starts on a click (docs/embedding.md)
  { name: "iframe", write: (url, title) => `<iframe src="${escape(url.replace(/[^/]*#/, "embed.html#"))}" title="${escape(title)}" width="800" height="500" allow="cross-origin-isolated; clipboard-write" loading="lazy"></iframe>` },
];

const sentence = (e: unknown): string => (e instanceof Error ? e.message : String(e));

function CheckIt({ session, made }: { readonly session: Session; readonly made: MadeLink }): ReactNode {
  const [said, setSaid] = useState<{ readonly text: string; readonly kind: "busy" | "same" | "other" }>();
  const check = useRef<Check>(undefined);
  useEffect(() => () => check.current?.cancel(), [made]);
  const start = (): void => {
    const source = runningSource(session);
    if (source === undefined || made.link.fingerprint === undefined) return;
    setSaid({ text: "Booting it in a second worker…", kind: "busy" });
    check.current = checkLink(made, session.state.get().running?.line ?? "", source, (n) => setSaid({ text: `at instruction ${count(n)} of ${count(made.link.at ?? 0)}`, kind: "busy" }));
    check.current.result.then(
      (got) =>
        setSaid(
          got === made.link.fingerprint
            ? { text: `Same machine: identical at instruction ${count(made.link.at ?? 0)}.`, kind: "same" }
            : { text: `It came out differently: ${shortFingerprint(got)} instead of ${shortFingerprint(made.link.fingerprint ?? "")}. ${made.missing ?? "Please report this with the link."}`, kind: "other" },
        ),
      (e: unknown) => setSaid({ text: sentence(e), kind: "other" }),
    );
  };
  return (
    <div className="row">
      <button type="button" disabled={said?.kind === "busy" || made.link.at === undefined} onClick={start}>
        Check it
      </button>
      {said?.kind === "busy" && (
        <button
          type="button"
          onClick={() => {
            check.current?.cancel();
            setSaid(undefined);
          }}
        >
          Cancel
        </button>
      )}
      <span role="status" className={said === undefined ? "aside" : `verdict ${said.kind}`}>
        {said?.kind === "same" ? "✓ " : said?.kind === "other" ? "✗ " : ""}
        {said?.text ?? "boots the link in a second worker and compares the fingerprints"}
      </span>
    </div>
  );
}

export function Share({ session, close }: { readonly session: Session; readonly close: () => void }): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const { power } = useStore(session.state);
  const [wish, setWish] = useState<Pick<LinkWish, "title" | "notes" | "moment">>({ title: "", notes: "", moment: true });
  const [got, setGot] = useState<{ readonly wish: typeof wish; readonly made: MadeLink }>();
  const [problem, setProblem] = useState<string>();
  const [form, setForm] = useState("Link");
  useEffect(() => {
    const d = dialog.current;
    if (d !== null && !d.open) d.showModal();
    // the machine stands still while its link is looked at: link and moment stay one
    if (session.state.get().power === "running") session.pause();
  }, [session]);
  useEffect(() => {
    let current = true;
    session.control
      .makeLink(wishOf(session, wish))
      .then((m) => current && (setGot({ wish, made: m }), setProblem(undefined)))
      .catch((e: unknown) => current && setProblem(sentence(e)));
    return () => {
      current = false;
    };
  }, [session, wish]);
  const made = got?.made;
  // it is of what stands in the fields now
  const current = got?.wish === wish;
  const url = made === undefined ? "" : `${location.origin}${location.pathname}${made.fragment}`;
  const title = wish.title === "" ? "Boot this machine" : wish.title;
  const text = FORMS.find((f) => f.name === form)?.write(url, title) ?? url;
  return (
    <dialog ref={dialog} className="help share" aria-labelledby="share-title" onClose={close}>
      <h2 id="share-title">Share this machine</h2>
      <p className="aside">
        Whoever opens the link gets the same machine, to the instruction: nothing is uploaded, all of it is in the link.
        {power === "paused" ? " The machine is paused." : ""}
      </p>
      {problem !== undefined && (
        <p role="alert" className="verdict other">
          {problem}
        </p>
      )}
      {made?.missing !== undefined && (
        <p role="note" className="verdict other">
          {made.missing}
        </p>
      )}
      {/(?:^| )time=real(?: |$)/.test(session.state.get().running?.line ?? "") && (
        <p role="note" className="aside">
          This machine’s clock is the computer’s own (time=real): the link repeats what was recorded, to the instruction; whoever runs on from there gets another machine each time.
        </p>
      )}
      <div className="fields">
        <label>
          Title
          <input type="text" maxLength={80} value={wish.title} placeholder="Where getpid lands" onChange={(e) => setWish({ ...wish, title: e.target.value })} />
        </label>
        <label>
          Notes
          <textarea rows={2} maxLength={4000} value={wish.notes} onChange={(e) => setWish({ ...wish, notes: e.target.value })} />
        </label>
        <label className="check">
          <input type="checkbox" checked={wish.moment} onChange={(e) => setWish({ ...wish, moment: e.target.checked })} />
          This moment: what was typed, up to instruction {count(made?.link.at ?? session.figures.get().status?.retired ?? 0)}
          {made?.link.fingerprint === undefined ? "" : `, fingerprint ${shortFingerprint(made.link.fingerprint)}`}
        </label>
      </div>
      <fieldset className="forms">
        <legend>As</legend>
        {[...FORMS.map((f) => f.name), "QR code"].map((name) => (
          <label key={name}>
            <input type="radio" name="form" checked={form === name} onChange={() => setForm(name)} /> {name}
          </label>
        ))}
      </fieldset>
      {form === "QR code" ? <Qr text={url} /> : <textarea className="link-text" readOnly rows={3} aria-label={form} value={text} onFocus={(e) => e.target.select()} />}
      <div className="row">
        {form !== "QR code" && (
          <CopyButton text={() => text} disabled={!current}>
            Copy
          </CopyButton>
        )}
        <span className="aside" role="status">
          {count(url.length)} characters: {made?.advice ?? "…"}
        </span>
      </div>
      <details>
        <summary>What makes it so long</summary>
        <table>
          <tbody>
            {made?.parts.map((p) => (
              <tr key={p.key}>
                <td>{p.label}</td>
                <td>
                  <code>{p.key}</code>
                </td>
                <td className="number">{count(p.length)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
      {made !== undefined && <CheckIt session={session} made={made} />}
      <div className="row end">
        <button type="button" onClick={() => void downloadBundle(session, wish)}>
          Download as a file
        </button>
        <button type="button" className="primary" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </div>
    </dialog>
  );
}
