// src/inspect/absent.tsx — what stands in a panel while there is nothing to show: the machine is off, or has not answered yet.
import type { ReactNode } from "react";
import type { Session } from "../session.ts";
import { usePart } from "../store.ts";

export function Absent({ session }: { readonly session: Session }): ReactNode {
  const off = usePart(session.state, (s) => s.power === "off");
  return <p className="empty">{off ? "The machine is off." : "…"}</p>;
}
