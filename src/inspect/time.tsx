// src/inspect/time.tsx — the machine's past: any moment of what was recorded, run again as it was typed or quickly, and the branches that typing in the past has left.
import { type ReactNode, useState } from "react";
import type { BranchRow, TimelineState } from "../../worker/protocol/replay.ts";
import { count, seconds } from "../format.ts";
import { GOING, type Session } from "../session.ts";
import { useStore } from "../store.ts";
import { usePoll } from "./poll.ts";

const ask = (s: Session): Promise<TimelineState> => s.control.timeline();

/** Slider steps: moments are told apart well enough, and a count of instructions has no step that a pixel could be. */
const STEPS = 1000;

function Branch({ session, row, current, jumping }: { readonly session: Session; readonly row: BranchRow; readonly current: boolean; readonly jumping: boolean }): ReactNode {
  const from = row.from === undefined ? "from power-on" : `left at instruction ${count(row.from.at)}`;
  return (
    <li aria-current={current ? "true" : undefined}>
      Branch {row.id + 1}, {from}: {count(row.events)} {row.events === 1 ? "event" : "events"}, to instruction {count(row.end.at)}.{" "}
      {current ? (
        <b>This one.</b>
      ) : (
        <button type="button" disabled={jumping} onClick={() => void session.follow(row)}>
          Go to its end
        </button>
      )}
    </li>
  );
}

export function Time({ session }: { readonly session: Session }): ReactNode {
  const { power, waiting, jumping } = useStore(session.state);
  const state = usePoll(session, ask, 500);
  /** where the slider is held, and whether the machine is on its way there */
  const [wish, setWish] = useState<number>();
  const [gone, setGone] = useState(false);
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<string>();
  if (state === undefined) return undefined;
  const { now, end, live, branches, current, snapshots, bytes } = state;
  const to = (at: number): void => {
    setProblem(undefined);
    setGone(true);
    void (at >= end.at ? session.live() : session.seek(at)).finally(() => {
      setWish(undefined);
      setGone(false);
    });
  };
  const release = (): void => {
    if (wish !== undefined && !gone) to(Math.round((end.at * wish) / STEPS));
  };
  const typed = (): void => {
    const at = /^[\d,.\s]+$/.test(text) ? Number(text.replaceAll(/\D/g, "")) : NaN;
    if (!(at <= end.at)) setProblem(`Write a count of instructions from 0 to ${count(end.at)}: that is as far as the recording goes.`);
    else {
      setText("");
      to(at);
    }
  };
  const shown = wish ?? Math.round((now.at / Math.max(1, end.at)) * STEPS);
  const going = waiting?.what === GOING;
  return (
    <section className="time" aria-labelledby="time-title">
      <h3 id="time-title">Time</h3>
      <input
        type="range" min={0} max={STEPS} value={shown} aria-label="Moment" aria-valuetext={`instruction ${count(Math.round((end.at * shown) / STEPS))}`} disabled={power === "crashed" || (jumping && !gone)}
        onChange={(e) => setWish(Number(e.target.value))} onPointerUp={release} onKeyUp={release} onBlur={release}
      />
      <p>
        {live ? "The present" : "In the past"}: instruction {count(wish === undefined ? now.at : Math.round((end.at * wish) / STEPS))} of {count(end.at)}, {seconds(now.ns)} of guest time; {count(now.events)} events recorded. {snapshots} {snapshots === 1 ? "snapshot" : "snapshots"}, {(bytes / 1e6).toFixed(1)} MB.
      </p>
      <div className="row">
        <label>
          Instruction <input type="text" inputMode="numeric" size={14} value={text} placeholder={count(now.at)} onChange={(e) => setText(e.target.value)} onKeyDown={(e) => e.key === "Enter" && typed()} />
        </label>
        <button type="button" disabled={jumping} onClick={typed}>
          Go there
        </button>
        {going && (
          <button type="button" onClick={() => void session.control.cancelSeek()}>
            Stop here ({Math.round(waiting.done / 10)} %)
          </button>
        )}
        {!live && (
          <>
            <button type="button" disabled={jumping} onClick={() => session.play("paced")}>
              Replay as it was typed
            </button>
            <button type="button" disabled={jumping} onClick={() => session.play("full")}>
              Replay quickly
            </button>
          </>
        )}
      </div>
      {problem !== undefined && (
        <p role="alert" className="problem">
          {problem}
        </p>
      )}
      {!live && <p className="explain short">Run on, and it happens again as it did. Type something, and it goes another way: what was recorded is kept as a branch.</p>}
      {branches.length > 1 && (
        <ul className="branches" aria-label="Branches">
          {branches.map((b) => (
            <Branch key={b.id} session={session} row={b} current={b.id === current} jumping={jumping} />
          ))}
        </ul>
      )}
    </section>
  );
}
