import { call, list, query } from "../lib/api";
import { useLoad, usePages } from "../lib/load";
import { href } from "../lib/route";
import { of, useAccount } from "../lib/session";
import { percent, plural } from "../lib/text";
import type { Endpoint, Stats } from "../lib/types";
import { EndpointBadge, outcomeWords, whyBlocked } from "../ui/badge";
import { Icon } from "../ui/icons";
import { Empty, ErrorState, More, Skeleton } from "../ui/states";
import { Text, Time } from "../ui/text";

export function Endpoints() {
  const account = useAccount();
  const pages = usePages<Endpoint>((cursor, abort) => list(of(account, "endpoints"), { limit: 25, cursor }, abort), [account.tenant.id]);
  const add = account.manages && <a class="button primary" href={href([...account.base, "endpoints", "new"])}><Icon name="plus" />Add endpoint</a>;
  return (
    <>
      <div class="pagehead">
        <div>
          <h1>Endpoints</h1>
          <p>Addresses of yours that are told when something happens.</p>
        </div>
        {!!pages.items?.length && add}
      </div>
      <div class="card">
        {pages.error && !pages.items ? <ErrorState error={pages.error} retry={pages.reload} />
          : !pages.items ? <Skeleton />
          : pages.items.length === 0 ? (
            <Empty icon="bolt" title="No endpoints yet" action={add}>
              Add the address of your server and choose which events it is told about. You can send it a test event right away.
            </Empty>
          ) : (
            <ul class="endpoints">{pages.items.map((e) => <Row key={e.id} endpoint={e} />)}</ul>
          )}
        <More more={pages.more} loading={pages.loading} />
      </div>
    </>
  );
}

function Row({ endpoint: e }: { endpoint: Endpoint }) {
  const account = useAccount();
  const stats = useLoad<Stats>((abort) => call("GET", of(account, "endpoints", e.id, "stats") + query({}), undefined, abort), [e.id]);
  const s = stats.data;
  return (
    <li>
      <div class="grow">
        <a class="rowlink mono clip" href={href([...account.base, "endpoints", e.id])}><Text of={e.url} /></a>
        <div class="small soft clip">
          {e.status !== "enabled" ? <span class="blocked">{whyBlocked(e)}</span> : e.description ? <Text of={e.description} /> : typesOf(e)}
        </div>
      </div>
      <span class="statuscell"><EndpointBadge of={e.status} /></span>
      <div class="rowfact">
        <b>{s ? (s.success_rate === null ? "–" : percent(s.success_rate)) : stats.error ? "–" : " "}</b>
        <span>success, 24 h</span>
      </div>
      <div class="rowfact">
        <b>{s?.last_attempt ? <Time at={s.last_attempt.finished_at} /> : s || stats.error ? "never" : " "}</b>
        <span>{s?.last_attempt ? outcomeWords[s.last_attempt.outcome].toLowerCase() : "last attempt"}</span>
      </div>
      <Icon name="right" />
    </li>
  );
}

export function typesOf(e: Endpoint): string {
  if (!e.event_types) return "several subscriptions";
  if (e.event_types.includes("*")) return "all event types";
  return e.event_types.length <= 3 ? e.event_types.join(", ") : plural(e.event_types.length, "event type");
}
