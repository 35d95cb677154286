import { fetchAs } from "./api";
import { query } from "./api";
import type { LogRecord } from "./types";

export type StreamState = "connecting" | "live" | "waiting" | "refused";

// follow reads records as they become durable and comes back with the last seq when the connection breaks: without a gap
// and without a duplicate. Records arrive in batches, at most one an animation frame, so that many of them stay smooth.
// The function that is returned ends it.
export function follow(filter: { tenant?: string; type?: string }, take: (batch: LogRecord[]) => void, tell: (s: StreamState, why?: string) => void): () => void {
  const end = new AbortController();
  let last = "", batch: LogRecord[] = [], frame = 0;
  const flush = () => {
    frame = 0;
    const b = batch;
    batch = [];
    take(b);
  };
  const got = (r: LogRecord) => {
    batch.push(r);
    frame ||= requestAnimationFrame(flush);
  };
  const run = async () => {
    for (let wait = 500; !end.signal.aborted; wait = Math.min(wait * 2, 10000)) {
      tell("connecting");
      try {
        const response = await fetchAs("/v1/stream" + query(filter), { signal: end.signal }, last ? { "Last-Event-ID": last } : {});
        if (!response.ok || !response.body) {
          const p = (await response.json().catch(() => ({}))) as { detail?: string };
          if (response.status >= 400 && response.status < 500 && response.status !== 429) return tell("refused", p.detail);
          throw new Error(p.detail);
        }
        tell("live");
        wait = 250;
        await messages(response.body, (id, data) => {
          last = id || last;
          if (data) got(JSON.parse(data) as LogRecord);
        });
      } catch (e) {
        if (end.signal.aborted) return;
      }
      tell("waiting");
      await new Promise((r) => setTimeout(r, wait));
    }
  };
  void run();
  return () => {
    end.abort();
    cancelAnimationFrame(frame);
  };
}

// messages cuts a body into server-sent events.
async function messages(body: ReadableStream<Uint8Array>, each: (id: string, data: string) => void): Promise<void> {
  const reader = body.pipeThrough(new TextDecoderStream() as unknown as ReadableWritablePair<string, Uint8Array>).getReader();
  let rest = "", id = "", data = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      if (line === "") {
        each(id, data);
        id = data = "";
      } else if (line.startsWith("id:")) id = line.slice(3).trim();
      else if (line.startsWith("data:")) data += line.slice(5).trim();
    }
  }
}
