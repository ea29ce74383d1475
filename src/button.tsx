// src/button.tsx — a button of the table of actions: its tooltip says what it does and which key does it, too.
import type { ReactNode } from "react";
import { action, tooltip } from "./actions.ts";
import type { Session } from "./session.ts";
import { useStore } from "./store.ts";

interface ActionButtonProps {
  readonly session: Session;
  readonly id: string;
  readonly className?: string;
  /** its name; the text inside where there is no other */
  readonly label?: string;
  readonly pressed?: boolean;
  readonly children: ReactNode;
}

export function ActionButton({ session, id, className, label, pressed, children }: ActionButtonProps): ReactNode {
  useStore(session.state);
  const a = action(id);
  return (
    <button type="button" className={className} aria-label={label} aria-pressed={pressed} title={tooltip(a)} disabled={!(a.can?.(session) ?? true)} onClick={(e) => (e.detail > 1 && a.deliberate === true ? undefined : a.run(session))}>
      {children}
    </button>
  );
}
