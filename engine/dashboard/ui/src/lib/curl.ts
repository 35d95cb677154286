import type { Attempt } from "./types";

const quote = (s: string) => "'" + s.replaceAll("'", "'\\''") + "'";

// What curl sets itself, or what belongs to the connection.
const own = new Set(["content-length", "host", "connection", "accept-encoding"]);

// curlOf repeats an attempt's request on a command line, byte for byte.
export function curlOf(a: Attempt): string {
  const lines = [`curl --request ${a.request.method} ${quote(a.request.url)}`];
  for (const [name, values] of Object.entries(a.request.headers)) {
    if (own.has(name)) continue;
    for (const v of values) lines.push(`--header ${quote(v === "" ? name + ";" : name + ": " + v)}`);
  }
  if (a.request.body_base64 !== undefined) {
    return `echo ${quote(a.request.body_base64)} | base64 -d | ` + [...lines, "--data-binary @-"].join(" \\\n  ");
  }
  if (a.request.body) lines.push(`--data-raw ${quote(a.request.body)}`);
  return lines.join(" \\\n  ");
}
