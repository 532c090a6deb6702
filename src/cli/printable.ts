/** Floor 6: texts from files and arguments, so that they neither steer a terminal nor fill it. */

/** Without characters that a terminal obeys instead of showing. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, "�");
}

/** Printable, and of more than 40 characters the first 24 and the last 16: long names often differ at their end. */
export function shortened(text: string): string {
  const characters = [...printable(text)];
  if (characters.length <= 40) return characters.join("");
  return `${characters.slice(0, 24).join("")}…${characters.slice(-16).join("")}`;
}
