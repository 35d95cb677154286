import type { Profile } from "../lib/types";

// Plan is how a receiver verifies, as far as there is ready code for it.
export type Plan =
  | { kind: "none" }
  | { kind: "single"; header: string; hash: "sha256" | "sha512"; encoding: "hex" | "base64"; prefix: string }
  | { kind: "timestamped"; header: string; hash: "sha256" | "sha512"; encoding: "hex" | "base64" }
  | { kind: "standard" };

// planOf reads the profile's signatures; undefined when none of them has ready code.
export function planOf(p: Profile): Plan | undefined {
  for (const s of p.signatures) {
    const header = s.headers[0] ?? "", hash = s.hash ?? "sha256", encoding = s.encoding ?? "hex";
    if (s.scheme === "none") return { kind: "none" };
    if (s.scheme === "standard_webhooks" && s.version !== "v1a") return { kind: "standard" };
    if (s.scheme === "hmac" && s.form === "timestamped" && s.signs === "{timestamp}.{body}") return { kind: "timestamped", header, hash, encoding };
    if (s.scheme === "hmac" && s.form !== "timestamped" && s.signs === "{body}") return { kind: "single", header, hash, encoding, prefix: s.prefix ?? "" };
  }
  return undefined;
}

export interface Language {
  name: string;
  label: string;
  file: string;
  run: string;
  write(p: Plan): string;
}

// tidy takes the blank lines away that parts which are left out leave behind.
export function tidy(text: string): string {
  return text.replace(/^\n+/, "").replace(/\n{3,}/g, "\n\n").trimEnd() + "\n";
}
