/** Floor 6: texts from files and arguments, so that they neither steer a terminal nor fill it. */

/** Without characters that a terminal obeys instead of showing. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, "�");
}

/** Printable, and at most 40 characters long. */
export function shortened(text: string): string {
  const characters = [...printable(text)];
  return characters.length > 40 ? `${characters.slice(0, 40).join("")}…` : characters.join("");
}
