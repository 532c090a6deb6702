/** Floor 6: what the caller can put right. The command line says it in one sentence and ends with code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
