/** Floor 6: colours, where there is a terminal that wants them. */
import { styleText } from "node:util";

/** What this program reads of a stream it writes to. */
export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export type Style = "bold" | "dim" | "green" | "red";

/** Styles a text, or leaves it as it is. */
export type Paint = (style: Style, text: string) => string;

export const plain: Paint = (_, text) => text;

/** Whether `output` is a terminal whose owner has not asked for plain text. @see https://no-color.org */
export function isRich(output: Output, environment: Readonly<Record<string, string | undefined>>): boolean {
  return output.isTTY === true && !environment.NO_COLOR && environment.TERM !== "dumb";
}

// Whether to paint is decided above, so styleText is not to decide it again for another stream.
export const colours: Paint = (style, text) => styleText(style, text, { validateStream: false });
