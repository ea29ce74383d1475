// worker/main_offline.ts — the service worker, sw.js: the page, its scripts and its lessons from the browser's cache, so that a second visit needs no network.
//
// Chunks of images are not in it: the machine keeps those itself. A new version waits until somebody asks for it (a machine may be running); nothing reloads by itself.
/// <reference lib="webworker" />

/** put in by the build: a mark of all contents, and every file, relative to this one */
declare const __OFFLINE__: { readonly version: string; readonly files: readonly string[] };

const worker = globalThis as unknown as ServiceWorkerGlobalScope;
const PREFIX = "pagezero ";
const NAME = PREFIX + __OFFLINE__.version;
const here = new URL("./", worker.location.href);
const address = (file: string): string => new URL(file, here).href;
const wanted = new Set(__OFFLINE__.files.map(address));

worker.addEventListener("install", (e) => {
  // revalidated, for a cache on the way may have the version before
  e.waitUntil(caches.open(NAME).then((cache) => cache.addAll(__OFFLINE__.files.map((f) => new Request(address(f), { cache: "no-cache" })))));
});
worker.addEventListener("activate", (e) => {
  e.waitUntil(caches.keys().then((names) => Promise.all(names.filter((n) => n.startsWith(PREFIX) && n !== NAME).map((n) => caches.delete(n)))));
});
worker.addEventListener("fetch", (e) => {
  const url = new URL(e.request.url);
  url.search = "";
  url.hash = "";
  const name = url.href.endsWith("/index.html") ? url.href.slice(0, -"index.html".length) : url.href;
  if (e.request.method !== "GET" || !wanted.has(name)) return;
  e.respondWith(caches.open(NAME).then(async (cache) => (await cache.match(name)) ?? fetch(e.request)));
});
worker.addEventListener("message", (e: ExtendableMessageEvent) => {
  if (e.data === "go") void worker.skipWaiting();
  // is all of it really there?
  if (e.data === "check")
    e.waitUntil(
      caches.open(NAME).then(async (cache) => {
        const found = await Promise.all([...wanted].map(async (f) => ((await cache.match(f))?.ok === true ? 1 : 0)));
        e.ports[0]?.postMessage({ files: wanted.size, found: found.reduce<number>((a, b) => a + b, 0) });
      }),
    );
});
