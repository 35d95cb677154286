import { useState } from "preact/hooks";
import { call } from "../lib/api";
import { useAction, useLoad } from "../lib/load";
import { go, href } from "../lib/route";
import { of, useAccount } from "../lib/session";
import { ms, plural, span, wait } from "../lib/text";
import { now } from "../lib/time";
import type { Attempt, Delivery, Endpoint } from "../lib/types";
import { DeliveryBadge, kindWords, OutcomeBadge, reasonWords } from "../ui/badge";
import { Exchange, TimingBar } from "../ui/http";
import { Icon } from "../ui/icons";
import { Back, Button, FaultNote } from "../ui/parts";
import { ErrorState, Skeleton } from "../ui/states";
import { Id, Text, Time } from "../ui/text";
import { Actions, signedHeaders } from "./attempt";
import { changes } from "./changes";

// DeliveryScreen shows a delivery from its first attempt to those to come.
export function DeliveryScreen({ id }: { id: string }) {
  const account = useAccount();
  const [every, setEvery] = useState<number | undefined>(2000);
  const loaded = useLoad<Delivery>(async (abort) => {
    const d = await call<Delivery>("GET", of(account, "deliveries", id), undefined, abort);
    setEvery(d.status === "pending" ? 2000 : undefined);
    return d;
  }, [id], every);
  const d = loaded.data;
  const endpoint = useLoad<Endpoint | undefined>((abort) => (d ? call("GET", of(account, "endpoints", d.endpoint_id), undefined, abort) : Promise.resolve(undefined)), [d?.endpoint_id]);
  if (!d) return <div class="card">{loaded.error ? <ErrorState error={loaded.error} retry={loaded.reload} /> : <Skeleton />}</div>;
  const attempts = d.attempts ?? [];
  const waits = endpoint.data?.schedule ?? account.profile.schedule;
  return (
    <>
      {account.base.length ? <Back href={href([...account.base, "events", d.event_uid])}>Event</Back> : <Back href={href(["endpoints", d.endpoint_id, "logs"])}>Logs</Back>}
      <div class="pagehead">
        <div class="grow">
          <div class="row"><h1 class="mono"><Text of={d.event_type} /></h1><DeliveryBadge of={d.status} /></div>
          <p class="wrap">to {endpoint.data ? <a class="mono small" href={href([...account.base, "endpoints", d.endpoint_id])}><Text of={endpoint.data.url} /></a> : <Id of={d.endpoint_id} />}</p>
          <p class="small">{plural(d.attempts_made, "attempt")} of {d.max_attempts}{d.reason && <> · {reasonWords(d.reason)}</>}{d.resend_of && <> · a replay of <a href={href([...account.base, "deliveries", d.resend_of])}>an earlier delivery</a></>} · <Id of={d.id} /></p>
        </div>
        {account.manages && <Verbs delivery={d} changed={loaded.reload} />}
      </div>
      <ol class="waterfall">
        <li class="moment"><span class="dot" /><div>Created <Time at={d.created_at} plain /></div></li>
        {attempts.map((a, i) => <Step key={a.id} attempt={a} before={attempts[i - 1]} last={i === attempts.length - 1} />)}
        {d.status === "pending" && d.next_attempt_at && <Ahead delivery={d} waits={waits} />}
        {d.status !== "pending" && attempts.length === 0 && <li class="moment"><span class="dot" /><div class="soft">No attempt was made{d.reason && `: ${reasonWords(d.reason)}`}.</div></li>}
      </ol>
    </>
  );
}

function Verbs({ delivery: d, changed }: { delivery: Delivery; changed: () => void }) {
  const account = useAccount();
  const act = useAction(async (verb: string) => {
    const next = await call<Delivery>("POST", of(account, "deliveries", d.id) + ":" + verb);
    if (verb === "resend") go([...account.base, "deliveries", next.id]);
    else changed();
  });
  return (
    <div>
      <div class="row">
        {d.status === "pending" && d.reason === "plugin_fault" && <Button icon="right" busy={act.busy} onClick={() => void act.run("release")}>Release</Button>}
        {d.status === "pending" && <Button kind="danger" icon="slash" busy={act.busy} onClick={() => void act.run("cancel")}>Cancel</Button>}
        {d.status !== "pending" && d.status !== "canceled" && <Button kind="primary" icon="rotate" busy={act.busy} onClick={() => void act.run("resend")}>Replay</Button>}
      </div>
      <FaultNote error={act.error} />
    </div>
  );
}

function Step({ attempt: a, before, last }: { attempt: Attempt; before?: Attempt; last: boolean }) {
  const { profile } = useAccount();
  const [open, setOpen] = useState(last);
  const took = Date.parse(a.finished_at) - Date.parse(a.started_at);
  const differs = before ? changes(before, a) : [];
  return (
    <>
      {before && <li class="gap"><span class="line" /><div class="small faint">waited {span(Date.parse(a.started_at) - Date.parse(before.finished_at))}</div></li>}
      <li class={"step " + (a.outcome === "acknowledged" ? "good" : "bad")}>
        <span class="dot"><Icon name={a.outcome === "acknowledged" ? "check" : "cross"} /></span>
        <div class="card">
          <h2><button type="button" class="stephead" aria-expanded={open} onClick={() => setOpen(!open)}>
            <b>Attempt {a.number}</b><OutcomeBadge of={a.outcome} status={a.response?.status} />
            <span class="grow small soft clip">{kindWords(a)}</span>
            <span class="small soft"><Time at={a.started_at} plain /></span><span class="small soft number">{ms(took)}</span><Icon name="down" />
          </button></h2>
          <div class="detailpart"><TimingBar of={a.timings_ms} /></div>
          {before && <div class="detailpart small soft">{differs.length ? <ul class="differs">{differs.map((c) => <li key={c}><Text of={c} /></li>)}</ul> : "The same request and the same answer as the attempt before."}</div>}
          {open && <><div class="detailpart"><Actions attempt={a} replays={false} /></div><Exchange attempt={a} signed={signedHeaders(profile.signatures)} /></>}
        </div>
      </li>
    </>
  );
}

// Ahead draws the attempts to come: the next with a countdown, those after it as the schedule has them.
function Ahead({ delivery: d, waits }: { delivery: Delivery; waits: string[] }) {
  const due = Date.parse(d.next_attempt_at!);
  const left = due - now.value;
  return (
    <>
      <li class="gap"><span class="line dashed" /><div class="small faint">{left > 0 ? `in ${span(left)}` : "due now"}</div></li>
      <li class="step ahead"><span class="dot"><Icon name="clock" /></span><div class="ghost"><b>Attempt {d.attempts_made + 1}</b><span class="small soft">{d.reason === "plugin_fault" ? "held: our sending side failed" : <>due <Time at={d.next_attempt_at!} plain /></>}</span></div></li>
      {Array.from({ length: Math.max(0, Math.min(d.max_attempts, waits.length + 1) - d.attempts_made - 1) }, (_, i) => (
        <li class="step ahead" key={i}><span class="dot" /><div class="ghost"><b>Attempt {d.attempts_made + 2 + i}</b><span class="small soft">{wait(waits[d.attempts_made + i] ?? "")} after the one before, if that fails</span></div></li>
      ))}
    </>
  );
}
