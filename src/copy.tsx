// src/copy.tsx — a button that copies, and says whether it could; where it could not, the text is shown to be copied by hand.
import { type ReactNode, useState } from "react";
import { copyText } from "./clipboard.ts";

export function CopyButton({ text, children, disabled }: { readonly text: () => string; readonly children: ReactNode; readonly disabled?: boolean }): ReactNode {
  const [said, setSaid] = useState<"no" | "copied" | string>("no");
  return (
    <>
      <button
        type="button"
        disabled={disabled}
        onClick={() => {
          const t = text();
          void copyText(t).then((ok) => {
            setSaid(ok ? "copied" : t);
            if (ok) setTimeout(() => setSaid("no"), 1500);
          });
        }}
      >
        {said === "copied" ? "Copied" : children}
      </button>
      {said !== "no" && said !== "copied" && (
        <span className="byhand">
          <textarea readOnly rows={4} aria-label="Copy this by hand" value={said} onFocus={(e) => e.target.select()} />
          <button type="button" onClick={() => setSaid("no")}>
            Done
          </button>
        </span>
      )}
    </>
  );
}
