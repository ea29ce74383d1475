// src/lessons/text.tsx — a lesson's blocks on the page.
import { Fragment, type ReactNode } from "react";
import { CopyButton } from "../copy.tsx";
import { type Block, type Inline, parseInline } from "./markdown.ts";

function inline(of: readonly Inline[]): ReactNode {
  return of.map((x, i) => {
    // the order of a parsed text does not change
    const key = i;
    if ("text" in x) return <Fragment key={key}>{x.text}</Fragment>;
    if ("code" in x) return <code key={key}>{x.code}</code>;
    if ("strong" in x) return <strong key={key}>{inline(x.strong)}</strong>;
    if ("em" in x) return <em key={key}>{inline(x.em)}</em>;
    return (
      <a key={key} href={x.link} {...(x.link.startsWith("#") ? {} : { target: "_blank", rel: "noreferrer noopener" })}>
        {inline(x.of)}
      </a>
    );
  });
}

interface BlocksProps {
  readonly blocks: readonly Block[];
  /** runs a command in the console; undefined: it cannot be run now */
  readonly run: ((command: string) => void) | undefined;
}

export function Blocks({ blocks, run }: BlocksProps): ReactNode {
  return blocks.map((b, i) => {
    const key = i;
    switch (b.type) {
      case "paragraph":
        return <p key={key}>{inline(b.of)}</p>;
      case "heading":
        return <h4 key={key}>{inline(b.of)}</h4>;
      case "list":
        return b.ordered ? (
          <ol key={key}>
            {b.items.map((item, j) => (
              <li key={j}>{inline(item)}</li>
            ))}
          </ol>
        ) : (
          <ul key={key}>
            {b.items.map((item, j) => (
              <li key={j}>{inline(item)}</li>
            ))}
          </ul>
        );
      case "code":
        return (
          <pre key={key} tabIndex={0}>
            {b.text}
          </pre>
        );
      case "directive": {
        const command = b.lines.join("\n").trim();
        return (
          <div key={key} className="runblock">
            <pre tabIndex={0}>{command}</pre>
            <span className="row">
              <button type="button" className="primary" disabled={run === undefined} onClick={() => run?.(command)}>
                Run
              </button>
              <CopyButton text={() => command}>Copy</CopyButton>
            </span>
          </div>
        );
      }
    }
  });
}

/** One line of Markdown. */
export function Label({ text }: { readonly text: string }): ReactNode {
  return <>{inline(parseInline(text))}</>;
}
