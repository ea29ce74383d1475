// e2e/browser.ts — which Chromium the tests use, and how slow it is (README.md).
import { resolve } from "node:path";
import type { LaunchOptions } from "@playwright/test";

/** The browser gets one part in so many of the time. */
export const SLOW = Number(process.env["E2E_SLOW"] ?? 1);

/** `more`: further switches. */
export const browser = (...more: string[]): LaunchOptions => ({
  executablePath: SLOW > 1 ? resolve("e2e/slow.mjs") : (process.env["CHROMIUM"] ?? "/usr/bin/chromium"),
  args: [
    ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-first-run",
    "--no-pings",
    ...more,
  ],
});
