// Text of others is hostile: it is only ever shown as text, and what would be invisible or turn the writing direction is
// shown as what it is.

const names: Record<number, string> = {
  0x00: "NUL", 0x07: "BEL", 0x08: "BS", 0x0b: "VT", 0x0c: "FF", 0x0d: "CR", 0x1b: "ESC", 0x7f: "DEL",
  0xad: "SHY", 0x61c: "ALM", 0x200b: "ZWSP", 0x200c: "ZWNJ", 0x200d: "ZWJ", 0x200e: "LRM", 0x200f: "RLM",
  0x2028: "LS", 0x2029: "PS", 0x202a: "LRE", 0x202b: "RLE", 0x202c: "PDF", 0x202d: "LRO", 0x202e: "RLO",
  0x2060: "WJ", 0x2066: "LRI", 0x2067: "RLI", 0x2068: "FSI", 0x2069: "PDI", 0xfeff: "BOM",
};

// Control characters but tab and newline, what steers the direction, what has no width, line separators, tags and lone
// halves of pairs.
const unseen = /[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|\p{Cs}/gu;

export interface Mark {
  code: string; // U+202E
  name: string; // RLO
}

export type Piece = string | Mark;

// pieces cuts text where something unseen stands.
export function pieces(text: string): Piece[] {
  const out: Piece[] = [];
  let from = 0;
  for (const m of text.matchAll(unseen)) {
    if (m.index > from) out.push(text.slice(from, m.index));
    const n = m[0].codePointAt(0)!;
    const code = "U+" + n.toString(16).toUpperCase().padStart(4, "0");
    out.push({ code, name: names[n] ?? code });
    from = m.index + m[0].length;
  }
  if (from < text.length) out.push(text.slice(from));
  return out;
}

export function bytes(n: number): string {
  if (n < 1000) return n + " B";
  return n < 1e6 ? (n / 1024).toFixed(1) + " KiB" : (n / 1048576).toFixed(1) + " MiB";
}

export function count(n: number): string {
  return n.toLocaleString("en");
}

export function plural(n: number, one: string, many = one + "s"): string {
  return count(n) + " " + (n === 1 ? one : many);
}

export function percent(share: number): string {
  if (share === 1) return "100 %";
  const p = share * 100;
  return (p > 99 ? Math.floor(p * 100) / 100 : Math.floor(p * 10) / 10) + " %";
}

export function ms(n: number): string {
  if (n < 1) return n === 0 ? "0 ms" : "<1 ms";
  if (n < 1000) return Math.round(n) + " ms";
  return n < 60000 ? (n / 1000).toFixed(n < 10000 ? 2 : 1) + " s" : span(n);
}

// span is a length of time in words, its two largest parts.
export function span(n: number): string {
  const s = Math.round(n / 1000);
  const parts: [number, string][] = [[Math.floor(s / 86400), "d"], [Math.floor(s / 3600) % 24, "h"], [Math.floor(s / 60) % 60, "min"], [s % 60, "s"]];
  const first = parts.findIndex(([v]) => v > 0);
  if (first < 0) return "0 s";
  return parts.slice(first, first + 2).filter(([v]) => v > 0).map(([v, u]) => v + " " + u).join(" ");
}

// wait shows a Go duration without its zeros: 24h0m0s is 24h.
export function wait(duration: string): string {
  return duration.replace(/(\d+h)0m0s$/, "$1").replace(/(\d+[hm]|^)(\d+m)0s$/, "$1$2");
}
