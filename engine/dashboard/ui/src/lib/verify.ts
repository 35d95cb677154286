import type { Attempt, Profile, Signature } from "./types";

export interface Verdict {
  good: boolean;
  header: string;
  text: string;
}

const text = new TextEncoder();

function fromBase64(s: string): Uint8Array<ArrayBuffer> {
  const raw = atob(s);
  const out = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) out[i] = raw.charCodeAt(i);
  return out;
}

function bodyOf(a: Attempt): Uint8Array<ArrayBuffer> {
  return a.request.body_base64 !== undefined ? fromBase64(a.request.body_base64) : text.encode(a.request.body ?? "");
}

function join(parts: (string | Uint8Array)[]): Uint8Array<ArrayBuffer> {
  const all = parts.map((p) => (typeof p === "string" ? text.encode(p) : p));
  const out = new Uint8Array(all.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of all) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

async function hmac(key: Uint8Array<ArrayBuffer>, hash: string, bytes: Uint8Array<ArrayBuffer>, encoding: string): Promise<string> {
  const k = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: hash === "sha512" ? "SHA-512" : "SHA-256" }, false, ["sign"]);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", k, bytes));
  return encoding === "base64" ? btoa(String.fromCharCode(...mac)) : [...mac].map((b) => b.toString(16).padStart(2, "0")).join("");
}

// verify checks each signature of an attempt against the present secret, as a receiver would.
export async function verify(a: Attempt, p: Profile, secret: string, publicKey: string | null): Promise<Verdict[]> {
  if (!globalThis.crypto?.subtle) return [{ good: false, header: "", text: "This browser verifies on pages served by HTTPS only." }];
  const out: Verdict[] = [];
  for (const s of p.signatures) {
    if (s.scheme === "hmac") out.push(await verifyHMAC(a, s, secret));
    if (s.scheme === "standard_webhooks") out.push(await verifyStandard(a, secret, publicKey));
  }
  return out;
}

const verdict = (good: boolean, header: string): Verdict => ({
  good, header,
  text: good ? "matches the present secret and the bytes that were sent" : "does not match the present secret; if the secret was changed after this attempt, that is why",
});

async function verifyHMAC(a: Attempt, s: Signature, secret: string): Promise<Verdict> {
  const name = s.headers[0] ?? "";
  const got = a.request.headers[name]?.[0];
  if (got === undefined) return { good: false, header: name, text: "was not sent" };
  const given = s.form === "timestamped" ? Object.fromEntries(got.split(",").map((part) => part.split("=", 2) as [string, string])) : {};
  const timestamp = given["t"] ?? Object.entries(a.request.headers).find(([n]) => n.endsWith("timestamp"))?.[1][0] ?? "";
  const parts = (s.signs ?? "{body}").split(/(\{\w+\})/).map((part) => ({ "{body}": bodyOf(a), "{timestamp}": timestamp, "{id}": a.event_id, "{type}": a.event_type })[part] ?? part);
  const want = await hmac(text.encode(secret), s.hash ?? "sha256", join(parts), s.encoding ?? "hex");
  if (s.form === "timestamped") return verdict(got.split(",").includes("v1=" + want), name);
  return verdict(got === (s.prefix ?? "") + want, name);
}

async function verifyStandard(a: Attempt, secret: string, publicKey: string | null): Promise<Verdict> {
  const name = "webhook-signature";
  const h = (n: string) => a.request.headers[n]?.[0] ?? "";
  if (!h(name)) return { good: false, header: name, text: "was not sent" };
  const signed = join([h("webhook-id"), ".", h("webhook-timestamp"), ".", bodyOf(a)]);
  const given = h(name).split(" ");
  if (publicKey) {
    const key = await crypto.subtle.importKey("raw", fromBase64(publicKey.replace(/^whpk_/, "")), "Ed25519", false, ["verify"]);
    for (const g of given) if (g.startsWith("v1a,") && (await crypto.subtle.verify("Ed25519", key, fromBase64(g.slice(4)), signed))) return verdict(true, name);
    return verdict(false, name);
  }
  const base = secret.replace(/^whsec_/, "");
  const key = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(base) && base ? fromBase64(base) : text.encode(secret);
  return verdict(given.includes("v1," + (await hmac(key, "sha256", signed, "base64"))), name);
}
