// src/inspect/noted.test.ts — the list of system calls: what a filter lets through, and what goes when there are too many.
import { expect, test } from "vitest";
import type { CallRow } from "../../worker/protocol/inspect.ts";
import { filtered, matches, more, NOTHING, runs } from "./noted.ts";

const row = (seq: number, change: Partial<CallRow> = {}): CallRow => ({ seq, pid: 1, comm: "sh", name: "read", text: 'read(0, "x", 1) = 1', error: false, at: 0, took: 0, spent: 0, ...change });

test("words of a filter must all be there", () => {
  const r = row(1, { pid: 3, name: "openat", text: 'openat(AT_FDCWD, "/etc") = -1 ENOENT', error: true });
  for (const good of ["", "name:open*", "name:openat", "pid:3 by:sh", "!", "ret<0", "/etc", "ENOENT pid:3"]) expect(matches(r, good), good).toBe(true);
  for (const bad of ["name:open", "pid:1", "by:ls", "/usr", "fd:3"]) expect(matches(r, bad), bad).toBe(false);
});

test("neighbours of the same call become one line", () => {
  expect(runs([row(1), row(2), row(3, { error: true }), row(4)]).map(([r, n]) => [r.seq, n])).toEqual([[2, 2], [3, 1], [4, 1]]);
});

test("found is what the filter finds in rows, also when the oldest go and numbers begin again", () => {
  let noted = filtered(NOTHING, "pid:2");
  for (let i = 0; i < 60; i++) {
    noted = more(noted, Array.from({ length: 500 }, (_, n) => row((i * 500 + n) % 7000, { pid: n % 3 })));
    if (i % 20 === 19) expect(noted.found).toEqual(noted.rows.filter((r) => r.pid === 2));
  }
  expect(noted.rows).toHaveLength(20_000);
  expect(filtered(noted, "pid:1").found).toEqual(noted.rows.filter((r) => r.pid === 1));
});
