// src/keys.ts — the keyboard between the regions of the page: F6 and Shift+F6 go round, Ctrl+` goes to the console and back.

/** Keys that the page keeps for itself, even while the console has the focus. */
export function isPageKey(e: KeyboardEvent): boolean {
  return e.key === "F6" || (e.ctrlKey && e.code === "Backquote");
}

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

/** Installs the keys; `console` focuses the terminal. Returns how to take them away. */
export function installKeys(console: () => void): () => void {
  let last: HTMLElement | undefined;
  const onKey = (e: KeyboardEvent): void => {
    if (!isPageKey(e)) return;
    e.preventDefault();
    if (e.key === "F6") around(e.shiftKey ? -1 : 1);
    else {
      const active = document.activeElement as HTMLElement | null;
      const inConsole = active?.closest("[data-region='console']") !== null && active !== null;
      if (inConsole) (last?.isConnected ? last : regions().find((r) => r.dataset["region"] !== "console"))?.focus();
      else {
        last = active ?? undefined;
        console();
      }
    }
  };
  document.addEventListener("keydown", onKey);
  return () => document.removeEventListener("keydown", onKey);
}
