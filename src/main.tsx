// src/main.tsx — where the page starts.
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import { Session } from "./session.ts";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/console.css";
import "./styles/panel.css";
import "./styles/inspect.css";
import "./styles/disks.css";
import "./styles/lesson.css";
import "./styles/responsive.css";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
const session = new Session();
createRoot(root).render(
  <StrictMode>
    <App session={session} />
  </StrictMode>,
);
// #off: the page waits, so that the command line can be edited first
void session.discover().then(() => (location.hash === "#off" || session.state.get().chosen === undefined ? undefined : session.start()));
