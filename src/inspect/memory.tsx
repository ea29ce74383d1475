// src/inspect/memory.tsx — the one address space: who owns what, what is free, and the bytes themselves; any of them can be changed.
import { memo, type ReactNode, useCallback, useEffect, useMemo, useState } from "react";
import type { Look, MemoryMap, MemoryRow } from "../../worker/protocol/inspect.ts";
import { CopyButton } from "../copy.tsx";
import { count, hex, size } from "../format.ts";
import type { Session } from "../session.ts";
import { useStore } from "../store.ts";
import { showMemory, ui } from "../ui.ts";
import { Absent } from "./absent.tsx";
import { HexView, ROWS } from "./hex.tsx";
import { WithMmu } from "./mmu.tsx";
import { paint, pattern, share } from "./owners.ts";
import { usePoll } from "./poll.ts";
import { Strip } from "./strip.tsx";
import { inWords } from "./words.ts";

const ask = (s: Session): Promise<MemoryMap> => s.ask("memory");
const BYTES = ROWS * 16;

/** What is free, and in how many pieces. */
export function holes(rows: readonly MemoryRow[]): { readonly free: number; readonly pieces: number; readonly largest: number } {
  const free = rows.filter((r) => r.kind === "free").map((r) => r.end - r.start);
  return { free: free.reduce((a, b) => a + b, 0), pieces: free.length, largest: Math.max(0, ...free) };
}

/** The bytes that were there before they last changed. */
function useBefore(look: Look | undefined): Uint8Array | undefined {
  const [now, setNow] = useState(look);
  const [before, setBefore] = useState<Look>();
  if (look !== undefined && now !== look) {
    setNow(look);
    if (now?.start !== look.start) setBefore(undefined);
    else if (now.bytes.some((b, i) => b !== look.bytes[i])) setBefore(now);
  }
  return before?.bytes;
}

function Poke({ session, cursor, value, done }: { readonly session: Session; readonly cursor: number; readonly value: number | undefined; readonly done: () => void }): ReactNode {
  const [text, setText] = useState("");
  const [last, setSaid] = useState<{ at: number; text: string }>();
  const said = last?.at === cursor ? last.text : undefined;
  const tell = (words: string): void => setSaid({ at: cursor, text: words });
  const write = (): void => {
    const quoted = /^"(.*)"$/.exec(text.trim());
    const bytes = quoted !== null ? [...new TextEncoder().encode(quoted[1])] : text.trim().split(/\s+/).map((w) => (/^[0-9a-f]{1,2}$/i.test(w) ? Number.parseInt(w, 16) : NaN));
    if (bytes.length === 0 || bytes.some(Number.isNaN)) {
      tell('Write bytes as hexadecimal digits, for example “90 c3”, or text in quotation marks: "hello".');
      return;
    }
    session.ask("poke", cursor, bytes).then(
      () => {
        tell(`${bytes.length === 1 ? "A byte was" : `${bytes.length} bytes were`} written at ${hex(cursor)}. Nobody was asked.`);
        setText("");
        done();
      },
      (e: unknown) => tell(e instanceof Error ? e.message : String(e)),
    );
  };
  return (
    <form
      className="row poke"
      onSubmit={(e) => {
        e.preventDefault();
        write();
      }}
    >
      <label>
        at {hex(cursor)} write <input type="text" aria-label="Bytes to write" spellCheck={false} autoCapitalize="off" size={16} placeholder={value === undefined ? "" : hex(value, 2)} value={text} onChange={(e) => setText(e.target.value)} />
      </label>
      <button type="submit">Poke</button>
      {said !== undefined && <span role="status">{said}</span>}
    </form>
  );
}

