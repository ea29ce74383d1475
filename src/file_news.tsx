// src/file_news.tsx — under the console: what was handed to the guest, and what it has left for the person.
import type { ReactNode } from "react";
import { dismissNews, files, MOUNT, takeFile } from "./files.ts";
import type { Session } from "./session.ts";
import { useStore } from "./store.ts";

export function FileNews({ session }: { readonly session: Session }): ReactNode {
  const { news } = useStore(files);
  return news.map((n) => (
    <div className="message note" role="status" key={n.text}>
      <p>{n.text}</p>
      {n.take !== undefined && (
        <button type="button" className="primary" onClick={() => void takeFile(session, n.take!)}>
          Download
        </button>
      )}
      {n.mount === true && (
        <button type="button" onClick={() => session.type(`${MOUNT}\n`)}>
          Type that
        </button>
      )}
      <button type="button" onClick={() => dismissNews(n)}>
        Close
      </button>
    </div>
  ));
}
