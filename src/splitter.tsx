// src/splitter.tsx — the line between console and panel: drag it, or move it with the arrow keys.
import type { KeyboardEvent, PointerEvent, ReactNode } from "react";
import { useStore } from "./store.ts";
import { setWidth, ui } from "./ui.ts";

const STEP = 2;

export function Splitter(): ReactNode {
  const { width } = useStore(ui);
  const onKeyDown = (e: KeyboardEvent): void => {
    const to = { ArrowLeft: width + STEP, ArrowRight: width - STEP, Home: 75, End: 20 }[e.key];
    if (to === undefined) return;
    e.preventDefault();
    setWidth(to);
  };
  const onPointerMove = (e: PointerEvent): void => {
    if (e.currentTarget.hasPointerCapture(e.pointerId)) setWidth(100 - (e.clientX / innerWidth) * 100);
  };
  return (
    <div
      className="splitter"
      role="separator"
      tabIndex={0}
      aria-orientation="vertical"
      aria-label="Width of the panel"
      aria-valuenow={Math.round(width)}
      aria-valuemin={20}
      aria-valuemax={75}
      onKeyDown={onKeyDown}
      onPointerDown={(e) => e.currentTarget.setPointerCapture(e.pointerId)}
      onPointerMove={onPointerMove}
    />
  );
}
