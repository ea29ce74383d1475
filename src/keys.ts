// src/keys.ts — the keyboard: keys of the table of actions; F6 and Shift+F6 go round the regions, Ctrl+` goes to the console and back.
import { actionOf, keyOf } from "./actions.ts";
import type { Session } from "./session.ts";
import { ui } from "./ui.ts";

const regions = (): HTMLElement[] => [...document.querySelectorAll<HTMLElement>("[data-region]")].filter((r) => r.offsetParent !== null || r.getClientRects().length > 0);

function enter(region: HTMLElement): void {
  const inside = region.dataset["region"] === "console" ? region : region.querySelector<HTMLElement>("button:not([disabled]), [tabindex='0'], textarea, input, select");
  (inside ?? region).focus();
}

function around(step: number): void {
  const all = regions();
  const at = all.findIndex((r) => r.contains(document.activeElement));
  const next = all[(at + step + all.length) % all.length];
  if (next !== undefined) enter(next);
}

/** Does the page keep this key for itself, even while the console has the focus? */
export function isPageKey(e: KeyboardEvent, session: Session): boolean {
  return actionOf(keyOf(e), session, true, true) !== undefined;
}

/** Installs the keys. Returns how to take them away. */
export function installKeys(session: Session): () => void {
  let last: HTMLElement | undefined;
  const onKey = (e: KeyboardEvent): void => {
    const target = e.target as HTMLElement;
    const inConsole = target.closest(".xterm") !== null;
    const typing = inConsole || target.closest("textarea, input, select, [contenteditable]") !== null;
    if (document.querySelector("dialog[open]") !== null) return;
    const found = actionOf(keyOf(e), session, inConsole, typing);
    if (found === undefined) return;
    e.preventDefault();
    found.run(session);
  };
  const onRegion = (e: Event): void => {
    const step = (e as CustomEvent<number>).detail;
    if (step !== 0) {
      around(step);
      return;
    }
    const active = document.activeElement as HTMLElement | null;
    if (active?.closest("[data-region='console']")) (last?.isConnected ? last : regions().find((r) => r.dataset["region"] !== "console"))?.focus();
    else {
      last = active ?? undefined;
      (session.consoles[Number(ui.get().screen)] ?? session.console).focus();
    }
  };
  document.addEventListener("keydown", onKey);
  document.addEventListener("pagezero:region", onRegion);
  return () => {
    document.removeEventListener("keydown", onKey);
    document.removeEventListener("pagezero:region", onRegion);
  };
}
