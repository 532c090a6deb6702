/** Floor 3: numbers as people write them, scanned from left to right: no regular expression meets untrusted text. */

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;

/**
 * Whether a text is a decimal number, as a scan from left to right.
 *
 *     [+ −] (digits [. [digits]] | . digits) [(e | E) [+ −] digits]
 */
export function isDecimal(text: string): boolean {
  let at = 0;
  const sign = (): void => {
    if (text[at] === "+" || text[at] === "-") at++;
  };
  const digits = (): number => {
    const start = at;
    while (at < text.length && isDigit(text.charCodeAt(at))) at++;
    return at - start;
  };
  sign();
  let mantissa = digits();
  if (text[at] === ".") {
    at++;
    mantissa += digits();
  }
  if (mantissa === 0) return false;
  if (text[at] === "e" || text[at] === "E") {
    at++;
    sign();
    if (digits() === 0) return false;
  }
  return at === text.length;
}

/** Whether a text is a whole number as a program counts: digits without a leading zero. */
export function isWholeNumeral(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (!isDigit(text.charCodeAt(i))) return false;
  return text.length === 1 || text[0] !== "0";
}
