import { useMemo, useState } from "preact/hooks";
import { layOut } from "../lib/json";
import { bytes } from "../lib/text";
import type { Attempt, Body, Headers, Timings } from "../lib/types";
import { ms } from "../lib/text";
import { kindWords } from "./badge";
import { Copy, Text } from "./text";
import { Segments } from "./parts";

const most = 64 << 10; // beyond this a body is not coloured

// Code is JSON, coloured, or whatever text there is.
export function Code({ text, label }: { text: string; label: string }) {
  const tokens = useMemo(() => (text.length <= most ? layOut(text) : undefined), [text]);
  return (
    <pre class="code" tabIndex={0} aria-label={label}>
      {tokens ? tokens.map((t) => (t.kind === "space" || t.kind === "mark" ? t.text : <span class={"t-" + t.kind}><Text of={t.text} /></span>)) : <Text of={text} />}
    </pre>
  );
}

function HeaderTable({ of, marked }: { of: Headers; marked: string[] }) {
  const names = Object.keys(of).sort();
  if (!names.length) return <p class="nothing">No headers</p>;
  return (
    <dl class="headers">
      {names.flatMap((name) => of[name]!.map((value, i) => (
        <div key={name + i} class={marked.includes(name) ? "marked" : ""}><dt><Text of={name} /></dt><dd><Text of={value} /></dd></div>
      )))}
    </dl>
  );
}

function BodyView({ of, label, truncated }: { of: Body; label: string; truncated?: boolean }) {
  const [raw, setRaw] = useState<"pretty" | "raw">("pretty");
  const text = of.body ?? (of.body_base64 !== undefined ? of.body_base64 : "");
  const json = useMemo(() => of.body !== undefined && text.length <= most && layOut(text) !== undefined, [text]);
  if (!text) return <p class="nothing">No body</p>;
  return (
    <div class="bodyview">
      <div class="bodyhead">
        <span class="faint small">{of.body === undefined ? "Not text: shown in base64" : bytes(new Blob([text]).size)}{truncated && ", kept to 64 KiB"}</span>
        <span class="row">
          {json && <Segments label={label + ", form"} options={[["pretty", "Laid out"], ["raw", "As sent"]]} at={raw} choose={setRaw} />}
          <Copy text={text} quiet />
        </span>
      </div>
      {json && raw === "pretty" ? <Code text={text} label={label} /> : <pre class="code raw" tabIndex={0} aria-label={label}><Text of={text} /></pre>}
    </div>
  );
}

// Exchange shows request and response side by side.
export function Exchange({ attempt: a, signed }: { attempt: Attempt; signed: string[] }) {
  return (
    <div class="exchange">
      <section aria-label="Request">
        <h3>Request</h3>
        <p class="line"><b>{a.request.method}</b> <span class="wrap"><Text of={a.request.url} /></span></p>
        <HeaderTable of={a.request.headers} marked={signed} />
        <BodyView of={a.request} label="Request body" />
      </section>
      <section aria-label="Response">
        <h3>Response</h3>
        {a.response ? (
          <>
            <p class="line"><b class={a.outcome === "acknowledged" ? "good" : "bad"}>{a.response.status}</b> {statusText(a.response.status)}</p>
            <HeaderTable of={a.response.headers} marked={[]} />
            <BodyView of={a.response} label="Response body" truncated={a.response.truncated} />
          </>
        ) : (
          <>
            <p class="line"><b class="bad">No response</b></p>
            <p class="nothing">{kindWords(a)}{a.error && <><br /><code class="wrap"><Text of={a.error} /></code></>}</p>
          </>
        )}
      </section>
    </div>
  );
}

const stages: [keyof Timings, string][] = [["dns", "DNS"], ["connect", "Connect"], ["tls", "TLS"], ["wait", "Wait for answer"], ["body", "Read body"]];

// TimingBar shows where the time of an attempt went; the same as words beside it.
export function TimingBar({ of }: { of: Timings }) {
  const total = stages.reduce((sum, [k]) => sum + of[k], 0);
  return (
    <figure class="timing" aria-label="Where the time went">
      <div class="timingbar" aria-hidden="true">
        {stages.map(([k], i) => of[k] > 0 && <div key={k} class={"s" + i} style={{ flexGrow: of[k] / total }} />)}
      </div>
      <ul>
        {stages.map(([k, word], i) => <li key={k}><i class={"s" + i} aria-hidden="true" />{word} <b>{ms(of[k])}</b></li>)}
      </ul>
    </figure>
  );
}

const words: Record<number, string> = {
  200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 301: "Moved Permanently", 302: "Found", 303: "See Other", 304: "Not Modified",
  307: "Temporary Redirect", 308: "Permanent Redirect", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
  405: "Method Not Allowed", 408: "Request Timeout", 409: "Conflict", 410: "Gone", 413: "Content Too Large", 415: "Unsupported Media Type",
  418: "I'm a teapot", 422: "Unprocessable Content", 425: "Too Early", 429: "Too Many Requests", 500: "Internal Server Error",
  501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
};

export function statusText(status: number): string {
  return words[status] ?? "";
}
