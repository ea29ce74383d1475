// src/late.tsx — parts of the page whose code comes later: when they are first shown, or when there is nothing else to do. Code that is there is shown at once.
import { type ComponentType, createElement, type ReactNode, useEffect, useState } from "react";

const parts: (() => Promise<unknown>)[] = [];

/** Fetches the code of all parts, one after the other: a click that comes later finds it there. What does not come is asked for again when it is shown. */
export async function fetchParts(): Promise<void> {
  for (const load of parts) await load().catch(() => undefined);
}

/**
 * A component whose code `load` fetches. Until it is there, `waiting` stands in its place; where it cannot be had, a sentence and another try: the rest of the page goes on.
 * Not React.lazy, which shows what has come no sooner than 300 ms after what stood in its place.
 */
export function late<P extends object>(load: () => Promise<ComponentType<P>>, waiting: ReactNode = null): ComponentType<P> {
  let code: ComponentType<P> | undefined;
  const fetched = async (): Promise<ComponentType<P>> => (code ??= await load());
  parts.push(fetched);
  return (props) => {
    const [, setThere] = useState(code !== undefined);
    const [problem, setProblem] = useState<string>();
    const [tries, setTries] = useState(0);
    useEffect(() => {
      if (code !== undefined) return;
      let over = false;
      fetched().then(
        () => over || setThere(true),
        (e: unknown) => over || setProblem(e instanceof Error ? e.message : String(e)),
      );
      return () => {
        over = true;
      };
    }, [tries]);
    if (code !== undefined) return createElement(code, props);
    if (problem === undefined) return waiting;
    return (
      <div className="message problem" role="alert">
        <p>This part of the page did not come: {problem.replace(/\.?$/, ".")} The machine goes on. If it stays so, the server may have a newer version: load the page again.</p>
        <button
          type="button"
          onClick={() => {
            setProblem(undefined);
            setTries(tries + 1);
          }}
        >
          Try again
        </button>
      </div>
    );
  };
}
