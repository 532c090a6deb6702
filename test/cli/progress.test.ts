import { describe, expect, it } from "vitest";
import { isRich } from "../../src/cli/paint.ts";
import { barLine, type ProgressSettings, progressDisplay } from "../../src/cli/progress.ts";
import { clock, secondsLeft } from "../../src/cli/time-left.ts";

function show(form: ProgressSettings["form"], columns = 100) {
  let written = "";
  let time = 0;
  const display = progressDisplay({
    output: { columns, write: (text: string) => (written += text) },
    form,
    heading: "heading",
    items: 2,
    processes: 2,
    now: () => time,
  });
  return { display, at: (seconds: number) => (time = seconds), written: () => written };
}

describe("progress", () => {
  it("is a line for each finished model where there is no terminal", () => {
    const { display, written } = show("lines");
    display.update({ item: 0, name: "seed 0: teacher", done: 0.4 });
    display.update({ item: 0, name: "seed 0: teacher", done: 0.8, accuracy: 0.975 });
    display.end();
    expect(written()).toBe("heading\nseed 0: teacher: 97.5 %\n");
  });

  it("is a bar on a terminal, with the time left and what is trained, and leaves nothing behind", () => {
    const { display, at, written } = show("bar");
    at(10);
    display.update({ item: 0, name: "seed 0: teacher", done: 0.25 });
    display.update({ item: 1, name: "seed 1: teacher", done: 0.25 });
    at(20);
    display.update({ item: 1, name: "seed 1: 9 labels, alone", done: 0.5 });
    display.end();
    expect(written().split("\r").slice(1)).toEqual([
      "███░░░░░░░░░░░░░░░░░░░░░  12 %  1:20 left  seed 0: teacher\u001b[K",
      "█████████░░░░░░░░░░░░░░░  37 %  0:40 left  seed 0: teacher · seed 1: 9 labels, alone\u001b[K",
      "\u001b[K",
    ]);
  });

  it("never fills the last column of the terminal", () => {
    const { display, at, written } = show("bar", 40);
    at(1);
    display.update({ item: 0, name: "seed 0: teacher", done: 0.5 });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal obeys
    expect(written().replace(/\r|\u001b\[K/g, "").length).toBe(39);
  });

  it("is nothing when it is not wanted", () => {
    const { display, written } = show("none");
    display.update({ item: 0, name: "seed 0: teacher", done: 1, accuracy: 1 });
    display.end();
    expect(written()).toBe("");
  });

  it("is a bar only on a terminal that has not asked for plain text", () => {
    const terminal = { isTTY: true, write: () => {} };
    expect(isRich(terminal, {})).toBe(true);
    expect(isRich(terminal, { NO_COLOR: "" })).toBe(true);
    expect(isRich(terminal, { NO_COLOR: "1" })).toBe(false);
    expect(isRich(terminal, { TERM: "dumb" })).toBe(false);
    expect(isRich({ write: () => {} }, {})).toBe(false);
  });

  it("shows no time as long as there is nothing to go by", () => {
    expect(barLine(0.001, null, "seed 0: teacher")).toBe(`${"░".repeat(24)}   0 %  seed 0: teacher`);
    expect(barLine(1, 0, "")).toBe(`${"█".repeat(24)} 100 %  0:00 left  `);
  });
});

describe("the time left", () => {
  it("counts whole seeds that wait for a process", () => {
    // Two of three seeds half done after 10 s: a seed takes 20 s, so 10 s for these and 20 s for the third.
    expect(secondsLeft([0.5, 0.5], 3, 2, 10)).toBeCloseTo(30, 12);
    expect(secondsLeft([1, 1, 0.5], 3, 1, 25)).toBeCloseTo(5, 12);
    expect(secondsLeft([1, 1], 2, 2, 25)).toBe(0);
    expect(secondsLeft([0.01], 2, 2, 1)).toBe(null);
  });

  it("is written as on a clock", () => {
    expect([0, 7.4, 59.6, 3599, 3723].map(clock)).toEqual(["0:00", "0:07", "1:00", "59:59", "1:02:03"]);
  });
});
