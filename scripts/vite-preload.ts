// scripts/vite-preload.ts — a Vite plugin: the page's head names what src/first.ts imports, so that all of it is fetched at once.

import type { HtmlTagDescriptor, Plugin } from "vite";

/** `module`: the end of the path of what is imported late, but always. */
export function preload(module: string): Plugin {
  return {
    name: "preload-the-page",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler(_, { bundle, filename }) {
        if (!filename.endsWith("index.html")) return [];
        const chunks = Object.values(bundle ?? {}).filter((c) => c.type === "chunk");
        const main = chunks.find((c) => c.facadeModuleId?.endsWith(module) === true);
        if (main === undefined) throw new Error(`no part of the page is made of ${module}`);
        const link = (attrs: HtmlTagDescriptor["attrs"]): HtmlTagDescriptor => ({ tag: "link", injectTo: "head", attrs: { crossorigin: true, ...attrs } });
        return [
          ...[main.fileName, ...main.imports.filter((file) => !chunks.some((c) => c.fileName === file && c.isEntry))].map((file) => link({ rel: "modulepreload", href: `./${file}` })),
          ...[...(main.viteMetadata?.importedCss ?? [])].map((file) => link({ rel: "stylesheet", href: `./${file}` })),
        ];
      },
    },
  };
}
