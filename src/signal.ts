// src/signal.ts — "done" and "stuck", seen across a room: the page's upper edge, its title and its icon. Nothing is sent anywhere.
import { Store } from "./store.ts";

export type Signal = "done" | "stuck";
export const signal = new Store<{ readonly now: Signal | undefined }>({ now: undefined });

const TITLE = document.title;
const LOOKS: Readonly<Record<Signal, readonly [mark: string, color: string]>> = { done: ["✓", "#2d8a1f"], stuck: ["⚑", "#d98200"] };

export function setSignal(now: Signal | undefined): void {
  signal.set({ now });
  const [mark, color] = now === undefined ? [undefined, undefined] : LOOKS[now];
  document.title = mark === undefined ? TITLE : `${mark} ${now} — ${TITLE}`;
  if (now === undefined) delete document.documentElement.dataset["signal"];
  else document.documentElement.dataset["signal"] = now;
  const icon = document.querySelector<HTMLLinkElement>("link[rel=icon]");
  if (icon !== null) icon.href = color === undefined ? "data:," : `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><rect width="8" height="8" rx="2" fill="${color}"/></svg>`)}`;
}
