// scripts/serve.ts — serves dist/ with the isolation headers. `--port N` (or PORT), `--host ADDRESS` (or HOST).
//
// `--late N` (or LATE): each script comes 0.3 to 2 s late, how late by its name and N: what a bad network does to a page that is made of parts.

import { createHash } from "node:crypto";
import { createReadStream, statSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { extname, join, normalize, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { isolation } from "./headers.ts";

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".ts": "text/plain; charset=utf-8",
  ".md": "text/markdown; charset=utf-8",
  ".map": "application/json; charset=utf-8",
  ".webmanifest": "application/manifest+json",
  ".wasm": "application/wasm",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".woff2": "font/woff2",
  ".txt": "text/plain; charset=utf-8",
  ".gz": "application/gzip",
};

/** Answers one request from the files under `root`. */
function answer(root: string, request: IncomingMessage, response: ServerResponse): void {
  const headers: Record<string, string> = { ...isolation, "Cross-Origin-Resource-Policy": "same-origin", "X-Content-Type-Options": "nosniff" };
  const fail = (status: number, why: string): void => {
    response.writeHead(status, { ...headers, "Content-Type": "text/plain; charset=utf-8" });
    response.end(`${status} ${why}\n`);
  };
  if (request.method !== "GET" && request.method !== "HEAD") return fail(405, "only GET and HEAD");
  let path: string;
  try {
    path = normalize(decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname));
  } catch {
    return fail(400, "no such address can be");
  }
  if (path.endsWith("/")) path += "index.html";
  const file = join(root, path);
  if (!file.startsWith(join(root, "/")) || path.includes("\0")) return fail(404, "not found");
  const stat = statSync(file, { throwIfNoEntry: false });
  if (!stat?.isFile()) return fail(404, "not found");
  const tag = `"${stat.size.toString(16)}-${Math.floor(stat.mtimeMs).toString(16)}"`;
  headers["ETag"] = tag;
  headers["Content-Type"] = TYPES[extname(file)] ?? "application/octet-stream";
  headers["Cache-Control"] = /^\/(?:assets|images\/chunks)\//.test(path) ? "public, max-age=31536000, immutable" : "no-cache";
  // what other sites put into their pages
  if (path === "/embed.html" || path === "/pagezero.js") {
    headers["Cross-Origin-Resource-Policy"] = "cross-origin";
    headers["Access-Control-Allow-Origin"] = "*";
  }
  if (request.headers["if-none-match"] === tag) {
    response.writeHead(304, headers);
    response.end();
    return;
  }
  headers["Content-Length"] = String(stat.size);
  response.writeHead(200, headers);
  if (request.method === "HEAD") response.end();
  else createReadStream(file).on("error", () => response.destroy()).pipe(response);
}

/** ms that a script is held back; anything else is not. */
export function lateness(path: string, seed: string): number {
  if (seed === "" || !/\.js(?:\?|$)/.test(path)) return 0;
  return 300 + (createHash("sha256").update(`${seed} ${path}`).digest().readUInt16LE() % 1700);
}

/** Listens on `port`, or the next free one up to twenty above; resolves to the port. */
export function serve(root: string, port: number, host: string, strict = false, late = ""): Promise<{ server: Server; port: number }> {
  const server = createServer((request, response) => {
    const ms = lateness(request.url ?? "", late);
    if (ms === 0) answer(resolve(root), request, response);
    else setTimeout(() => answer(resolve(root), request, response), ms);
  });
  return new Promise((done, fail) => {
    let attempt = port;
    server.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE" && !strict && attempt < port + 20) server.listen(++attempt, host);
      else fail(error);
    });
    server.on("listening", () => done({ server, port: (server.address() as AddressInfo).port }));
    server.listen(attempt, host);
  });
}

/** The value after `--name`, or of the environment's NAME. */
export function option(name: string, otherwise: string): string {
  const at = process.argv.indexOf(`--${name}`);
  return (at > 0 ? process.argv[at + 1] : process.env[name.toUpperCase()]) ?? otherwise;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const host = option("host", "127.0.0.1");
  const { port } = await serve(fileURLToPath(new URL(import.meta.url.endsWith("serve.mjs") ? "dist" : "../dist", import.meta.url)), Number(option("port", "8000")), host, process.argv.includes("--strict"), option("late", ""));
  const own = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).filter((a) => a.family === "IPv4" && !a.internal).map((a) => a.address));
  for (const address of host === "0.0.0.0" ? ["127.0.0.1", ...own] : [host]) console.log(`serving dist on http://${address}:${port}/`);
}
