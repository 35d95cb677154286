import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { call } from "../lib/api";
import { curlOf } from "../lib/curl";
import { useAction } from "../lib/load";
import { href } from "../lib/route";
import { of, useAccount } from "../lib/session";
import { ms } from "../lib/text";
import { verify, type Verdict } from "../lib/verify";
import type { Attempt, Delivery } from "../lib/types";
import { kindWords, OutcomeBadge } from "../ui/badge";
import { Icon } from "../ui/icons";
import { Exchange, TimingBar } from "../ui/http";
import { Button, FaultNote, Note } from "../ui/parts";
import { Copy, CopyIcon, Id, Text, Time } from "../ui/text";

export function signedHeaders(signatures: { headers: string[] }[]): string[] {
  return signatures.flatMap((s) => s.headers);
}

// AttemptDetail shows one attempt: what it was, how long what took, request and response.
export function AttemptDetail({ attempt: a, close }: { attempt: Attempt; close?: ComponentChildren }) {
  const { profile } = useAccount();
  return (
    <>
      <header class="detailhead">
        <div class="grow">
          <div class="row"><h2><Text of={a.event_type} /></h2><OutcomeBadge of={a.outcome} status={a.response?.status} /></div>
          <p class="small soft row">
            <span>{a.trigger === "test" ? "Test event" : a.trigger === "resend" ? `Replay, attempt ${a.number}` : `Attempt ${a.number}`}</span>·
            <Time at={a.finished_at} plain />·<span>{ms(Date.parse(a.finished_at) - Date.parse(a.started_at))}</span>
          </p>
          <p class="small row"><Id of={a.event_id} /><CopyIcon text={a.event_id} label="Copy the event id" /></p>
        </div>
        {close}
      </header>
      {a.outcome !== "acknowledged" && <div class="detailpart"><Note tone="bad"><strong>Why it failed:</strong> {kindWords(a) || "the answer does not count as success"}.</Note></div>}
      <div class="detailpart"><Actions attempt={a} /></div>
      <div class="detailpart"><TimingBar of={a.timings_ms} /></div>
      <div class="stacked"><Exchange attempt={a} signed={signedHeaders(profile.signatures)} /></div>
    </>
  );
}

export function Actions({ attempt: a, replays = true }: { attempt: Attempt; replays?: boolean }) {
  const account = useAccount();
  const [verdicts, setVerdicts] = useState<Verdict[]>();
  const [replayed, setReplayed] = useState<Delivery>();
  const check = useAction(async () => {
    const s = await call<{ secret: string; public_key: string | null }>("GET", of(account, "endpoints", a.endpoint_id, "secret"));
    setVerdicts(await verify(a, account.profile, s.secret, s.public_key));
  });
  const replay = useAction(async () => setReplayed(await call<Delivery>("POST", of(account, "deliveries", a.delivery_id!) + ":resend")));
  const signs = account.profile.signatures.some((s) => s.scheme !== "none");
  return (
    <div class="stack tight">
      <div class="row">
        {replays && account.manages && a.delivery_id && <Button kind="small" icon="rotate" busy={replay.busy} onClick={() => void replay.run()}>Replay</Button>}
        {replays && a.delivery_id && <a class="button small" href={href([...account.base, "deliveries", a.delivery_id])}><Icon name="clock" />Delivery</a>}
        <Copy text={() => curlOf(a)} label="Copy as curl" />
        {signs && account.manages && <Button kind="small" icon="shield" busy={check.busy} onClick={() => void check.run()}>Verify signature</Button>}
      </div>
      {verdicts?.map((v) => <Note key={v.header} tone={v.good ? "good" : "warn"} icon={v.good ? "check" : "alert"}>{v.header && <code>{v.header}</code>} {v.text}.</Note>)}
      {replayed && <Note tone="good" icon="check">Sent again as a new delivery. <a href={href([...account.base, "endpoints", a.endpoint_id, "logs"], { event: a.event_id })}>See its attempts</a></Note>}
      <FaultNote error={check.error ?? replay.error} />
    </div>
  );
}