const Row = memo(({ row, go }: { readonly row: MemoryRow; readonly go: (a: number) => void }): ReactNode => (
  <tr>
    <td>
      <button type="button" className="link" onClick={() => go(row.start)}>
        {hex(row.start)}
      </button>
    </td>
    <td className="number">{size(row.end - row.start)}</td>
    <td>
      <svg width="16" height="11" className="swatch" aria-hidden="true">
        <rect width="16" height="11" fill={paint(row)} />
        {pattern(row) !== undefined && <rect width="16" height="11" fill={`url(#mem-${pattern(row)})`} />}
      </svg>{" "}
      {row.kind}
    </td>
    <td>
      {row.owner === undefined ? "" : `${row.owner} `}
      {row.note}
    </td>
  </tr>
));

const Table = memo(({ rows: all, go, filter }: { readonly rows: readonly MemoryRow[]; readonly go: (a: number) => void; readonly filter: string }): ReactNode => {
  const [by, setBy] = useState<"start" | "size" | "owner">("start");
  const rows = all.filter((r) => (r.kind !== "other" || filter !== "") && `${hex(r.start)} ${r.kind} ${r.owner ?? ""} ${r.note}`.includes(filter));
  const sorted = by === "start" ? rows : rows.toSorted((a, b) => (by === "size" ? b.end - b.start - (a.end - a.start) : (a.owner ?? 1e9) - (b.owner ?? 1e9)));
  const head = (name: typeof by, title: string, number = false): ReactNode => (
    <th scope="col" className={number ? "number" : ""} aria-sort={by === name ? (name === "size" ? "descending" : "ascending") : undefined}>
      <button type="button" className="link" onClick={() => setBy(name)}>
        {title}
        {by === name ? " ▾" : ""}
      </button>
    </th>
  );
  return (
    <table>
      <thead>
        <tr>
          {head("start", "from")}
          {head("size", "size", true)}
          <th scope="col">kind</th>
          {head("owner", "whose")}
        </tr>
      </thead>
      <tbody>
        {sorted.slice(0, 300).map((r) => (
          <Row key={r.start} row={r} go={go} />
        ))}
      </tbody>
    </table>
  );
});

