import { useState } from "preact/hooks";
import { call, query } from "../lib/api";
import { useAction, useLoad } from "../lib/load";
import { go, href } from "../lib/route";
import { of, useAccount } from "../lib/session";
import { count, ms, percent, wait } from "../lib/text";
import type { Endpoint, Stats } from "../lib/types";
import { Bars } from "../ui/bars";
import { outcomeWords } from "../ui/badge";
import { Icon } from "../ui/icons";
import { Button, Dialog, Fact, Facts, FaultNote, Segments } from "../ui/parts";
import { Id, Text, Time } from "../ui/text";
import { Secret } from "./secret";

export function Overview({ endpoint: e, changed }: { endpoint: Endpoint; changed: (e: Endpoint) => void }) {
  const account = useAccount();
  const base = [...account.base, "endpoints", e.id];
  return (
    <div class="columns">
      <div class="stack">
        <Health endpoint={e} />
        <section class="card" aria-label="Settings">
          <header><h2>Settings</h2>{account.manages && <a class="button small" href={href([...base, "edit"])}><Icon name="pencil" />Edit</a>}</header>
          <div class="body">
            <Facts>
              <Fact name="Events">{e.event_types === null ? "Several subscriptions" : e.event_types.includes("*") ? "All events" : <span class="tags">{e.event_types.map((t) => <span class="tag" key={t}><Text of={t} /></span>)}</span>}</Fact>
              {e.filter && <Fact name="Filter"><code><Text of={e.filter} /></code></Fact>}
              <Fact name="Headers">{Object.keys(e.headers ?? {}).length ? Object.entries(e.headers!).map(([k, v]) => <div key={k}><code class="faint"><Text of={k} />:</code> <code><Text of={v} /></code></div>) : <span class="faint">none of its own</span>}</Fact>
              <Fact name="Attempts"><Schedule endpoint={e} /></Fact>
              <Fact name="Added"><Time at={e.created_at} /></Fact>
              <Fact name="Id"><Id of={e.id} /></Fact>
            </Facts>
          </div>
        </section>
      </div>
      <div class="stack">
        <Secret endpoint={e} changed={changed} />
        {account.manages && <Switches endpoint={e} changed={changed} />}
      </div>
    </div>
  );
}

function Schedule({ endpoint: e }: { endpoint: Endpoint }) {
  const { profile } = useAccount();
  const waits = e.schedule ?? profile.schedule;
  return <>Up to {waits.length + 1}: at once, then after {waits.map(wait).join(", ")}; each has {wait(e.timeout ?? profile.timeout)}</>;
}

const spans = { "1h": ["1 h", 3600e3, "2m"], "24h": ["24 h", 86400e3, "30m"], "7d": ["7 d", 604800e3, "6h"] } as const;
type Span = keyof typeof spans;

function Health({ endpoint: e }: { endpoint: Endpoint }) {
  const account = useAccount();
  const [span, setSpan] = useState<Span>("24h");
  const loaded = useLoad<Stats>((abort) => {
    const [, length, step] = spans[span];
    return call("GET", of(account, "endpoints", e.id, "stats") + query({ from: new Date(Date.now() - length).toISOString(), step }), undefined, abort);
  }, [e.id, span, e.status], 15000);
  const s = loaded.data;
  const failed = s ? s.attempts.rejected + s.attempts.unreachable + s.attempts.timed_out + s.attempts.gone : 0;
  return (
    <section class="card" aria-label="Health">
      <header><h2>Health</h2><Segments label="Span" options={Object.entries(spans).map(([k, v]) => [k as Span, v[0]])} at={span} choose={setSpan} /></header>
      <div class="body stack">
        {loaded.error && !s && <FaultNote error={loaded.error} />}
        <div class="figures">
          <div><span>Success</span><b>{s ? (s.success_rate === null ? "–" : percent(s.success_rate)) : " "}</b></div>
          <div><span>Attempts</span><b>{s ? count(s.attempts.acknowledged + failed) : " "}</b></div>
          <div><span>Failed</span><b class={failed ? "bad" : ""}>{s ? count(failed) : " "}</b></div>
          <div><span>Median answer</span><b>{s ? (s.latency_ms ? ms(s.latency_ms.p50) : "–") : " "}</b></div>
          <div><span>95 % within</span><b>{s ? (s.latency_ms ? ms(s.latency_ms.p95) : "–") : " "}</b></div>
          <div><span>Waiting</span><b>{s ? count(s.backlog) : " "}</b>{s?.oldest_pending_at && <small>oldest <Time at={s.oldest_pending_at} /></small>}</div>
        </div>
        {s?.steps && (s.success_rate === null ? <p class="small faint">No attempts in this time.</p> : <Bars steps={s.steps} />)}
        {s?.last_attempt && <p class="small soft">Last attempt <Time at={s.last_attempt.finished_at} />: {outcomeWords[s.last_attempt.outcome].toLowerCase()}.{!s.complete && " Only the newest attempts are counted."}</p>}
      </div>
    </section>
  );
}

function Switches({ endpoint: e, changed }: { endpoint: Endpoint; changed: (e: Endpoint) => void }) {
  const account = useAccount();
  const [asking, ask] = useState(false);
  const disable = useAction(async () => changed(await call<Endpoint>("POST", of(account, "endpoints", e.id) + ":disable")));
  const remove = useAction(async () => {
    await call("DELETE", of(account, "endpoints", e.id));
    go([...account.base, "endpoints"]);
  });
  return (
    <section class="card" aria-label="Switch off">
      <header><h2>Switch off</h2></header>
      {e.status !== "disabled" && (
        <div class="body row spread"><div class="grow"><b class="small">Disable</b><p class="small soft">Nothing is sent until it is enabled again. Events are kept.</p></div><Button kind="small" icon="pause" busy={disable.busy} onClick={() => void disable.run()}>Disable</Button></div>
      )}
      <div class="body row spread"><div class="grow"><b class="small">Delete</b><p class="small soft">For good. What is waiting for it is canceled; its logs stay.</p></div><Button kind="small danger" icon="trash" onClick={() => ask(true)}>Delete</Button></div>
      <FaultNote error={disable.error} />
      {asking && (
        <Dialog title="Delete this endpoint?" close={() => ask(false)}>
          <p class="wrap">Nothing more is sent to <code><Text of={e.url} /></code>, and deliveries that are waiting for it are canceled. This cannot be undone.</p>
          <FaultNote error={remove.error} />
          <footer><Button onClick={() => ask(false)}>Keep it</Button><Button kind="danger fill" busy={remove.busy} onClick={() => void remove.run()}>Delete endpoint</Button></footer>
        </Dialog>
      )}
    </section>
  );
}
