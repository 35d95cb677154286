import { useState } from "preact/hooks";
import { call, list } from "../lib/api";
import { useAction, useLoad } from "../lib/load";
import { go, href } from "../lib/route";
import { of, useAccount } from "../lib/session";
import { plural } from "../lib/text";
import type { Delivery, Endpoint, Event, Why } from "../lib/types";
import { Badge, DeliveryBadge, reasonWords } from "../ui/badge";
import { Code } from "../ui/http";
import { Icon } from "../ui/icons";
import { Back, Button, Fact, Facts, FaultNote } from "../ui/parts";
import { ErrorState, Skeleton } from "../ui/states";
import { Copy, CopyIcon, Id, Text, Time } from "../ui/text";

// EventScreen shows an event and where it went: each endpoint of the tenant with a yes or a no, and the reason.
export function EventScreen({ id }: { id: string }) {
  const account = useAccount();
  const loaded = useLoad<Event>((abort) => call("GET", of(account, "events", id), undefined, abort), [id]);
  const e = loaded.data;
  const back = <Back href={href([...account.base, "events"])}>Events</Back>;
  if (!e) return <>{back}<div class="card">{loaded.error ? <ErrorState error={loaded.error} retry={loaded.reload} /> : <Skeleton />}</div></>;
  return (
    <>
      {back}
      <div class="pagehead"><div><h1 class="mono"><Text of={e.type} /></h1><p class="row"><Id of={e.id} /><CopyIcon text={e.id} label="Copy the id" /></p></div></div>
      <div class="columns">
        <FanOut event={e} />
        <div class="stack">
          <section class="card" aria-label="Body">
            <header><h2>Body</h2>{e.body && <Copy text={e.body} quiet />}</header>
            <div class="body">{e.body !== undefined ? <Code text={e.body} label="Body" /> : e.body_base64 !== undefined ? <><p class="nothing">Not text: shown in base64</p><Code text={e.body_base64} label="Body in base64" /></> : <p class="nothing">The body is not kept any more.</p>}</div>
          </section>
          <section class="card" aria-label="Facts">
            <div class="body"><Facts>
              <Fact name="Published"><Time at={e.created_at} plain /></Fact>
              <Fact name="Occurred"><Time at={e.occurred_at} plain /></Fact>
              <Fact name="Seq">{e.seq}</Fact>
              <Fact name="Uid"><Id of={e.uid} /></Fact>
              {e.actor != null && <Fact name="Actor"><Code text={JSON.stringify(e.actor)} label="Actor" /></Fact>}
              {e.metadata != null && <Fact name="Metadata"><Code text={JSON.stringify(e.metadata)} label="Metadata" /></Fact>}
            </Facts></div>
          </section>
        </div>
      </div>
    </>
  );
}

const asked = 12; // endpoints for which the reason is loaded at once; the others when they are opened

function FanOut({ event: e }: { event: Event }) {
  const account = useAccount();
  const endpoints = useLoad((abort) => list<Endpoint>(of(account, "endpoints"), { limit: 250 }, abort), [account.tenant.id]);
  const deliveries = useLoad((abort) => list<Delivery>(of(account, "deliveries"), { event_id: e.uid, limit: 250 }, abort), [e.uid], 3000);
  if (!endpoints.data || !deliveries.data) {
    const error = endpoints.error ?? deliveries.error;
    return <section class="card">{error ? <ErrorState error={error} retry={() => { endpoints.reload(); deliveries.reload(); }} /> : <Skeleton />}</section>;
  }
  const by = new Map<string, Delivery[]>();
  for (const d of deliveries.data.data) by.set(d.endpoint_id, [...(by.get(d.endpoint_id) ?? []), d]);
  const known = new Map(endpoints.data.data.map((x) => [x.id, x]));
  const ids = [...new Set([...e.matched.map((m) => m.endpoint_id), ...by.keys(), ...known.keys()])];
  const yes = e.matched.length;
  return (
    <section class="card" aria-label="Where it went">
      <header><h2>Where it went</h2><p>{yes === 0 ? "Matched no endpoint. It is kept, and can be delivered by hand." : `Matched ${plural(yes, "endpoint")} of ${plural(ids.length, "endpoint")}.`}</p></header>
      {ids.length === 0 && <div class="body"><p class="soft">The tenant has no endpoints.</p></div>}
      <ul class="tree">
        {ids.map((id, i) => <Branch key={id} event={e} id={id} endpoint={known.get(id)} deliveries={by.get(id) ?? []} at_once={i < asked} sent={deliveries.reload} />)}
      </ul>
      {endpoints.data.next_cursor && <div class="body"><p class="small faint">The newest 250 endpoints are shown.</p></div>}
    </section>
  );
}

function Branch({ event: e, id, endpoint, deliveries, at_once, sent }: { event: Event; id: string; endpoint?: Endpoint; deliveries: Delivery[]; at_once: boolean; sent: () => void }) {
  const account = useAccount();
  const [open, setOpen] = useState(at_once);
  const why = useLoad<Why | undefined>((abort) => (open ? call("POST", of(account, "events", e.uid) + ":why", { endpoint_id: id }, abort) : Promise.resolve(undefined)), [id, open]);
  const matched = e.matched.some((m) => m.endpoint_id === id);
  const deliver = useAction(async () => {
    const d = await call<Delivery>("POST", of(account, "events", e.uid) + ":deliver", { endpoint_id: id });
    sent();
    go([...account.base, "deliveries", d.id]);
  });
  return (
    <li>
      <div class="row">
        <Badge tone={matched ? "good" : "calm"} icon={matched ? "check" : "slash"} word={matched ? "Matched" : "No match"} />
        <a class="mono small clip grow" href={href([...account.base, "endpoints", id])}>{endpoint ? <Text of={endpoint.url} /> : id}</a>
        {!matched && !deliveries.length && account.manages && endpoint && <Button kind="small quiet" icon="send" busy={deliver.busy} onClick={() => void deliver.run()}>Deliver</Button>}
      </div>
      {!open ? <button type="button" class="button quiet small" onClick={() => setOpen(true)}>Why?</button>
        : why.error ? <p class="small soft">{why.error.message}</p>
        : why.data && <p class="small soft why"><Text of={why.data.text} /></p>}
      {why.data?.subscriptions.map((s) => s.filter && (
        <div class="clauses" key={s.subscription_id}>{(s.explanation.clauses.length ? s.explanation.clauses : [{ text: s.filter, result: s.explanation.matched }]).map((c) => (
          <div key={c.text} class={c.result ? "yes" : "no"}><Icon name={c.result ? "check" : "cross"} /><code><Text of={c.text} /></code><span class="sr">{c.result ? "is true" : "is not true"}</span></div>
        ))}</div>
      ))}
      {deliveries.map((d) => (
        <a class="leaf" key={d.id} href={href([...account.base, "deliveries", d.id])}>
          <DeliveryBadge of={d.status} />
          <span>{plural(d.attempts_made, "attempt")}{d.resend_of && ", sent again"}{d.reason && ` · ${reasonWords(d.reason)}`}</span>
          {d.next_attempt_at && <span class="soft">next <Time at={d.next_attempt_at} /></span>}
          <Icon name="right" />
        </a>
      ))}
      <FaultNote error={deliver.error} />
    </li>
  );
}
