import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { makeFolder, makeUsableFolder } from "../../src/cli/make-folder.ts";
import { UsageError } from "../../src/cli/usage-error.ts";
import { pathsInAFolder } from "../node/files/folder.ts";

const path = pathsInAFolder();

// Places where Node's own way never ends are tried in program.test.ts, with the time at hand to give up.
describe("a folder", () => {
  it("is made with all those above it, and left alone where it is there", () => {
    makeFolder(path("a/b/c"));
    writeFileSync(path("a/b/c/file"), "");
    makeFolder(path("a/b/c"));
    makeFolder(path("a/b/c/"));
    expect(existsSync(path("a/b/c/file"))).toBe(true);
    makeFolder("/");
    makeFolder(".");
  });

  it("may be behind a link", () => {
    mkdirSync(path("there"));
    symlinkSync(path("there"), path("link"));
    makeFolder(path("link"));
    makeFolder(path("link/below"));
    expect(existsSync(path("there/below"))).toBe(true);
  });

  it("is refused where a file is in the way, and where it has no name", () => {
    writeFileSync(path("file"), "");
    symlinkSync(path("nowhere"), path("torn link"));
    for (const place of ["file", "file/below", "file/below/deep", "torn link"]) {
      expect(() => makeUsableFolder("--save", path(place))).toThrow(
        new UsageError(`--save: ${path(place)}: is a file, not a folder`),
      );
    }
    expect(() => makeUsableFolder("--out", "")).toThrow(new UsageError("--out: : cannot be used (ENOENT)"));
  });
});
