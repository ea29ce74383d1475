// src/lessons/lessons.tsx — the column beside the console: the list of lessons, or one step of one.
import { type ReactNode, useEffect, useRef, useState } from "react";
import { CopyButton } from "../copy.tsx";
import type { Session } from "../session.ts";
import { setSignal, type Signal, signal } from "../signal.ts";
import { useStore } from "../store.ts";
import { openLesson, ui } from "../ui.ts";
import type { CourseOf } from "./course.ts";
import type { Check, Lesson, Step } from "./lesson.ts";
import { progressCode, readCodes } from "./progress.ts";
import { Head, numbers } from "../head.tsx";
import { Blocks, Label } from "./text.tsx";

interface CourseProps {
  readonly course: CourseOf;
  readonly session: Session;
}

/** Lets a person choose a folder. */
function pickFolder(use: (files: readonly File[]) => void): void {
  const input = document.createElement("input");
  input.type = "file";
  input.webkitdirectory = true;
  input.onchange = () => use([...(input.files ?? [])]);
  input.click();
}

/** For whoever teaches: codes that were pasted into a chat, as a table. */
function Codes(): ReactNode {
  const [text, setText] = useState("");
  const rows = readCodes(text);
  return (
    <details className="codes">
      <summary>Progress codes of a class</summary>
      <p className="hint">Each step shows a code under it. Paste the lines of a chat here: a table says who is where. Nothing is sent.</p>
      <textarea className="wide" rows={4} spellCheck={false} aria-label="Lines with progress codes" value={text} onChange={(e) => setText(e.target.value)} />
      {rows.length > 0 && (
        <table aria-label="Progress">
          <Head columns={["who", "lesson", numbers("step"), "done"]} />
          <tbody>
            {rows.map((r, i) => (
              <tr key={i}>
                <td>{r.name === "" ? "–" : r.name}</td>
                {r.progress === undefined ? (
                  <td colSpan={3}>“{r.code}” is no code, or was mistyped</td>
                ) : (
                  <>
                    <td>{r.progress.lesson}</td>
                    <td className="number">{r.progress.step}</td>
                    <td>{r.progress.done.length === 0 ? "none" : r.progress.done.join(", ")}</td>
                  </>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </details>
  );
}

/** Under a step: what a helper sees across the room, and a code for the chat. */
function Signals({ course }: { readonly course: CourseOf }): ReactNode {
  const { now } = useStore(signal);
  const { done, lesson } = useStore(course.state);
  const { lesson: place } = useStore(ui);
  if (typeof place !== "object" || lesson === undefined) return null;
  const code = progressCode({ lesson: place.id, step: place.step + 1, done: lesson.steps.flatMap((_, i) => (done.includes(`${place.id}/${i}`) ? [i + 1] : [])) });
  const button = (what: Signal, text: string): ReactNode => (
    <button type="button" aria-pressed={now === what} title="The page’s edge, its title and its icon show it; nothing is sent" onClick={() => setSignal(now === what ? undefined : what)}>
      {text}
    </button>
  );
  return (
    <div className="signals" role="group" aria-label="Workshop">
      {button("done", "✓ Done")}
      {button("stuck", "⚑ Stuck")}
      <code className="hint" title="Where you are in this lesson, for whoever teaches the class">
        {code}
      </code>
      <CopyButton text={() => code}>Copy</CopyButton>
    </div>
  );
}

function List({ course }: CourseProps): ReactNode {
  const { list, done, problem } = useStore(course.state);
  const file = useRef<HTMLInputElement>(null);
  const [url, setUrl] = useState("");
  return (
    <>
      <p className="story">Ten minutes each, in any order. What you do in the console is checked by what happens in the machine. Nothing is graded, everything can be skipped.</p>
      {problem !== undefined && (
        <p className="complaint" role="alert">
          {problem}
        </p>
      )}
      <ol className="lessonlist" start={0}>
        {list.map((l) => {
          const n = done.filter((d) => d.startsWith(`${l.id}/`)).length;
          return (
            <li key={l.id}>
              <button type="button" onClick={() => openLesson({ id: l.id, step: 0 })}>
                <b>{l.title}</b>
                <span>{l.summary}</span>
                <small>
                  {l.minutes} minutes{n > 0 ? ` · ${n} ${n === 1 ? "step" : "steps"} done` : ""}
                </small>
              </button>
            </li>
          );
        })}
      </ol>
      <h3>Somebody else’s</h3>
      <form
        className="row"
        onSubmit={(e) => {
          e.preventDefault();
          if (url !== "") void course.bring(url);
        }}
      >
        <input type="text" aria-label="Address of a lesson, or of a folder of lessons" placeholder="https://…/lesson.md, or a folder’s" spellCheck={false} value={url} onChange={(e) => setUrl(e.target.value)} />
        <button type="submit">Open</button>
        <input
          ref={file}
          type="file"
          hidden
          accept=".md,text/markdown"
          aria-label="Lesson file"
          onChange={(e) => {
            const [f] = e.target.files ?? [];
            if (f !== undefined) void course.bring(f);
          }}
        />
        <button type="button" onClick={() => file.current?.click()}>
          From a file…
        </button>
        <button type="button" onClick={() => pickFolder((files) => void course.bringFolder(files))}>
          From a folder…
        </button>
      </form>
      <Codes />
    </>
  );
}

function CheckRow({ check, green, wrong, course }: { readonly check: Check; readonly green: boolean; readonly wrong: string | undefined; readonly course: CourseOf }): ReactNode {
  const [text, setText] = useState("");
  return (
    <li className={green ? "green" : ""}>
      <span className="tick" aria-hidden="true">
        {green ? "✓" : "○"}
      </span>
      <span>
        <Label text={check.label} />
        <span className="visually-hidden">{green ? " (done)" : " (to do)"}</span>
        {check.kind === "answer" && !green && (
          <form
            className="row"
            onSubmit={(e) => {
              e.preventDefault();
              course.giveAnswer(check.id, text);
            }}
          >
            <input type="text" aria-label={`Answer: ${check.label}`} spellCheck={false} autoCapitalize="off" size={14} value={text} onChange={(e) => setText(e.target.value)} />
            <button type="submit">Check</button>
            {wrong !== undefined && <span role="status">Not “{wrong}”. The hint helps.</span>}
          </form>
        )}
      </span>
    </li>
  );
}

function StepView({ course, session, lesson, step, n }: CourseProps & { readonly lesson: Lesson; readonly step: Step; readonly n: number }): ReactNode {
  const { green, wrong, showing, problem, done } = useStore(course.state);
  const { power } = useStore(session.state);
  const [hints, setHints] = useState(0);
  const top = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    top.current?.focus();
  }, []);
  const running = power === "running";
  const ready = course.ready;
  const last = n === lesson.steps.length - 1;
  const all = step.checks.every((c) => green.includes(c.id));
  const isDone = all || done.includes(`${lesson.id}/${n}`);
  const next = (): void => {
    if (step.checks.length === 0) course.finish();
    if (last) openLesson("list");
    else openLesson({ id: lesson.id, step: n + 1 });
  };
  return (
    <>
      <p className="crumb">
        {lesson.title} · step {n + 1} of {lesson.steps.length}
      </p>
      <h3 ref={top} tabIndex={-1}>
        {step.title}
      </h3>
      <div className="lessontext">
        <Blocks blocks={step.blocks} run={running && ready ? (command) => session.type(`${command}\n`) : undefined} />
      </div>
      {!ready && (
        <div className="message note">
          <p>
            {step.boot === undefined ? "This step needs a running machine." : step.boot === "" ? "This step needs a machine with the usual settings." : <>This step needs a machine that was started with <code>{step.boot}</code>.</>}
          </p>
          <button type="button" className="primary" disabled={power === "starting"} onClick={() => void course.startFor()}>
            Start it
          </button>
        </div>
      )}
      {step.checks.length > 0 && (
        <ul className="checks" aria-label="Checks" aria-live="polite">
          {step.checks.map((c) => (
            <CheckRow key={c.id} check={c} green={green.includes(c.id)} wrong={wrong[c.id]} course={course} />
          ))}
        </ul>
      )}
      {step.hints.slice(0, hints).map((h, i) => (
        <div key={i} className="hintbox">
          <Blocks blocks={h} run={undefined} />
        </div>
      ))}
      {problem !== undefined && (
        <p className="complaint" role="alert">
          {problem}
        </p>
      )}
      <div className="row">
        {step.hints.length > hints && (
          <button type="button" onClick={() => setHints(hints + 1)}>
            {hints === 0 ? "Hint" : "Another hint"}
          </button>
        )}
        {step.solution.length > 0 && (
          <button type="button" disabled={showing || (!running && power !== "paused" && ready)} onClick={() => void course.show()}>
            {showing ? "Showing…" : "Show me"}
          </button>
        )}
        <button type="button" title="A fresh machine on a scratch disk, as at the beginning of this step" onClick={() => void course.reset()}>
          Reset this step
        </button>
      </div>
      <div className="row lessonnav">
        <button type="button" disabled={n === 0} onClick={() => openLesson({ id: lesson.id, step: n - 1 })}>
          Back
        </button>
        <progress max={lesson.steps.length} value={n + (isDone ? 1 : 0)} aria-label="Progress in the lesson" />
        <button type="button" className={isDone || step.checks.length === 0 ? "primary" : ""} onClick={next}>
          {last ? (isDone || step.checks.length === 0 ? "Finish" : "Skip to the list") : isDone || step.checks.length === 0 ? "Next" : "Skip"}
        </button>
      </div>
    </>
  );
}

export function LessonColumn({ course, session }: CourseProps): ReactNode {
  const { lesson: place } = useStore(ui);
  const { lesson, problem } = useStore(course.state);
  const n = typeof place === "object" ? place.step : 0;
  const step = typeof place === "object" && lesson?.id === place.id ? lesson.steps[n] : undefined;
  return (
    <aside className="lesson" data-region="lesson" tabIndex={-1} aria-label="Lesson">
      <div className="lessonhead">
        <h2>{place === "list" ? "Lessons" : "Lesson"}</h2>
        {place !== "list" && (
          <button type="button" onClick={() => openLesson("list")}>
            All lessons
          </button>
        )}
        <button type="button" className="icon" aria-label="Close the lessons" onClick={() => openLesson(undefined)}>
          ✕
        </button>
      </div>
      <div className="body">
        {place === "list" && <List course={course} session={session} />}
        {step !== undefined && lesson !== undefined && <StepView key={`${lesson.id}/${n}`} course={course} session={session} lesson={lesson} step={step} n={n} />}
        {typeof place === "object" && step === undefined && <p className={problem === undefined ? "empty" : "complaint"}>{problem ?? "…"}</p>}
      </div>
      {step !== undefined && <Signals course={course} />}
    </aside>
  );
}
