// src/manifest.ts — public/images/manifest.json, as `npm run image` writes it.

export interface ManifestEntry {
  readonly name: string;
  readonly title: string;
  readonly sha256: string;
  readonly size: number;
  readonly gzSize: number;
  /** the list of its chunks, beside the manifest */
  readonly chunks: string;
  readonly cmdline: string;
  /** gzip of the machine at its prompt, of one emulator and command line only */
  readonly snapshot?: { readonly file: string; readonly engine: string; readonly cmdline: string };
}
