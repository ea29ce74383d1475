// vite.config.ts — how the page is built and served, and how the unit tests run.

import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { engine } from "./scripts/engine.ts";
import { isolation } from "./scripts/headers.ts";
import { embed } from "./scripts/vite-embed.ts";
import { offline } from "./scripts/vite-offline.ts";
import { preload } from "./scripts/vite-preload.ts";
import { iced } from "./scripts/vite-iced.ts";

const port = Number(process.env["PORT"] ?? 5173);

export default defineConfig({
  base: "./",
  plugins: [react(), iced(), embed(), offline(), preload("/src/main.tsx")],
  define: { __ENGINE__: JSON.stringify(engine()) },
  worker: { format: "es", plugins: () => [iced()] },
  optimizeDeps: { exclude: ["iced-x86"] },
  build: { target: "es2023", sourcemap: true, chunkSizeWarningLimit: 2000, rolldownOptions: { checks: { pluginTimings: false }, input: ["index.html", "embed.html"] } },
  server: { headers: isolation, port, watch: { ignored: ["**/.cache/**"] } },
  preview: { headers: isolation, port },
  test: {
    include: ["worker/**/*.test.ts", "scripts/**/*.test.ts", "src/**/*.test.{ts,tsx}"],
    environment: "node",
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    passWithNoTests: false,
  },
});
