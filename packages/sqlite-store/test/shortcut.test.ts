// Goal: few appends on a quick disk go past the thread, all else through it, and the thread is never left out for long. Method: a store that answers when it is told to, and one commit time to choose.
import type { AppendError } from "@backstep/saga-core/journal";
import { ok, type Result } from "neverthrow";
import { describe, expect, test } from "vitest";
import { createShortcut, SHORTCUT_APPENDS_MAX, type Shortcut } from "../src/shortcut.ts";
import { request } from "./requests.ts";

const QUICK_MS = 0.2;
const SLOW_MS = 20;

function set({ commitMs }: { commitMs: number }) {
  const answers: (() => void)[] = [];
  const shortcut = createShortcut({
    appendSound: (_request, answered) => answers.push(() => answered(ok())),
    lastCommitMs: () => commitMs,
  });
  return { shortcut, answers };
}

/** Takes a turn of one append, if it is let. */
function turn({ shortcut, answers }: ReturnType<typeof set>): boolean {
  if (!shortcut.opens({ appends: 1, characters: 300 })) return false;
  shortcut.take([{ request: request("a", 0), resolve: () => undefined }], () => undefined);
  answers.pop()?.();
  return true;
}

function turns(many: number, on: ReturnType<typeof set>): readonly boolean[] {
  return Array.from({ length: many }, () => turn(on));
}

describe("it opens", () => {
  test("for a few appends and for no more", () => {
    const { shortcut } = set({ commitMs: QUICK_MS });
    const opens = (appends: number, characters: number) => shortcut.opens({ appends, characters });
    expect([opens(1, 300), opens(SHORTCUT_APPENDS_MAX, 20_000), opens(SHORTCUT_APPENDS_MAX + 1, 20_000)]).toEqual([true, true, false]);
    expect([opens(1, 200_000), opens(1, 300_000)]).toEqual([true, false]);
  });

  test("turn after turn, but for one of the thread now and then", () => {
    const taken = turns(10_000, set({ commitMs: QUICK_MS }));
    const left = taken.flatMap((isTaken, at) => (isTaken ? [] : [at]));
    expect(left.length).toBeGreaterThan(2);
    expect(left.length).toBeLessThan(10_000 / 250);
    expect(new Set(left.slice(1).map((at, index) => at - (left[index] ?? 0))).size).toBe(1);
  });

  test("and sooner for one when they are large", () => {
    const { shortcut } = set({ commitMs: QUICK_MS });
    const taken = Array.from({ length: 100 }, () => shortcut.opens({ appends: 1, characters: 200_000 }));
    expect(taken.filter((isTaken) => !isTaken).length).toBeGreaterThan(5);
  });

  test("on a slow disk, once for each long row of turns of the thread", () => {
    const taken = turns(2_000, set({ commitMs: SLOW_MS })).filter(Boolean);
    expect(taken.length).toBeGreaterThan(1);
    expect(taken.length).toBeLessThan(2_000 / 100);
  });

  test("although a commit is slow now and then, as on any disk", () => {
    const commit = { commitMs: QUICK_MS };
    const answers: (() => void)[] = [];
    const shortcut = createShortcut({
      appendSound: (_request, answered) => answers.push(() => answered(ok())),
      lastCommitMs: () => commit.commitMs,
    });
    const taken = Array.from({ length: 2_000 }, (_, at) => {
      commit.commitMs = at % 10 === 0 ? SLOW_MS : QUICK_MS;
      return turn({ shortcut, answers });
    });
    expect(taken.filter(Boolean).length).toBeGreaterThan(1_900);
  });

  test("again once the disk is quick again", () => {
    const commit = { commitMs: SLOW_MS };
    const answers: (() => void)[] = [];
    const shortcut: Shortcut = createShortcut({
      appendSound: (_request, answered) => answers.push(() => answered(ok())),
      lastCommitMs: () => commit.commitMs,
    });
    turns(10, { shortcut, answers });
    commit.commitMs = QUICK_MS;
    turns(1_000, { shortcut, answers });
    expect(turns(100, { shortcut, answers }).filter(Boolean).length).toBeGreaterThan(98);
  });
});

test("it is busy until the last of its appends is answered, each with its own verdict", () => {
  const { shortcut, answers } = set({ commitMs: QUICK_MS });
  const verdicts: Result<void, AppendError>[] = [];
  let passed = 0;
  const append = { request: request("a", 0), resolve: (verdict: Result<void, AppendError>) => void verdicts.push(verdict) };
  shortcut.take([append, append], () => (passed += 1));
  answers[0]?.();
  expect([shortcut.busy, verdicts.length, passed]).toEqual([true, 1, 0]);
  answers[1]?.();
  expect([shortcut.busy, verdicts.length, passed]).toEqual([false, 2, 1]);
});
