#!/usr/bin/env node
/** Floor 6: the program: the process with its streams and signals around the command line. */
import { commandLine, ExitCode } from "./command-line.ts";

async function readInput(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  return Buffer.concat(chunks);
}

// Whoever reads the output may have seen enough (`| head`); there is nothing left to do then.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? ExitCode.done : ExitCode.failed);
});
process.stderr.on("error", () => {});
process.once("SIGINT", () => {
  if (process.stderr.isTTY) process.stderr.write("\n");
  process.exit(ExitCode.interrupted);
});

process.exitCode = await commandLine(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
  readInput,
});
