import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { transformWithOxc } from "vite";
import { describe, expect, it, vi } from "vitest";
import { pathsInAFolder } from "./folder.ts";

const asked: string[] = [];
/** What the next write does instead, if anything. */
let trouble: { readonly op: string; readonly error: Error } | null = null;
vi.mock("node:fs", async (original) => {
  const fs = await original<typeof import("node:fs")>();
  const watched = (name: "openSync" | "writeSync" | "fsyncSync" | "closeSync" | "renameSync") =>
    ((...given: never[]) => {
      asked.push(name === "openSync" ? `${name} ${given[1]}` : name);
      if (trouble?.op === name) throw trouble.error;
      // In parts, as a system may.
      const part =
        name === "writeSync"
          ? [
              given[0],
              given[1],
              given[2],
              Math.min(2, (given[1] as Uint8Array).length - (given[2] as number)),
            ]
          : given;
      return (fs[name] as (...given: unknown[]) => unknown)(...part);
    }) as never;
  return {
    ...fs,
    openSync: watched("openSync"),
    writeSync: watched("writeSync"),
    fsyncSync: watched("fsyncSync"),
    closeSync: watched("closeSync"),
    renameSync: watched("renameSync"),
  };
});
const { writeFileAtomically } = await import("../../../src/node/atomic-write.ts");

describe("writeFileAtomically", () => {
  const path = pathsInAFolder();

  it("writes all bytes, over an older file too, and leaves nothing else behind", () => {
    for (const bytes of [Uint8Array.of(1, 2, 3, 4, 5), Uint8Array.of(9), new Uint8Array(0)]) {
      writeFileAtomically(path("a"), bytes);
      expect([...readFileSync(path("a"))]).toEqual([...bytes]);
      expect(readdirSync(path())).toEqual(["a"]);
    }
  });

  it("opens a new file, writes, flushes and closes it before it takes the name, and flushes the folder then", () => {
    asked.length = 0;
    writeFileAtomically(path("a"), Uint8Array.of(1, 2, 3));
    expect(asked).toEqual([
      "openSync wx",
      "writeSync",
      "writeSync",
      "fsyncSync",
      "closeSync",
      "renameSync",
      "openSync r",
      "fsyncSync",
      "closeSync",
    ]);
  });

  it.each(["openSync", "writeSync", "fsyncSync", "closeSync", "renameSync"])(
    "keeps the old file and lets the error of %s through",
    (op) => {
      writeFileSync(path("a"), "old");
      trouble = { op, error: new Error("ENOSPC: no space left on device") };
      try {
        expect(() => writeFileAtomically(path("a"), Uint8Array.of(1, 2, 3))).toThrow(trouble.error);
      } finally {
        trouble = null;
      }
      expect(readFileSync(path("a"), "utf8")).toBe("old");
      expect(readdirSync(path())).toEqual(["a"]);
    },
  );

  it("fails as the system says where there is no folder, or a folder of that name", () => {
    expect(() => writeFileAtomically(path("none/a"), new Uint8Array(1))).toThrow(/ENOENT/);
    mkdirSync(path("folder"));
    writeFileSync(path("folder/inside"), "");
    expect(() => writeFileAtomically(path("folder"), new Uint8Array(1))).toThrow(/EISDIR|ENOTEMPTY|EEXIST/);
    expect(readdirSync(path())).toEqual(["folder"]);
  });
});

describe("a process that is killed while it writes", () => {
  const path = pathsInAFolder();
  const source = fileURLToPath(new URL("../../../src/node/atomic-write.ts", import.meta.url));
  const pause = (milliseconds: number): Promise<void> =>
    new Promise((resolve) => setTimeout(resolve, milliseconds));

  it("leaves a file that is whole", { timeout: 120_000 }, async () => {
    const { code } = await transformWithOxc(readFileSync(source, "utf8"), source);
    const program = `${code}
      for (let i = 0; ; i = (i + 1) % 256) writeFileAtomically(process.argv[2], new Uint8Array(4e6).fill(i));`;
    writeFileSync(path("program.mjs"), program);
    for (let run = 0; run < (process.env.DISTILGRAD_DEEP ? 25 : 3); run++) {
      rmSync(path("a"), { force: true });
      const child = spawn(process.execPath, [path("program.mjs"), path("a")], { stdio: "ignore" });
      const ended = new Promise((resolve) => child.once("exit", resolve));
      while (!existsSync(path("a")) && child.exitCode === null) await pause(5);
      await pause(7 * run);
      child.kill("SIGKILL");
      await ended;
      expect(child.signalCode).toBe("SIGKILL");
      const bytes = readFileSync(path("a"));
      expect(bytes.length).toBe(4e6);
      expect(Buffer.alloc(4e6, bytes[0]).equals(bytes)).toBe(true);
    }
  });
});
