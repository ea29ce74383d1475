// src/main.tsx — where the page starts.
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import { noteCalls } from "./inspect/watched.ts";
import { fetchParts } from "./late.tsx";
import { openFragment } from "./link/open.ts";
import { prepareOffline } from "./offline.ts";
import { Session } from "./session.ts";
import { openSheet, ui } from "./ui.ts";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/console.css";
import "./styles/panel.css";
import "./styles/inspect.css";
import "./styles/disks.css";
import "./styles/lesson.css";
import "./styles/link.css";
import "./styles/workshop.css";
import "./styles/responsive.css";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
const session = new Session();
noteCalls(session, ui);
createRoot(root).render(
  <StrictMode>
    <App session={session} />
  </StrictMode>,
);
/** `#/check` is the preflight page, over a machine that starts as usual. */
const checks = (): boolean => /^#\/check\b/.test(location.hash) && (openSheet("check"), true);
checks();
// once the machine is there: what is kept for visits without a network takes nothing from the start
const stop = session.state.subscribe(() => {
  if (session.state.get().power !== "running") return;
  stop();
  void prepareOffline();
});
// what a click may ask for is here before the click: once the machine has done its first work, or where there is none
const idle = session.figures.subscribe(() => {
  if (session.figures.get().status?.idle !== true) return;
  idle();
  void fetchParts();
});
// a boot link stands behind the #; #off: the page waits, so that the command line can be edited first
void session.discover().then(async () => {
  if (location.hash === "#off") return fetchParts();
  if ((await openFragment(session, location.hash)) || session.state.get().chosen === undefined) return;
  await session.begin();
});
window.addEventListener("hashchange", () => void (checks() || openFragment(session, location.hash)));
