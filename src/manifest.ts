// src/manifest.ts — public/images/manifest.json, a list of these, as `npm run image` writes it and the page reads it.

export interface ManifestEntry {
  /** what ubd0= calls it */
  readonly name: string;
  readonly title: string;
  /** Of the image. */
  readonly sha256: string;
  /** Bytes of the image, and of all its chunks as served. */
  readonly size: number;
  readonly gzSize: number;
  /** Name of the list of chunks, beside the manifest; the chunks are in chunks/. */
  readonly chunks: string;
  readonly cmdline: string;
  /** gzip of the machine at its prompt, of one emulator and command line only */
  readonly snapshot?: { readonly file: string; readonly engine: string; readonly cmdline: string };
}
