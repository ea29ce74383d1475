// scripts/firefox.ts — drives Debian's Firefox through WebDriver BiDi: Playwright wants a Firefox of its own.
//
//   npx tsx scripts/firefox.ts [--screenshot=FILE] [COMMAND]     builds the page, boots it in Firefox to the prompt, and runs a command there
//
// Source: W3C, WebDriver BiDi; RFC 6455 (WebSocket).

import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The text messages of a WebSocket, as a client. */
class WebSocketClient {
  private readonly socket: Socket;
  private readonly message: (text: string) => void;
  private pending: Buffer = Buffer.alloc(0);
  private parts: Buffer[] = [];

  private constructor(socket: Socket, head: Buffer, message: (text: string) => void) {
    this.socket = socket;
    this.message = message;
    socket.on("data", (d: Buffer) => this.take(d));
    this.take(head);
  }
  static connect(url: URL, message: (text: string) => void, closed: () => void): Promise<WebSocketClient> {
    return new Promise((resolve, reject) => {
      const headers = { Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": randomBytes(16).toString("base64") };
      const call = request({ host: url.hostname, port: url.port, path: url.pathname, headers });
      call.on("error", reject);
      call.on("response", (r) => reject(new Error(`${url.href} answers ${r.statusCode}`)));
      call.on("upgrade", (_, socket: Socket, head: Buffer) => {
        socket.on("close", closed).on("error", closed);
        resolve(new WebSocketClient(socket, head, message));
      });
      call.end();
    });
  }
  private take(data: Buffer): void {
    this.pending = Buffer.concat([this.pending, data]);
    for (;;) {
      const b = this.pending;
      if (b.length < 2) return;
      const short = b[1]! & 0x7f;
      const at = short === 126 ? 4 : short === 127 ? 10 : 2;
      if (b.length < at) return;
      const n = short === 126 ? b.readUInt16BE(2) : short === 127 ? Number(b.readBigUInt64BE(2)) : short;
      if (b.length < at + n) return;
      const opcode = b[0]! & 15, payload = b.subarray(at, at + n);
      this.pending = b.subarray(at + n);
      if (opcode === 9) this.frame(10, payload);
      if (opcode > 2) continue;
      this.parts.push(payload);
      if ((b[0]! & 0x80) === 0) continue;
      const whole = Buffer.concat(this.parts).toString();
      this.parts = [];
      this.message(whole);
    }
  }
  private frame(opcode: number, payload: Buffer): void {
    const n = payload.length, mask = randomBytes(4);
    const head = n < 126 ? Buffer.from([0, n]) : n < 65536 ? Buffer.from([0, 126, n >> 8, n & 255]) : Buffer.alloc(10);
    if (n >= 65536) {
      head[1] = 127;
      head.writeBigUInt64BE(BigInt(n), 2);
    }
    head[0] = 0x80 | opcode;
    head[1]! |= 0x80;
    this.socket.write(Buffer.concat([head, mask, payload.map((c, i) => c ^ mask[i & 3]!)]));
  }
  send(text: string): void {
    this.frame(1, Buffer.from(text));
  }
  close(): void {
    this.socket.destroy();
  }
}

const named = (name: string): string | undefined => (process.env["PATH"] ?? "").split(":").map((d) => join(d, name)).find((f) => existsSync(f));

/** Where Firefox is; undefined: it is not installed. FIREFOX names another one. */
export const firefoxPath = (): string | undefined => process.env["FIREFOX"] ?? named("firefox-esr") ?? named("firefox");

interface Answer {
  readonly result?: unknown;
  readonly error?: string;
  readonly message?: string;
}

/** One page in a Firefox without a window, with a profile of its own. */
export class Firefox {
  private readonly child: ChildProcess;
  private readonly profile: string;
  private socket!: WebSocketClient;
  private context = "";
  private calls = 0;
  private readonly waiting = new Map<number, { resolve: (v: unknown) => void; reject: (e: Error) => void }>();
  /** what pages wrote with console.error, and errors that nobody caught */
  readonly errors: string[] = [];

  private constructor(child: ChildProcess, profile: string) {
    this.child = child;
    this.profile = profile;
  }

  /** Starts it; throws an Error with a sentence if it is not there or does not answer. */
  static async launch(): Promise<Firefox> {
    const path = firefoxPath();
    if (path === undefined) throw new Error("Firefox is not installed (Debian: apt install firefox-esr), and FIREFOX names none");
    const profile = mkdtempSync(join(tmpdir(), "pagezero-firefox-"));
    writeFileSync(join(profile, "user.js"), ["datareporting.policy.dataSubmissionEnabled", "app.update.enabled", "browser.shell.checkDefaultBrowser", "network.captive-portal-service.enabled", "network.connectivity-service.enabled", "browser.safebrowsing.malware.enabled", "dom.ipc.processPrelaunch.enabled", "extensions.update.enabled"].map((p) => `user_pref("${p}", false);`).join("\n") + '\nuser_pref("remote.prefs.recommended", true);\n');
    const child = spawn(path, ["--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0", "about:blank"], { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, MOZ_REMOTE_SETTINGS_DEVTOOLS: "1", HOME: profile } });
    const firefox = new Firefox(child, profile);
    try {
      const url = await new Promise<string>((resolve, reject) => {
        let said = "";
        const hear = (d: Buffer): void => {
          said += d.toString();
          const found = /WebDriver BiDi listening on (ws:\/\/\S+)/.exec(said);
          if (found) resolve(found[1]!);
        };
        child.stdout!.on("data", hear);
        child.stderr!.on("data", hear);
        child.on("error", reject);
        child.on("exit", () => reject(new Error(`Firefox has ended:\n${said.slice(-2000)}`)));
      });
      firefox.socket = await WebSocketClient.connect(new URL("/session", url), (text) => firefox.hear(text), () => firefox.fail(new Error("Firefox has gone")));
      await firefox.call("session.new", { capabilities: {} });
      const { contexts } = (await firefox.call("browsingContext.getTree", {})) as { contexts: { context: string }[] };
      firefox.context = contexts[0]!.context;
      await firefox.call("session.subscribe", { events: ["log.entryAdded"] });
      return firefox;
    } catch (e) {
      await firefox.close();
      throw e;
    }
  }

