import { call, list } from "../lib/api";
import { useLoad, usePages } from "../lib/load";
import { amend, place } from "../lib/route";
import { of, useAccount } from "../lib/session";
import { ms } from "../lib/text";
import type { Attempt, Endpoint } from "../lib/types";
import { OutcomeBadge, outcomeWords } from "../ui/badge";
import { Icon } from "../ui/icons";
import { Button, Select } from "../ui/parts";
import { Empty, ErrorState, More, NoMatch, Skeleton } from "../ui/states";
import { Id, Text, Time } from "../ui/text";
import { AttemptDetail } from "./attempt";

const ages = new Map<string, [string, number]>(Object.entries({ "1h": ["Last hour", 3600e3], "24h": ["Last 24 hours", 86400e3], "7d": ["Last 7 days", 604800e3], "30d": ["Last 30 days", 2592000e3] }));

// Logs are the attempts of all endpoints of the account.
export function Logs() {
  const account = useAccount();
  const endpoints = useLoad((abort) => list<Endpoint>(of(account, "endpoints"), { limit: 250 }, abort), [account.tenant.id]);
  return (
    <>
      <div class="pagehead"><div><h1>Logs</h1><p>Every attempt, with what was sent and what came back.</p></div></div>
      <AttemptLog endpoints={endpoints.data?.data ?? []} />
    </>
  );
}

export const LogsOf = ({ endpoint }: { endpoint: Endpoint }) => <AttemptLog endpoints={[endpoint]} only={endpoint} />;

function AttemptLog({ endpoints, only }: { endpoints: Endpoint[]; only?: Endpoint }) {
  const account = useAccount();
  const q = place.value.query;
  const filters = { outcome: q["outcome"], event_type: q["type"], event_id: q["event"], endpoint_id: only?.id ?? q["endpoint"] };
  const age = ages.get(q["age"] ?? "")?.[1];
  const from = q["from"] ?? (age ? new Date(Math.floor((Date.now() - age) / 60000) * 60000).toISOString() : undefined);
  const pages = usePages<Attempt>(async (cursor, abort) => {
    // By type a page may end early: go on until there is something to show.
    for (let at = cursor; ; ) {
      const p = await list<Attempt>(of(account, "attempts"), { ...filters, from, to: q["to"], limit: 50, cursor: at }, abort);
      if (p.data.length > 0 || !p.next_cursor) return p;
      at = p.next_cursor;
    }
  }, [account.tenant.id, filters, q["age"], q["from"], q["to"]]);
  const filtered = !!(q["outcome"] || q["type"] || q["event"] || q["age"] || q["from"] || q["to"] || (!only && q["endpoint"]));
  const clear = () => amend({ outcome: "", type: "", event: "", age: "", from: "", to: "", endpoint: "" });
  const open = q["attempt"];
  const urls = new Map(endpoints.map((e) => [e.id, e.url]));
  return (
    <div class={open ? "split open" : "split"}>
      <div class="card">
        <Filters endpoints={only ? [] : endpoints} filtered={filtered} clear={clear} reload={pages.reload} loading={pages.loading} />
        {pages.error && !pages.items ? <ErrorState error={pages.error} retry={pages.reload} />
          : !pages.items ? <Skeleton rows={8} />
          : pages.items.length === 0 ? (filtered ? <NoMatch what="attempts" clear={clear} /> : (
            <Empty icon="list" title="No attempts yet">As soon as an event is sent, each attempt stands here with its request and response.</Empty>
          )) : (
            <ul class="log">
              {pages.items.map((a) => (
                <li key={a.id} class={a.id === open ? "at" : ""}>
                  <span class="logbadge"><OutcomeBadge of={a.outcome} status={a.response?.status} /></span>
                  <div class="grow">
                    <a class="rowlink clip" href={location.hash} aria-current={a.id === open ? "true" : undefined} onClick={(e) => { e.preventDefault(); amend({ attempt: a.id }); }}><Text of={a.event_type} /></a>
                    <div class="small faint clip">{only ? <Id of={a.event_id} /> : <Text of={urls.get(a.endpoint_id) ?? a.request.url} />}</div>
                  </div>
                  <span class="logmark small faint">{a.trigger === "test" ? "test" : a.trigger === "resend" ? `replay · ${a.number}` : a.number > 1 ? `attempt ${a.number}` : ""}</span>
                  <span class="number small soft logtook">{ms(Date.parse(a.finished_at) - Date.parse(a.started_at))}</span>
                  <span class="number small soft logtime"><Time at={a.finished_at} /></span>
                </li>
              ))}
            </ul>
          )}
        <More more={pages.more} loading={pages.loading} />
      </div>
      {open && <aside class="card detail" aria-label="Attempt"><Detail id={open} known={pages.items?.find((a) => a.id === open)} /></aside>}
    </div>
  );
}

// Detail shows an attempt of the list, or one that an address names.
function Detail({ id, known }: { id: string; known?: Attempt }) {
  const account = useAccount();
  const loaded = useLoad<Attempt>((abort) => (known ? Promise.resolve(known) : call("GET", of(account, "attempts", id), undefined, abort)), [id]);
  const close = <button type="button" class="iconbutton" aria-label="Close" onClick={() => amend({ attempt: "" })}><Icon name="cross" /></button>;
  if (!loaded.data) return <><header class="row spread"><h2>Attempt</h2>{close}</header>{loaded.error ? <ErrorState error={loaded.error} retry={loaded.reload} /> : <Skeleton />}</>;
  return <AttemptDetail attempt={loaded.data} close={close} />;
}

function Filters({ endpoints, filtered, clear, reload, loading }: { endpoints: Endpoint[]; filtered: boolean; clear: () => void; reload: () => void; loading: boolean }) {
  const { profile } = useAccount();
  const q = place.value.query;
  const outcomes: [string, string][] = [["", "Any outcome"], ["failed", "Failed"], ...Object.entries(outcomeWords)];
  const types = profile.event_types.map((t): [string, string] => [t.name, t.name]);
  if (q["type"] && !types.some(([n]) => n === q["type"])) types.unshift([q["type"], q["type"]]);
  return (
    <div class="filters" role="search">
      <Select label="Outcome" value={q["outcome"] ?? ""} options={outcomes} change={(outcome) => amend({ outcome })} />
      <Select label="Event type" value={q["type"] ?? ""} options={[["", "Any event type"], ...types]} change={(type) => amend({ type })} />
      {endpoints.length > 1 && <Select label="Endpoint" value={q["endpoint"] ?? ""} options={[["", "Any endpoint"], ...endpoints.map((e): [string, string] => [e.id, e.url])]} change={(endpoint) => amend({ endpoint })} />}
      <Select label="Time" value={q["age"] ?? ""} options={[["", "Any time"], ...[...ages].map(([k, v]): [string, string] => [k, v[0]])]} change={(age) => amend({ age, from: "", to: "" })} />
      <div class="searchbox">
        <Icon name="search" />
        <input type="search" placeholder="Event id" aria-label="Event id" value={q["event"] ?? ""} spellcheck={false} onChange={(e) => amend({ event: e.currentTarget.value.trim() })} onKeyDown={(e) => e.key === "Enter" && amend({ event: e.currentTarget.value.trim() })} />
      </div>
      {filtered && <Button kind="quiet small" onClick={clear}>Clear</Button>}
      <span class="grow" />
      <Button kind="quiet small" icon="rotate" busy={loading} onClick={reload}>Refresh</Button>
    </div>
  );
}
