// playwright.config.ts — the end-to-end tests: Debian's Chromium against our own server and the production build.

import { defineConfig } from "@playwright/test";
import { browser, SLOW } from "./e2e/browser.ts";

// Workers inherit the environment, so that all agree on the port.
const port = (process.env["E2E_PORT"] ??= String(20000 + (process.pid % 20000)));
const late = process.env["E2E_LATE"];

export default defineConfig({
  testDir: "e2e",
  outputDir: "test-results",
  timeout: 120_000 * SLOW,
  expect: { timeout: 30_000 * SLOW },
  retries: 0,
  workers: 1,
  forbidOnly: true,
  use: {
    baseURL: `http://127.0.0.1:${port}/`,
    launchOptions: browser(),
    // its own test lets it be there (e2e/offline.spec.ts): elsewhere nothing may answer but the server
    serviceWorkers: "block",
    trace: "retain-on-failure",
  },
  webServer: {
    command: `node_modules/.bin/tsx scripts/serve.ts --port ${port} --strict${late === undefined ? "" : ` --late ${late}`}`,
    url: `http://127.0.0.1:${port}/`,
    reuseExistingServer: false,
    timeout: 60_000,
  },
});
