// src/link/qr.tsx — a text as a QR code: an SVG, dark on light in either theme, because cameras want it so.
import { generate } from "lean-qr";
import type { ReactNode } from "react";

const MARGIN = 4;

export function Qr({ text }: { readonly text: string }): ReactNode {
  let code: ReturnType<typeof generate>;
  try {
    code = generate(text);
  } catch {
    return <p role="note">A QR code holds about 2,900 characters; this link has {text.length}. Leave out what was typed, or use a file.</p>;
  }
  const { size } = code;
  let path = "";
  for (let y = 0; y < size; y++) for (let x = 0; x < size; x++) if (code.get(x, y)) path += `M${x + MARGIN} ${y + MARGIN}h1v1h-1z`;
  const side = size + 2 * MARGIN;
  return (
    <svg className="qr" viewBox={`0 0 ${side} ${side}`} role="img" aria-label="The link as a QR code" shapeRendering="crispEdges">
      <rect width={side} height={side} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
