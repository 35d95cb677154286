import { useState } from "preact/hooks";
import { call, list, Problem } from "../lib/api";
import { useAction, usePages } from "../lib/load";
import { amend, href, place } from "../lib/route";
import { of, useAccount } from "../lib/session";
import { plural } from "../lib/text";
import type { Delivery, DeliveryStatus, Endpoint } from "../lib/types";
import { DeliveryBadge, reasonWords } from "../ui/badge";
import { Button, FaultNote, Note, Segments } from "../ui/parts";
import { Empty, ErrorState, More, NoMatch, Skeleton } from "../ui/states";
import { Id, Text, Time } from "../ui/text";
import { Bulk, Recoveries } from "./bulk";

// Replay sends events again: one, those that are chosen, or all that failed since a time.
export function Replay({ endpoint: e }: { endpoint: Endpoint }) {
  const account = useAccount();
  const status = (place.value.query["status"] ?? "exhausted") as DeliveryStatus;
  const [picked, setPicked] = useState<Set<string>>(new Set());
  const [bulk, setBulk] = useState(false);
  const [round, setRound] = useState(0);
  const [sent, setSent] = useState<{ done: number; of: number; refused: Problem[] }>();
  const pages = usePages<Delivery>((cursor, abort) => list(of(account, "deliveries"), { endpoint_id: e.id, status, limit: 50, cursor }, abort), [e.id, status]);
  const resend = useAction(async (ids: string[]) => {
    const refused: Problem[] = [];
    for (let i = 0; i < ids.length; i++) {
      setSent({ done: i, of: ids.length, refused });
      try {
        await call("POST", of(account, "deliveries", ids[i]!) + ":resend");
      } catch (f) {
        if (!(f instanceof Problem) || f.status === 0 || f.status === 401) throw f;
        refused.push(f);
      }
    }
    setSent({ done: ids.length, of: ids.length, refused });
    setPicked(new Set());
  });
  const items = pages.items ?? [];
  const open = e.status === "enabled" && account.manages;
  const all = items.length > 0 && items.every((d) => picked.has(d.id));
  const toggle = (id: string) => {
    const next = new Set(picked);
    if (!next.delete(id)) next.add(id);
    setPicked(next);
  };
  return (
    <div class="stack">
      <Recoveries endpoint={e} round={round} />
      <section class="card" aria-label="Deliveries">
        <header>
          <Segments label="Which deliveries" at={status} options={[["exhausted", "Failed"], ["skipped", "Skipped"], ["succeeded", "Succeeded"]]} choose={(s) => { amend({ status: s === "exhausted" ? "" : s }); setPicked(new Set()); }} />
          <div class="row">
            <Button kind="small" icon="rotate" disabled={!open || picked.size === 0} busy={resend.busy} onClick={() => void resend.run([...picked])}>{picked.size ? `Replay ${plural(picked.size, "event")}` : "Replay selected"}</Button>
            {account.manages && <Button kind="small primary" onClick={() => setBulk(true)}>Replay all failed…</Button>}
          </div>
        </header>
        {!open && account.manages && <div class="body"><Note tone="warn">The endpoint is {e.status}: open it first, then replay.</Note></div>}
        {(sent || resend.error) && (
          <div class="body" role="status">
            <FaultNote error={resend.error} />
            {sent && <Note tone={sent.refused.length ? "warn" : "good"} icon={sent.refused.length ? "alert" : "check"}>
              {sent.done < sent.of ? `Sending ${sent.done + 1} of ${sent.of}…` : `${plural(sent.of - sent.refused.length, "event")} sent again.`}{" "}
              {sent.refused.length > 0 && `${plural(sent.refused.length, "was", "were")} refused: ${sent.refused[0]!.message}`}{" "}
              <a href={href([...account.base, "endpoints", e.id, "logs"])}>See the logs</a>
            </Note>}
          </div>
        )}
        {pages.error && !pages.items ? <ErrorState error={pages.error} retry={pages.reload} />
          : !pages.items ? <Skeleton />
          : items.length === 0 ? (status === "exhausted" ? <Empty icon="check" title="Nothing failed">Every event that was sent to this endpoint has arrived, or is still being tried.</Empty> : <NoMatch what="deliveries" clear={() => amend({ status: "" })} />)
          : (
            <div class="scroll"><table class="table">
              <thead><tr>
                <th class="pick"><input type="checkbox" aria-label="Select all that are shown" checked={all} onChange={() => setPicked(all ? new Set() : new Set(items.map((d) => d.id)))} /></th>
                <th>Event type</th><th>Event</th><th>Delivery</th><th>Attempts</th><th class="number">Created</th><th><span class="sr">Actions</span></th>
              </tr></thead>
              <tbody>{items.map((d) => (
                <tr key={d.id} class={picked.has(d.id) ? "picked" : ""}>
                  <td class="pick"><input type="checkbox" aria-label={"Select " + d.event_id} checked={picked.has(d.id)} onChange={() => toggle(d.id)} /></td>
                  <td><b class="medium"><Text of={d.event_type} /></b></td>
                  <td><Id of={d.event_id} short /></td>
                  <td><DeliveryBadge of={d.status} />{d.reason && <div class="small faint">{reasonWords(d.reason)}</div>}</td>
                  <td><a href={href([...account.base, "deliveries", d.id])}>{plural(d.attempts_made, "attempt")}</a></td>
                  <td class="number soft"><Time at={d.created_at} /></td>
                  <td class="number">{open && <Button kind="small quiet" icon="rotate" disabled={resend.busy} onClick={() => void resend.run([d.id])}>Replay</Button>}</td>
                </tr>
              ))}</tbody>
            </table></div>
          )}
        <More more={pages.more} loading={pages.loading} />
      </section>
      {bulk && <Bulk endpoint={e} close={() => setBulk(false)} started={() => { setBulk(false); setRound(round + 1); }} />}
    </div>
  );
}