export function MemoryPanel({ session }: { readonly session: Session }): ReactNode {
  const map = usePoll(session, ask, 600);
  const { address, focus } = useStore(ui);
  const [start, setStart] = useState(Math.floor(address / 16) * 16);
  const [text, setText] = useState(address.toString(16));
  const [problem, setProblem] = useState<string>();
  const [follow, setFollow] = useState("");
  const [filter, setFilter] = useState("");
  const [turn, setTurn] = useState(0);
  const [past, setPast] = useState<readonly number[]>([]);
  const [future, setFuture] = useState<readonly number[]>([]);
  const [seen, setSeen] = useState(address);
  const end = map?.size ?? 0;
  // whoever sets ui.address brings the view there
  if (address !== seen) {
    setSeen(address);
    setText(address.toString(16));
    if (address < start || address >= start + BYTES) setStart(Math.max(0, Math.min(Math.max(0, end - BYTES), Math.floor(address / 16) * 16 - 32)));
  }
  const followed = follow === "" ? undefined : map?.pointers.find(([n]) => n === follow)?.[1];
  useEffect(() => {
    if (followed !== undefined) ui.set({ address: followed });
  }, [followed]);
  const askLook = useCallback((s: Session) => s.ask("look", start, BYTES), [start]);
  const look = usePoll(session, askLook, 300, turn);
  const askWords = useCallback((s: Session) => s.ask("look", address, 16), [address]);
  const told = usePoll(session, askWords, 700, turn);
  // of where the cursor is now, or of nothing
  const words = told?.start === address ? told : undefined;
  const before = useBefore(look);
  const marks = useMemo(() => {
    const m = new Map<number, string>();
    for (const [n, a] of map?.pointers ?? []) m.set(a, m.has(a) ? `${m.get(a)}, ${n}` : n);
    return m;
  }, [map]);
  const go = useCallback((a: number): void => {
    const from = ui.get().address;
    setPast((before) => [...before, from].slice(-50));
    setFuture([]);
    setFollow("");
    showMemory(a);
  }, []);
  const rows = map?.rows;
  if (rows !== undefined) share(rows.flatMap((r) => r.owner ?? []));
  const sum = useMemo(() => holes(rows ?? []), [rows]);
  if (map === undefined || rows === undefined) return <Absent session={session} />;
  const submit = (): void => {
    session.ask("address", text).then(
      (a) => {
        setProblem(undefined);
        go(a);
      },
      (e: unknown) => setProblem(e instanceof Error ? e.message : String(e)),
    );
  };
  const back = (): void => {
    setFuture([...future, address]);
    setPast(past.slice(0, -1));
    ui.set({ address: past.at(-1) ?? 0 });
  };
  const forward = (): void => {
    setPast([...past, address]);
    setFuture(future.slice(0, -1));
    ui.set({ address: future.at(-1) ?? 0 });
  };
  const { free, pieces, largest } = sum;
  const value = look?.bytes[address - look.start];
  return (
    <div className="memory">
      <p className="story">One address space, and everybody is in it. The colour says whose it is, the pattern what it is; grey is the kernel’s and its file cache.</p>
      <Strip rows={rows} size={map.size} address={address} focus={focus} go={go} />
      <p className="sum">
        <b>{size(free)}</b> free, in <b>{count(pieces)}</b> {pieces === 1 ? "piece" : "pieces"}; the largest is <b>{size(largest)}</b>. {pieces > 1 ? "Memory is not moved, so nobody can get a block that is larger than that." : ""}
      </p>
      <WithMmu rows={rows} />
      <form
        className="row"
        onSubmit={(e) => {
          e.preventDefault();
          submit();
        }}
      >
        <button type="button" aria-label="Back to where I looked before" disabled={past.length === 0} onClick={back}>
          ←
        </button>
        <button type="button" aria-label="Forward" disabled={future.length === 0} onClick={forward}>
          →
        </button>
        <label>
          address <input type="text" value={text} spellCheck={false} autoCapitalize="off" onChange={(e) => setText(e.target.value)} size={14} title="Hexadecimal, a register (rsp+20), or pid:1.stack" />
        </label>
        <button type="submit">Show</button>
        <label>
          follow{" "}
          <select value={follow} onChange={(e) => setFollow(e.target.value)}>
            <option value="">nothing</option>
            {map.pointers.map(([n]) => (
              <option key={n}>{n}</option>
            ))}
          </select>
        </label>
      </form>
      {problem !== undefined && (
        <p className="complaint" role="alert">
          {problem}
        </p>
      )}
      {look !== undefined && (
        <HexView bytes={look.bytes} start={look.start} before={before} size={map.size} cursor={address} setStart={setStart} setCursor={(a) => ui.set({ address: a })} marks={marks} />
      )}
      <div className="words" role="status" aria-label="What these bytes are">
        <p>
          <b>{hex(address)}</b> {words?.row === undefined ? "" : `is ${words.row.kind === "free" ? "free" : words.row.kind === "trampoline" ? "in page 0" : `in ${words.row.note}${words.row.owner === undefined ? "" : ` (pid ${words.row.owner}, ${words.row.kind})`}`}.`}
        </p>
        {words?.words.map((w) => (
          <p key={w}>{w}</p>
        ))}
        {words !== undefined && words.code.length > 0 && (
          <table className="code words">
            <tbody>
              {words.code.map((l) => (
                <tr key={l.address}>
                  <td>{hex(l.address, 6)}</td>
                  <td className="bytes">{l.bytes}</td>
                  <td>{l.text}</td>
                  <td className="plain">{inWords(l.text)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
      <Poke session={session} cursor={address} value={value} done={() => setTurn((n) => n + 1)} />
      <h3>As a table</h3>
      <div className="row">
        <input type="search" aria-label="Filter the table" placeholder="stack, sh, free …" value={filter} onChange={(e) => setFilter(e.target.value)} />
        <CopyButton text={() => map.rows.map((r) => `${hex(r.start)}-${hex(r.end)} ${r.kind} ${r.owner ?? "-"} ${r.note}\n`).join("")}>Copy</CopyButton>
      </div>
      <Table rows={rows} go={go} filter={filter} />
    </div>
  );
}
