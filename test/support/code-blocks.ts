/**
 * Reads Markdown as far as the documents of this project use it: fenced blocks, headings, links. Knows no file system and
 * runs nothing.
 */

/** A fenced block. */
export interface CodeBlock {
  /** What follows the opening fence, such as `ts`. */
  readonly info: string;
  readonly code: string;
  /** The line of the opening fence, counted from 1. */
  readonly line: number;
}

/** Every fenced block, in order. @throws when a fence is not closed */
export function codeBlocks(markdown: string): CodeBlock[] {
  const found: CodeBlock[] = [];
  let open: { fence: string; info: string; line: number; code: string[] } | null = null;
  for (const [i, text] of markdown.split("\n").entries()) {
    if (open === null) {
      const [, fence, info] = /^(`{3,})(.*)$/.exec(text) ?? [];
      if (fence !== undefined) open = { fence, info: info.trim(), line: i + 1, code: [] };
    } else if (text === open.fence) {
      found.push({ info: open.info, code: open.code.join("\n"), line: open.line });
      open = null;
    } else {
      open.code.push(text);
    }
  }
  if (open !== null) throw new Error(`the block on line ${open.line} is never closed`);
  return found;
}

/** The lines that a block says it prints: what stands behind each `// →`. Empty when it says nothing. */
export function statedOutput(code: string): string[] {
  return code.split("\n").flatMap((line) => /\/\/ → ?(.*)$/.exec(line)?.[1] ?? []);
}

/** The text outside fenced blocks and inline code. */
export function prose(markdown: string): string {
  return markdown.replace(/^(`{3,}).*\n[\s\S]*?^\1$/gm, "").replace(/`[^`\n]*`/g, "");
}

/** The targets of all links and images, as written. */
export function links(markdown: string): string[] {
  return [...prose(markdown).matchAll(/\]\(([^()\s]+)\)/g)].map(([, target]) => target);
}

/** The headings' texts, as written. */
export function headings(markdown: string): string[] {
  const text = markdown.replace(/^(`{3,}).*\n[\s\S]*?^\1$/gm, "");
  return [...text.matchAll(/^#{1,6} +(.+?) *$/gm)].map(([, heading]) => heading);
}

/** The anchors under which GitHub offers the headings: lower case, punctuation dropped, blanks as hyphens. */
export function anchors(markdown: string): Set<string> {
  const found = new Set<string>();
  for (const heading of headings(markdown)) {
    const name = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replace(/[^\p{L}\p{M}\p{Nd}_\- ]/gu, "")
      .replaceAll(" ", "-");
    let anchor = name;
    for (let again = 1; found.has(anchor); again++) anchor = `${name}-${again}`;
    found.add(anchor);
  }
  return found;
}

/** The scripts of package.json that a text tells its reader to run. */
export function npmScripts(markdown: string): string[] {
  const named = [...markdown.matchAll(/\bnpm run (?:--silent )?([\w:.-]+)/g)].map(([, script]) => script);
  const short = [...markdown.matchAll(/\bnpm (start|test)\b/g)].map(([, script]) => script);
  return [...named, ...short];
}
