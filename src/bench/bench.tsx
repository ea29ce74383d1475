// src/bench/bench.tsx — the seed's table, run in this tab: instructions for each call and time here kept apart, the published figures beside them.
import type { ReactNode } from "react";
import { CopyButton } from "../copy.tsx";
import { count } from "../format.ts";
import { sentence, type Session } from "../session.ts";
import { Store, useStore } from "../store.ts";
import { type Measured, measure, ROWS } from "./measure.ts";
import { Head, numbers } from "../head.tsx";
import { SEED } from "./table.ts";

const DECADES = [-1, 0, 1, 2, 3, 4] as const;
const LEFT = 92;
const WIDTH = 560;
const HIGH = 20;

const x = (us: number): number => LEFT + ((Math.log10(Math.max(us, 0.05)) + 1.3) / 6.3) * (WIDTH - LEFT - 8);
export const micro = (us: number): string => (us < 10 ? us.toFixed(us < 1 ? 3 : 2) : us < 1000 ? us.toFixed(1) : `${(us / 1000).toFixed(2)} ms`).replace(/^([\d.]+)$/, "$1 µs");

function Chart({ results }: { readonly results: ReadonlyMap<string, Measured> }): ReactNode {
  return (
    <svg className="chart" viewBox={`0 0 ${WIDTH} ${ROWS.length * HIGH + 26}`} role="img" aria-label="Microseconds for each call on a logarithmic axis; the table below has the same figures">
      {DECADES.map((d) => (
        <g key={d}>
          <line x1={x(10 ** d)} x2={x(10 ** d)} y1={0} y2={ROWS.length * HIGH} className="gridline" />
          <text x={x(10 ** d)} y={ROWS.length * HIGH + 16} textAnchor="middle">
            {d < 3 ? `${10 ** d} µs` : `${10 ** (d - 3)} ms`}
          </text>
        </g>
      ))}
      {ROWS.map((row, i) => {
        const y = i * HIGH + HIGH / 2;
        const p = SEED[row]!;
        const m = results.get(row);
        return (
          <g key={row}>
            <text x={LEFT - 6} y={y + 4} textAnchor="end">
              {row}
            </text>
            <line x1={LEFT} x2={WIDTH - 8} y1={y} y2={y} className="gridline" />
            <circle cx={x(p.native)} cy={y} r={4} className="native" />
            <rect x={x(p.um) - 4} y={y - 4} width={8} height={8} className="um" />
            <path d={`M${x(p.nommu)} ${y - 5}l5 5-5 5-5-5z`} className="nommu" />
            {m !== undefined && <path d={`M${x(m.us)} ${y - 6}l6 11h-12z`} className="here" />}
          </g>
        );
      })}
    </svg>
  );
}

/** What was measured; the run goes on while another panel is looked at. */
interface Bench {
  readonly results: ReadonlyMap<string, Measured>;
  readonly running: boolean;
  readonly aborted: boolean;
  readonly problem: string | undefined;
}
const bench = new Store<Bench>({ results: new Map(), running: false, aborted: false, problem: undefined });

function start(session: Session): void {
  bench.set({ results: new Map(), running: true, aborted: false, problem: undefined });
  measure(
    session,
    ROWS,
    (m) => bench.set({ results: new Map(bench.get().results).set(m.row, m) }),
    () => bench.get().aborted,
  )
    .catch((e: unknown) => {
      if (!bench.get().aborted) bench.set({ problem: sentence(e) });
    })
    .finally(() => bench.set({ running: false }));
}

export function BenchPanel({ session }: { readonly session: Session }): ReactNode {
  const { power } = useStore(session.state);
  const { results, running, problem } = useStore(bench);
  const text = (): string =>
    ["row\tinstructions\there µs\tpublished native µs\tum µs\tum-nommu µs", ...ROWS.map((r) => [r, results.get(r)?.instructions?.toFixed(1) ?? "", results.get(r)?.us.toFixed(4) ?? "", SEED[r]!.native, SEED[r]!.um, SEED[r]!.nommu].join("\t")), navigator.userAgent].join("\n");
  return (
    <div>
      <p className="story">
        lmbench’s rows and getpid, as in the document that this machine follows. Two columns that must not be mixed: <b>instructions</b> for each call are exact, and the same on every machine; <b>time here</b> is this tab, on this computer, now.
      </p>
      <div className="row">
        {running ? (
          <button type="button" onClick={() => bench.set({ aborted: true })}>
            Stop ({results.size} of {ROWS.length})
          </button>
        ) : (
          <button type="button" className="primary" disabled={power !== "running"} onClick={() => start(session)}>
            Run the table
          </button>
        )}
        <CopyButton text={text} disabled={results.size === 0}>
          Copy the result
        </CopyButton>
        <span className="hint">It types into the console: leave that alone meanwhile. Half a minute.</span>
      </div>
      {problem !== undefined && (
        <p className="complaint" role="alert">
          {problem}
        </p>
      )}
      <Chart results={results} />
      <p className="legend">
        <span>▲ here, now</span> <span>● published: native</span> <span>■ um (ptrace)</span> <span>◆ um-nommu</span>
      </p>
      <table className="bench-rows">
        <Head columns={["row", numbers("instructions"), numbers("time here"), numbers("native"), numbers("um"), numbers("um-nommu")]} />
        <tbody>
          {ROWS.map((r) => {
            const m = results.get(r);
            const p = SEED[r]!;
            return (
              <tr key={r}>
                <td className="word">{r}</td>
                <td className="number">{m?.instructions === undefined ? "–" : count(Math.round(m.instructions))}</td>
                <td className="number" title={m === undefined ? undefined : `${micro(m.least)} to ${micro(m.most)}, ${count(m.count)} times`}>
                  {m === undefined ? "–" : micro(m.us)}
                </td>
                <td className="number">{micro(p.native)}</td>
                <td className="number">{micro(p.um)}</td>
                <td className="number">{micro(p.nommu)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <p className="story">
        The last three columns are published, on hardware. The two rows with fork are the ones where UML without an MMU loses: each exec searches all of a program’s code for system calls. Here what was found is remembered for each file.
      </p>
    </div>
  );
}
