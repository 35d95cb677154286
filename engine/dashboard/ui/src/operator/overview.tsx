import { useState } from "preact/hooks";
import { call, fetchAs, list, path, query } from "../lib/api";
import { useLoad } from "../lib/load";
import { href } from "../lib/route";
import { count, ms, percent, plural, span } from "../lib/text";
import { now } from "../lib/time";
import type { Endpoint, LogStatus, SystemStats, TransportStatus } from "../lib/types";
import { Bars } from "../ui/bars";
import { Badge } from "../ui/badge";
import { Fact, Facts, Segments } from "../ui/parts";
import { ErrorState, Skeleton } from "../ui/states";
import { Id, Text } from "../ui/text";

const spans = { "1h": ["Last hour", 3600e3, 120e3], "24h": ["24 hours", 86400e3, 1800e3], "7d": ["7 days", 604800e3, 21600e3] } as const;
type Span = keyof typeof spans;

export function Overview() {
  const [at, setAt] = useState<Span>("1h");
  const [, length, step] = spans[at];
  const stats = useLoad<SystemStats>((abort) => call("GET", path("stats") + query({ from: new Date(Date.now() - length).toISOString(), step: step / 1000 + "s" }), undefined, abort), [at], 5000);
  const s = stats.data;
  return (
    <>
      <div class="pagehead"><h1>Overview</h1><Segments label="Span" at={at} options={Object.entries(spans).map(([k, v]) => [k as Span, v[0]])} choose={setAt} /></div>
      {!s ? <div class="card">{stats.error ? <ErrorState error={stats.error} retry={stats.reload} /> : <Skeleton />}</div> : (
        <div class="stack">
          <Trouble stats={s} />
          <section class="card" aria-label="Deliveries">
            <div class="body stack"><Figures stats={s} length={length} />{s.success_rate === null ? <p class="small faint">No attempts in this time.</p> : <Bars steps={s.steps ?? []} />}
              {!s.complete && <p class="small faint">Only the newest attempts are counted: there were too many to look at all.</p>}</div>
          </section>
          <div class="columns">
            <Worst stats={s} />
            <System />
          </div>
        </div>
      )}
    </>
  );
}

function Figures({ stats: s, length }: { stats: SystemStats; length: number }) {
  const a = s.attempts;
  const failed = a.rejected + a.unreachable + a.timed_out + a.gone;
  const second = ((a.acknowledged + failed) / length) * 1000;
  const rate = second >= 1 ? `${second < 10 ? second.toFixed(1) : Math.round(second)} a second` : `${(second * 60).toFixed(1)} a minute`;
  const oldest = s.oldest_pending_at ? now.value - Date.parse(s.oldest_pending_at) : 0;
  return (
    <div class="figures wide">
      <div><span>Attempts</span><b>{count(a.acknowledged + failed)}</b><small>{rate}</small></div>
      <div><span>Success</span><b>{s.success_rate === null ? "–" : percent(s.success_rate)}</b><small class={failed ? "badtext" : ""}>{count(failed)} failed</small></div>
      <div><span>p50</span><b>{s.latency_ms ? ms(s.latency_ms.p50) : "–"}</b></div>
      <div><span>p95</span><b>{s.latency_ms ? ms(s.latency_ms.p95) : "–"}</b></div>
      <div><span>p99</span><b>{s.latency_ms ? ms(s.latency_ms.p99) : "–"}</b></div>
      <div><span>Backlog</span><b>{count(s.backlog)}</b><small>{s.oldest_pending_at ? "oldest " + span(Math.max(0, oldest)) : "nothing waits"}</small></div>
    </div>
  );
}

// Trouble says first what somebody should look at.
function Trouble({ stats: s }: { stats: SystemStats }) {
  const { disabled, suppressed, enabled } = s.endpoints;
  const low = useLoad(async (abort) => /^hookline_disk_low 1$/m.test(await (await fetchAs("/metrics", { signal: abort })).text()), [], 15000);
  return (
    <div class="row">
      {low.data && <Badge tone="bad" icon="alert" word="Disk low: nothing is accepted" />}
      <Badge tone="good" icon="check" word={plural(enabled, "endpoint") + " enabled"} />
      {disabled > 0 && <Badge tone="bad" icon="pause" word={count(disabled) + " disabled"} />}
      {suppressed > 0 && <Badge tone="warn" icon="alert" word={count(suppressed) + " suppressed"} />}
    </div>
  );
}

function Worst({ stats: s }: { stats: SystemStats }) {
  const most = Math.max(1, ...s.worst.map((w) => w.failed));
  return (
    <section class="card" aria-label="Endpoints with the most failed attempts">
      <header><h2>Most failed attempts</h2></header>
      {s.worst.length === 0 ? <div class="body"><p class="soft">No attempt failed in this time.</p></div> : (
        <div class="scroll"><table class="table">
          <thead><tr><th>Tenant</th><th>Endpoint</th><th class="number">Failed</th><th><span class="sr">Share</span></th></tr></thead>
          <tbody>{s.worst.map((w) => (
            <tr key={w.endpoint_id}>
              <td><Text of={w.tenant} /></td>
              <td><a class="mono" href={href(["tenants", w.tenant, "endpoints", w.endpoint_id, "logs"], { outcome: "failed" })}><Address tenant={w.tenant} id={w.endpoint_id} /></a></td>
              <td class="number">{count(w.failed)}</td>
              <td class="share"><div><i style={{ width: (w.failed / most) * 100 + "%" }} /></div></td>
            </tr>
          ))}</tbody>
        </table></div>
      )}
    </section>
  );
}

// Address is an endpoint's, or its id where it is deleted.
function Address({ tenant, id }: { tenant: string; id: string }) {
  const loaded = useLoad<Endpoint>((abort) => call("GET", path("tenants", tenant, "endpoints", id), undefined, abort), [tenant, id]);
  return loaded.data ? <Text of={loaded.data.url} /> : <Id of={id} short />;
}

function System() {
  const log = useLoad<LogStatus>((abort) => call("GET", path("log", "status"), undefined, abort), [], 5000);
  const transports = useLoad((abort) => list<TransportStatus>(path("transports"), {}, abort), [], 5000);
  return (
    <section class="card" aria-label="System">
      <header><h2>System</h2></header>
      <div class="body">
        <Facts>
          {log.data && <><Fact name="Log head">seq {count(log.data.head_seq)}</Fact>
            {Object.entries(log.data.views).map(([name, seq]) => {
              const behind = Math.max(0, log.data!.head_seq - seq);
              return <Fact key={name} name={"View " + name}>{behind === 0 ? "up to date" : <span class={behind > 10000 ? "badtext" : ""}>{plural(behind, "record")} behind</span>}</Fact>;
            })}</>}
          {transports.data?.data.map((t) => (
            <Fact key={t.name} name={"Transport " + t.name}>
              <span class="row"><Badge tone={t.state === "running" ? "good" : "warn"} icon={t.state === "running" ? "check" : "alert"} word={t.state} /><span class="small soft">{count(t.in_flight)} in flight{t.held > 0 && `, ${t.held} held`}{t.restarts > 0 && `, ${plural(t.restarts, "restart")}`}</span></span>
              {t.last_error && <div class="small badtext wrap"><Text of={t.last_error} /></div>}
            </Fact>
          ))}
        </Facts>
      </div>
    </section>
  );
}
