// scripts/serve.test.ts — the server of `npm start` sends what isolation needs, and nothing from outside its folder.

import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { request, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { lateness, serve } from "./serve.ts";

let server: Server;
let port = 0;

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), "pagezero-serve-"));
  mkdirSync(join(folder, "dist/assets"), { recursive: true });
  writeFileSync(join(folder, "secret.txt"), "secret");
  writeFileSync(join(folder, "dist/index.html"), "<p>page</p>");
  writeFileSync(join(folder, "dist/assets/a.wasm"), "wasm");
  const started = await serve(join(folder, "dist"), 0, "127.0.0.1");
  server = started.server;
  const address = server.address();
  port = typeof address === "object" && address ? address.port : 0;
});
afterAll(() => void server.close());

/** GET with the path as it is: fetch would tidy it. */
function get(path: string, headers: Record<string, string> = {}): Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: string }> {
  return new Promise((done, fail) => {
    request({ host: "127.0.0.1", port, path, headers }, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => (body += chunk.toString()));
      response.on("end", () => done({ status: response.statusCode ?? 0, headers: response.headers, body }));
    })
      .on("error", fail)
      .end();
  });
}

test("the page comes with both isolation headers", async () => {
  const page = await get("/");
  expect(page.status).toBe(200);
  expect(page.body).toBe("<p>page</p>");
  expect(page.headers["cross-origin-opener-policy"]).toBe("same-origin");
  expect(page.headers["cross-origin-embedder-policy"]).toBe("require-corp");
});

test("wasm is served as wasm and may be kept; an unchanged file is answered with 304", async () => {
  const first = await get("/assets/a.wasm");
  expect(first.headers["content-type"]).toBe("application/wasm");
  expect(first.headers["cache-control"]).toContain("immutable");
  expect((await get("/assets/a.wasm", { "If-None-Match": String(first.headers["etag"]) })).status).toBe(304);
});

test("nothing outside the folder is served", async () => {
  for (const path of ["/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/assets/../../secret.txt", "/%00", "/%zz", "/missing"]) {
    const { status, body } = await get(path);
    expect(status, path).toBeGreaterThanOrEqual(400);
    expect(body, path).not.toContain("secret");
  }
});

test("late are scripts only, each by its name and the seed, from 0.3 to 2 s", () => {
  expect(lateness("/assets/a.js", "")).toBe(0);
  expect(lateness("/images/manifest.json", "1")).toBe(0);
  const ms = Array.from({ length: 200 }, (_, i) => lateness(`/assets/${i}.js?x`, "1"));
  expect(Math.min(...ms)).toBeGreaterThanOrEqual(300);
  expect(Math.max(...ms)).toBeLessThan(2000);
  expect(new Set(ms).size).toBeGreaterThan(100);
  expect(lateness("/assets/7.js", "2")).not.toBe(lateness("/assets/7.js", "1"));
  expect(lateness("/assets/7.js", "2")).toBe(lateness("/assets/7.js", "2"));
});
