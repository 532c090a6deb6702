/** Floor 3: texts from files, as messages quote them. */

/** A text as messages quote it: on one line, and not longer than one. */
export const shown = (text: string): string =>
  JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
