// src/lessons/markdown.ts — the Markdown that lessons are written in, as data: paragraphs, lists, code, and directives. No HTML, no code that runs.
//
// A directive is a block `:::name{key=value key="two words" flag}` … `:::`; its inside is Markdown again, or plain lines where the name says so.

export type Inline = { readonly text: string } | { readonly code: string } | { readonly strong: readonly Inline[] } | { readonly em: readonly Inline[] } | { readonly link: string; readonly of: readonly Inline[] };

export type Block =
  | { readonly type: "paragraph"; readonly of: readonly Inline[] }
  | { readonly type: "heading"; readonly level: number; readonly of: readonly Inline[] }
  | { readonly type: "list"; readonly ordered: boolean; readonly items: readonly (readonly Inline[])[] }
  | { readonly type: "code"; readonly text: string }
  | { readonly type: "directive"; readonly name: string; readonly args: Readonly<Record<string, string>>; readonly lines: readonly string[]; readonly line: number };

/** `key=value key="two words" flag`; a flag's value is "yes". @throws Error with a sentence */
export function parseArgs(text: string): Record<string, string> {
  const out: Record<string, string> = {};
  let rest = text.trim();
  while (rest !== "") {
    const m = /^([A-Za-z][\w-]*)(?:=(?:"((?:[^"\\]|\\.)*)"|(\S+)))?(?:\s+|$)/.exec(rest);
    if (m === null) throw new Error(`“${rest}” is not of the form key=value`);
    out[m[1]!] = m[2] !== undefined ? m[2].replace(/\\(["\\])/g, "$1") : (m[3] ?? "yes");
    rest = rest.slice(m[0].length);
  }
  return out;
}

export function parseInline(text: string): Inline[] {
  const out: Inline[] = [];
  let plain = "";
  const flush = (): void => {
    if (plain !== "") out.push({ text: plain });
    plain = "";
  };
  for (let i = 0; i < text.length; ) {
    const rest = text.slice(i);
    const code = /^(`+)(.+?)\1(?!`)/.exec(rest);
    const strong = /^\*\*(?=\S)(.+?)\*\*(?!\*)/.exec(rest);
    const em = /^\*(?=\S)([^*]+?)\*/.exec(rest);
    const link = /^\[([^\]]+)\]\(((?:https?:\/\/|#|\.?\/)[^)\s]*)\)/.exec(rest);
    const found = code ?? strong ?? em ?? link;
    if (found === null) {
      plain += rest.startsWith("\\") && rest.length > 1 ? rest[1]! : rest[0]!;
      i += rest.startsWith("\\") && rest.length > 1 ? 2 : 1;
      continue;
    }
    flush();
    if (code !== null) out.push({ code: code[2]!.trim() === "" ? code[2]! : code[2]!.replace(/^ (.*) $/, "$1") });
    else if (strong !== null) out.push({ strong: parseInline(strong[1]!) });
    else if (em !== null) out.push({ em: parseInline(em[1]!) });
    else out.push({ link: link![2]!, of: parseInline(link![1]!) });
    i += found[0].length;
  }
  flush();
  return out;
}

/** Blocks of `lines`; `first` is the number of the first one, for messages. @throws Error with the line */
export function parseBlocks(lines: readonly string[], first = 1): Block[] {
  const out: Block[] = [];
  let i = 0;
  while (i < lines.length) {
    const line = lines[i]!;
    if (line.trim() === "") {
      i++;
      continue;
    }
    const directive = /^:::\s*([a-z]+)\s*(?:\{(.*)\})?\s*$/.exec(line);
    if (directive !== null) {
      const start = i++;
      const inside: string[] = [];
      while (i < lines.length && lines[i]!.trim() !== ":::") inside.push(lines[i++]!);
      if (i === lines.length) throw new Error(`line ${first + start}: “${line}” is not closed with :::`);
      i++;
      try {
        out.push({ type: "directive", name: directive[1]!, args: parseArgs(directive[2] ?? ""), lines: inside, line: first + start });
      } catch (e) {
        throw new Error(`line ${first + start}: ${e instanceof Error ? e.message : String(e)}`, { cause: e });
      }
      continue;
    }
    if (line.startsWith("```")) {
      const text: string[] = [];
      for (i++; i < lines.length && !lines[i]!.startsWith("```"); i++) text.push(lines[i]!);
      i++;
      out.push({ type: "code", text: text.join("\n") });
      continue;
    }
    const heading = /^(#{1,4})\s+(.*)$/.exec(line);
    if (heading !== null) {
      out.push({ type: "heading", level: heading[1]!.length, of: parseInline(heading[2]!) });
      i++;
      continue;
    }
    const item = /^(?:[-*]|(\d+)\.)\s+(.*)$/.exec(line);
    if (item !== null) {
      const ordered = item[1] !== undefined;
      const items: string[] = [];
      for (; i < lines.length && lines[i]!.trim() !== "" && !/^(:::|```)/.test(lines[i]!); i++) {
        const next = /^(?:[-*]|\d+\.)\s+(.*)$/.exec(lines[i]!);
        if (next !== null) items.push(next[1]!);
        else items[items.length - 1] += ` ${lines[i]!.trim()}`;
      }
      out.push({ type: "list", ordered, items: items.map(parseInline) });
      continue;
    }
    const text: string[] = [];
    for (; i < lines.length && lines[i]!.trim() !== "" && !/^(:::|```|#{1,4}\s)/.test(lines[i]!); i++) text.push(lines[i]!.trim());
    if (text.length === 0) text.push(lines[i++]!);
    out.push({ type: "paragraph", of: parseInline(text.join(" ")) });
  }
  return out;
}
