// Laying JSON out by its tokens: numbers, escapes and order stay as they came, which parsing and writing again would lose.

export interface Token {
  kind: "name" | "string" | "number" | "word" | "mark" | "space";
  text: string;
}

const lexeme = /\s+|"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|[{}[\],:]/gy;

// layOut indents by two. undefined when the text is not JSON.
export function layOut(text: string): Token[] | undefined {
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  const out: Token[] = [];
  const open: string[] = [];
  let empty = false; // the bracket just opened has nothing in it yet
  const line = () => out.push({ kind: "space", text: "\n" + "  ".repeat(open.length) });
  for (const [t] of text.matchAll(lexeme)) {
    if (/^\s/.test(t)) continue;
    if (t === "}" || t === "]") {
      open.pop();
      if (!empty) line();
      empty = false;
      out.push({ kind: "mark", text: t });
      continue;
    }
    if (empty) line();
    empty = false;
    switch (t) {
      case "{":
      case "[":
        out.push({ kind: "mark", text: t });
        open.push(t);
        empty = true;
        break;
      case ",":
        out.push({ kind: "mark", text: t });
        line();
        break;
      case ":":
        name(out);
        out.push({ kind: "mark", text: ": " });
        break;
      default:
        out.push({ kind: t[0] === '"' ? "string" : /[-\d]/.test(t[0]!) ? "number" : "word", text: t });
    }
  }
  return out;
}

function name(out: Token[]): void {
  const last = out[out.length - 1];
  if (last) last.kind = "name";
}

export function pretty(text: string): string {
  return layOut(text)?.map((t) => t.text).join("") ?? text;
}