  private hear(text: string): void {
    const m = JSON.parse(text) as Answer & { id?: number; method?: string; params?: { level?: string; text?: string } };
    if (m.method === "log.entryAdded" && m.params?.level === "error") this.errors.push(m.params.text ?? "an error without words");
    const w = this.waiting.get(m.id ?? -1);
    if (w === undefined) return;
    this.waiting.delete(m.id!);
    if (m.error === undefined) w.resolve(m.result);
    else w.reject(new Error(`${m.error}: ${m.message}`));
  }
  private fail(e: Error): void {
    for (const { reject } of this.waiting.values()) reject(e);
    this.waiting.clear();
  }
  /** A command of WebDriver BiDi. */
  call(method: string, params: Readonly<Record<string, unknown>>): Promise<unknown> {
    const id = ++this.calls;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.socket.send(JSON.stringify({ id, method, params }));
    });
  }

  /** Resolves when the page has loaded. */
  async goto(url: string): Promise<void> {
    await this.call("browsingContext.navigate", { context: this.context, url, wait: "complete" });
  }
  /** What an expression comes to in the page, after awaiting it: anything that JSON can say. */
  async evaluate<T>(expression: string): Promise<T> {
    const wrapped = `(async () => JSON.stringify(await (${expression})))()`;
    const r = (await this.call("script.evaluate", { expression: wrapped, target: { context: this.context }, awaitPromise: true })) as { type: string; result?: { value?: string }; exceptionDetails?: { text: string } };
    if (r.type !== "success") throw new Error(r.exceptionDetails?.text ?? "the page threw");
    return (r.result?.value === undefined ? undefined : JSON.parse(r.result.value)) as T;
  }
  /** Polls until an expression is true in the page. */
  async until(expression: string): Promise<void> {
    await this.evaluate(`new Promise((yes) => { const look = () => (${expression}) ? yes(true) : setTimeout(look, 50); look(); })`);
  }
  /** Keys pressed one after the other, wherever the focus is. */
  async type(text: string): Promise<void> {
    const actions = [...text].flatMap((c) => ["keyDown", "keyUp"].map((type) => ({ type, value: c === "\n" ? "\uE007" : c })));
    await this.call("input.performActions", { context: this.context, actions: [{ type: "key", id: "keys", actions }] });
  }
  /** A click into the middle of the first element that a selector finds. */
  async click(selector: string): Promise<void> {
    const at = await this.evaluate<{ x: number; y: number }>(`(() => { const r = document.querySelector(${JSON.stringify(selector)}).getBoundingClientRect(); return { x: Math.round(r.x + r.width / 2), y: Math.round(r.y + r.height / 2) }; })()`);
    const actions = [{ type: "pointerMove", ...at }, { type: "pointerDown", button: 0 }, { type: "pointerUp", button: 0 }];
    await this.call("input.performActions", { context: this.context, actions: [{ type: "pointer", id: "mouse", actions }] });
  }
  async viewport(width: number, height: number): Promise<void> {
    await this.call("browsingContext.setViewport", { context: this.context, viewport: { width, height } });
  }
  /** A PNG of what is seen. */
  async screenshot(): Promise<Buffer> {
    const { data } = (await this.call("browsingContext.captureScreenshot", { context: this.context })) as { data: string };
    return Buffer.from(data, "base64");
  }
  async close(): Promise<void> {
    this.socket?.close();
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = new Promise((resolve) => this.child.once("exit", resolve));
      this.child.kill("SIGKILL");
      await ended;
    }
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

/** The text of the page's terminal, as an expression for evaluate(). */
export const SCREEN = `[...document.querySelectorAll(".xterm-rows > div")].map((r) => (r.textContent ?? "").replaceAll("\\u00a0", " ").trimEnd()).join("\\n").trimEnd()`;

if (process.argv[1]?.endsWith("firefox.ts")) {
  const { build } = await import("./build.ts");
  const { serve } = await import("./serve.ts");
  const args = process.argv.slice(2);
  const file = args.find((a) => a.startsWith("--screenshot="))?.slice("--screenshot=".length);
  const command = args.find((a) => !a.startsWith("--"));
  if (!build()) throw new Error("the build failed");
  const { server, port } = await serve("dist", 0, "127.0.0.1", true);
  const firefox = await Firefox.launch();
  try {
    await firefox.viewport(1280, 800);
    const start = performance.now();
    await firefox.goto(`http://127.0.0.1:${port}/`);
    await firefox.until(`/[#$]$/.test(${SCREEN})`);
    console.log(`from opening the page to the prompt: ${(performance.now() - start).toFixed(0)} ms; isolated: ${await firefox.evaluate<boolean>("crossOriginIsolated")}`);
    if (command !== undefined) {
      await firefox.click(".screen");
      await firefox.type(`clear; ${command}; echo "<$((40+2))>"\n`);
      await firefox.until(`/<42>\\n[^\\n]*[#$]$/.test(${SCREEN})`);
    }
    console.log(await firefox.evaluate<string>(SCREEN));
    if (file !== undefined) writeFileSync(file, await firefox.screenshot());
    for (const e of firefox.errors) console.error(e);
    process.exitCode = firefox.errors.length > 0 ? 1 : 0;
  } finally {
    await firefox.close();
    server.close();
  }
}
