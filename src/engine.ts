// src/engine.ts — this page's emulator, version~hash: what snapshots belong to and links name. Set by vite.config.ts.
declare const __ENGINE__: string;
export const ENGINE: string = __ENGINE__;
