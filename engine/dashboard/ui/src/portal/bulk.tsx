import { useEffect, useState } from "preact/hooks";
import { call, list } from "../lib/api";
import { useAction, useLoad } from "../lib/load";
import { of, useAccount } from "../lib/session";
import { count, plural } from "../lib/text";
import type { Endpoint, Recovery } from "../lib/types";
import { RecoveryBadge } from "../ui/badge";
import { Icon } from "../ui/icons";
import { Button, Dialog, FaultNote, Field, Note } from "../ui/parts";
import { Time } from "../ui/text";

const since: [string, string, number][] = [["1h", "the last hour", 3600e3], ["24h", "the last 24 hours", 86400e3], ["7d", "the last 7 days", 604800e3], ["all", "the beginning", 0]];

// Bulk asks which failed events to send again, counts them, and only then does it.
export function Bulk({ endpoint: e, close, started }: { endpoint: Endpoint; close: () => void; started: () => void }) {
  const account = useAccount();
  const [age, setAge] = useState("24h");
  const [skipped, setSkipped] = useState(true);
  const [from] = useState(Date.now());
  const choice = () => {
    const length = since.find(([k]) => k === age)![2];
    return { status: skipped ? ["exhausted", "skipped"] : ["exhausted"], ...(length && { since: new Date(from - length).toISOString() }) };
  };
  const counted = useLoad<{ matched: number }>((abort) => call("POST", of(account, "endpoints", e.id) + ":recover", { ...choice(), dry_run: true }, abort), [age, skipped]);
  const start = useAction(async () => {
    await call("POST", of(account, "endpoints", e.id) + ":recover", choice());
    started();
  });
  const n = counted.data?.matched;
  return (
    <Dialog title="Replay all failed events" close={close}>
      <Field label="Failed since" hint="By when the delivery was created.">
        {(ids) => <span class="select"><select {...ids} value={age} onChange={(ev) => setAge(ev.currentTarget.value)}>{since.map(([k, w]) => <option key={k} value={k} selected={k === age}>{w}</option>)}</select><Icon name="down" /></span>}
      </Field>
      <label class="choice"><input type="checkbox" checked={skipped} onChange={(ev) => setSkipped(ev.currentTarget.checked)} /><span>Those that were skipped as well<small>while the endpoint was disabled or suppressed</small></span></label>
      <FaultNote error={counted.error ?? start.error} />
      {e.status !== "enabled" && <Note tone="warn">The endpoint is {e.status}: open it first.</Note>}
      <p class="countline" role="status">{n === undefined ? "Counting…" : n === 0 ? "Nothing failed in that time." : <><b>{count(n)}</b> {n === 1 ? "event" : "events"} will be sent again, each with its own schedule of attempts.</>}</p>
      <footer><Button onClick={close}>Cancel</Button><Button kind="primary" busy={start.busy} disabled={!n || e.status !== "enabled"} onClick={() => void start.run()}>{n ? `Replay ${plural(n, "event")}` : "Replay"}</Button></footer>
    </Dialog>
  );
}

// Recoveries shows replays in bulk of this endpoint, while they run and after.
export function Recoveries({ endpoint: e, round }: { endpoint: Endpoint; round: number }) {
  const account = useAccount();
  const [running, setRunning] = useState(false);
  const loaded = useLoad((abort) => list<Recovery>(of(account, "recoveries"), { limit: 20 }, abort), [e.id, round], running ? 1000 : 30000);
  const cancel = useAction(async (id: string) => {
    await call("POST", of(account, "recoveries", id) + ":cancel");
    loaded.reload();
  });
  const mine = loaded.data?.data.filter((r) => r.endpoint_id === e.id).slice(0, 3) ?? [];
  const runs = mine.some((r) => r.state === "running");
  useEffect(() => setRunning(runs), [runs]);
  if (!mine.length) return null;
  return (
    <section class="card" aria-label="Replays in bulk">
      <header><h2>Replays in bulk</h2></header>
      {mine.map((r) => (
        <div class="body recovery" key={r.id}>
          <RecoveryBadge of={r.state} />
          <div class="grow">
            <div class="progress" role="progressbar" aria-label="Progress" aria-valuemin={0} aria-valuemax={r.matched} aria-valuenow={r.created}><div style={{ width: (r.matched ? (r.created / r.matched) * 100 : 100) + "%" }} /></div>
            <p class="small soft">{count(r.created)} of {plural(r.matched, "event")} sent again · started <Time at={r.started_at} />{r.reason && ` · ${r.reason.replaceAll("_", " ")}`}</p>
          </div>
          {r.state === "running" && account.manages && <Button kind="small" busy={cancel.busy} onClick={() => void cancel.run(r.id)}>Cancel</Button>}
        </div>
      ))}
      <FaultNote error={cancel.error} />
    </section>
  );
}
