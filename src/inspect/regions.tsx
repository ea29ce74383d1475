// src/inspect/regions.tsx — what the second tier has compiled: the guest's instructions, and the wasm made of them.
import { type ReactNode, useCallback, useEffect, useState } from "react";
import type { RegionRow } from "../../worker/protocol/inspect.ts";
import { count, hex, size } from "../format.ts";
import type { Session } from "../session.ts";
import { usePoll } from "./poll.ts";
import { Head, numbers } from "../head.tsx";
import { wasmText } from "./wasm_text.ts";

const ask = (s: Session): Promise<RegionRow[]> => s.ask("regions");
const MANY = 40;

export function Regions({ session }: { readonly session: Session }): ReactNode {
  const rows = usePoll(session, ask, 1500);
  const [entry, setEntry] = useState<number>();
  const [wasm, setWasm] = useState<readonly string[]>([]);
  const region = rows?.find((r) => r.entry === entry);
  const askCode = useCallback((s: Session) => (entry === undefined ? Promise.resolve([]) : s.ask("disassemble", entry, 40)), [entry]);
  const code = usePoll(session, askCode, 4000);
  const slot = region?.slot;
  useEffect(() => {
    if (entry === undefined || slot === undefined) return;
    void session.ask("regionModule", entry).then((m) => setWasm(m === undefined ? [] : wasmText(m, String(slot))), () => setWasm([]));
  }, [session, entry, slot]);
  if (rows === undefined) return null;
  const shown = rows.toSorted((a, b) => b.guestBytes - a.guestBytes).slice(0, MANY);
  const inside = (address: number): boolean => region?.ranges.some(([a, b]) => a <= address && address < b) === true;
  return (
    <section aria-label="Compiled code">
      <h3>Compiled to wasm</h3>
      <p className="story">
        Code that runs often is compiled: a region of the guest’s instructions becomes one wasm function, with registers in its locals. {rows.length === 0 ? "Nothing is hot yet." : `${count(rows.length)} regions now, from ${size(rows.reduce((n, r) => n + r.guestBytes, 0))} of guest code.`}
      </p>
      {shown.length > 0 && (
        <table>
          <Head columns={["entry", "whose", numbers("guest"), numbers("its module")]} />
          <tbody>
            {shown.map((r) => (
              <tr key={r.entry} aria-current={r.entry === entry ? "true" : undefined}>
                <td>
                  <button type="button" className="link" onClick={() => setEntry(r.entry === entry ? undefined : r.entry)}>
                    {hex(r.entry)}
                  </button>
                </td>
                <td>{r.owner === "" ? (r.entry < 0x1000 ? "page 0" : "nobody now") : r.owner}</td>
                <td className="number">{count(r.guestBytes)} B</td>
                <td className="number">{count(r.wasmBytes)} B</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {region !== undefined && (
        <div className="beforeafter">
          <div>
            <h5>guest, from the entry on</h5>
            <pre className="lines" tabIndex={0} aria-label="Guest instructions">
              {(code ?? [])
                .filter((l) => inside(l.address))
                .map((l) => `${hex(l.address, 6)}  ${l.text}\n`)}
            </pre>
          </div>
          <div>
            <h5>wasm</h5>
            <pre className="lines" tabIndex={0} aria-label="WebAssembly">
              {wasm.join("\n")}
            </pre>
          </div>
        </div>
      )}
    </section>
  );
}
