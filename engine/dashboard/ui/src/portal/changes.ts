import type { Attempt, Headers } from "../lib/types";

// Headers that differ each time and say nothing.
const idle = new Set(["date", "webhook-timestamp", "webhook-signature", "x-request-id", "age"]);

// changes says how an attempt and its answer differ from the one before it.
export function changes(before: Attempt, a: Attempt): string[] {
  const out: string[] = [];
  if (a.outcome !== before.outcome) out.push(`outcome: ${before.outcome} → ${a.outcome}`);
  if (a.error_kind !== before.error_kind) out.push(`reason: ${before.error_kind ?? "none"} → ${a.error_kind ?? "none"}`);
  if (a.response?.status !== before.response?.status) out.push(`status: ${before.response?.status ?? "no answer"} → ${a.response?.status ?? "no answer"}`);
  if (a.request.url !== before.request.url) out.push(`address: ${before.request.url} → ${a.request.url}`);
  out.push(...headers("request header", before.request.headers, a.request.headers));
  if (a.response && before.response) {
    out.push(...headers("response header", before.response.headers, a.response.headers));
    if (a.response.body !== before.response.body || a.response.body_base64 !== before.response.body_base64) out.push("the response's body differs");
  }
  const took = (x: Attempt) => Date.parse(x.finished_at) - Date.parse(x.started_at);
  if (took(a) > 4 * took(before) + 200) out.push(`took ${took(a)} ms, ${took(before)} ms before`);
  return out;
}

function headers(what: string, before: Headers, after: Headers): string[] {
  const out: string[] = [];
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (idle.has(name)) continue;
    const b = before[name]?.join(", "), a = after[name]?.join(", ");
    if (a !== b) out.push(b === undefined ? `${what} ${name} is new` : a === undefined ? `${what} ${name} is gone` : `${what} ${name} differs`);
  }
  return out.slice(0, 6);
}
