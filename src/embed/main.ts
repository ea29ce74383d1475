// src/embed/main.ts — embed.html: one console in somebody's page. Starts on a click, stands still while it is not seen, keeps nothing.
import { kept } from "../kept.ts";
import { guest } from "../link/guest.ts";
import { bootOpened, openFragment, runArmed } from "../link/open.ts";
import { type Power, Session } from "../session.ts";
import "../theme.ts";
import "../styles/base.css";
import "../styles/shell.css";
import "../styles/console.css";
import "./embed.css";
import type { FromFrame, ToFrame } from "./pagezero.ts";

const WORDS: Readonly<Record<Power, string>> = { off: "Off", starting: "Starting", running: "Running", paused: "Paused", halted: "Halted", crashed: "Crashed" };

function element<K extends keyof HTMLElementTagNameMap>(tag: K, className: string, text = ""): HTMLElementTagNameMap[K] {
  const e = document.createElement(tag);
  e.className = className;
  e.textContent = text;
  return e;
}
const button = (text: string, act: () => void): HTMLButtonElement => {
  const b = element("button", "", text);
  b.type = "button";
  b.onclick = act;
  return b;
};

// a frame in a foreign page keeps nothing
kept.set({ on: false });
const session = new Session();
const fragment = location.hash;
const isLink = fragment.startsWith("#/");

async function start(): Promise<void> {
  if (session.isOn) return;
  begin.disabled = true;
  await found;
  const line = new URLSearchParams(fragment.slice(1)).get("line");
  if (isLink && (await openFragment(session, fragment))) {
    // the click was the consent: this is a scratch copy in a frame
    if (!session.isOn) await bootOpened(session);
  } else {
    if (line !== null && !isLink) session.setCommandLine(line);
    session.setKeep(false);
    await session.start("scratch", undefined, "prompt");
  }
  begin.disabled = false;
}

const root = document.getElementById("root")!;
root.className = "embed";
const bar = element("header", "bar");
const state = element("span", "state");
state.setAttribute("role", "status");
state.setAttribute("aria-label", "State of the machine");
const pause = button("Pause", () => (session.state.get().power === "paused" ? session.resume() : session.pause()));
const armed = button("Run the link’s command", () => {
  runArmed(session);
  armed.hidden = true;
});
armed.hidden = true;
const full = element("a", "", "Open in full");
full.target = "_blank";
full.rel = "noopener";
full.href = `./${isLink ? fragment : ""}`;
bar.append(element("b", "", "pagezero"), state, element("span", "grow"), armed, pause, full);
const said = element("p", "message problem");
said.setAttribute("role", "alert");
const screen = element("div", "screen");
screen.setAttribute("role", "group");
screen.tabIndex = 0;
screen.onkeydown = (e) => {
  if (e.target === screen && (e.key === "Enter" || e.key === " ")) {
    e.preventDefault();
    session.console.focus();
  }
};
const terminal = element("div", "terminal");
const begin = button("Start Linux in this page", () => void start());
begin.className = "begin primary";
screen.append(terminal, begin);
root.replaceChildren(bar, said, screen);
session.console.mount(terminal);

const found = session.discover();

const tell = (message: FromFrame): void => {
  if (parent !== window) parent.postMessage(message, "*");
};
let power: Power | undefined;
session.state.subscribe(() => {
  const now = session.state.get();
  said.textContent = now.problem?.text ?? (now.power === "halted" || now.power === "crashed" ? (now.ended ?? "") : "");
  said.hidden = said.textContent === "";
  const { waiting } = now;
  state.textContent = waiting === undefined || waiting.total === 0 ? WORDS[now.power] : `${WORDS[now.power]}: ${waiting.what} ${Math.round((100 * waiting.done) / waiting.total)} %`;
  if (now.power === power) return;
  power = now.power;
  state.dataset["power"] = power;
  screen.setAttribute("aria-label", `Console, ${power}. Press Enter to type, F6 to leave.`);
  begin.hidden = session.isOn;
  begin.textContent = power === "off" ? "Start Linux in this page" : "Start again";
  pause.disabled = power !== "running" && power !== "paused";
  pause.textContent = power === "paused" ? "Resume" : "Pause";
  armed.hidden = power !== "running" || guest.get().opened?.link.extra.command === undefined;
  tell({ pagezero: 1, event: "state", state: power });
});
session.state.set({});
session.hear((text) => tell({ pagezero: 1, event: "output", text }), true);
// the way out for the keyboard: the frame's bar
session.console.keeps = (e) => {
  if (e.key !== "F6") return false;
  if (e.type === "keydown") screen.focus();
  return true;
};

addEventListener("message", (e: MessageEvent<ToFrame>) => {
  if (e.source !== parent || e.data?.pagezero !== 1) return;
  if (e.data.do === "start") void start();
  else if (e.data.do === "stop") session.stop();
  else if (e.data.do === "pause") session.pause();
  else if (e.data.do === "resume") session.resume();
  else if (e.data.do === "type" && typeof e.data.text === "string") session.type(e.data.text);
});
tell({ pagezero: 1, event: "ready" });

// out of sight it stands still, and goes on when it is seen again
let slept = false;
new IntersectionObserver(([entry]) => {
  const seen = entry?.isIntersecting !== false;
  if (!seen && session.state.get().power === "running") {
    slept = true;
    session.pause();
  } else if (seen && slept) {
    slept = false;
    if (session.state.get().power === "paused") session.resume();
  }
}).observe(screen);
