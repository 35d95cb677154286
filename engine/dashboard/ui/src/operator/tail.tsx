import { useEffect, useRef, useState } from "preact/hooks";
import { amend, href, place } from "../lib/route";
import { follow, type StreamState } from "../lib/stream";
import { count, plural } from "../lib/text";
import { clock, exact } from "../lib/time";
import type { LogRecord } from "../lib/types";
import { Badge } from "../ui/badge";
import { Icon } from "../ui/icons";
import { Button, Note, Select } from "../ui/parts";
import { Empty } from "../ui/states";
import { Text } from "../ui/text";
import { summary } from "./record";

const kept = 500; // records in the page; older ones are in the log
const types = ["event.published", "attempt.finished", "delivery.created", "delivery.skipped", "delivery.canceled", "endpoint.created", "endpoint.updated", "endpoint.disabled", "endpoint.enabled",
  "endpoint.suppressed", "endpoint.tested", "attempt.interrupted", "recovery.started", "recovery.ended", "tenant.created", "key.issued"];

// Tail shows records as they become durable. While somebody reads (is scrolled down, or has stopped it) new ones wait.
export function Tail({ tenant }: { tenant: string | null }) {
  const q = place.value.query;
  const [state, setState] = useState<[StreamState, string?]>(["connecting"]);
  const [records, setRecords] = useState<LogRecord[]>([]);
  const [waiting, setWaiting] = useState(0);
  const [stopped, stop] = useState(false);
  const held = useRef<LogRecord[]>([]);
  const reading = useRef(false);
  const show = () => {
    const fresh = held.current;
    held.current = [];
    setWaiting(0);
    if (fresh.length) setRecords((old) => [...fresh.reverse(), ...old].slice(0, kept));
  };
  reading.current = stopped;
  useEffect(() => {
    setRecords([]);
    held.current = [];
    return follow({ tenant: q["tenant"], type: q["type"] }, (batch) => {
      held.current = [...held.current, ...batch].slice(-kept);
      if (reading.current || scrollY > 120) setWaiting(held.current.length);
      else show();
    }, (s, why) => setState([s, why]));
  }, [q["tenant"], q["type"]]);
  useEffect(() => {
    const back = () => scrollY <= 120 && !reading.current && show();
    addEventListener("scroll", back, { passive: true });
    return () => removeEventListener("scroll", back);
  }, []);
  const words: Record<StreamState, Parameters<typeof Badge>[0]> = {
    live: { tone: "good", icon: "check", word: "Listening" }, connecting: { tone: "info", icon: "clock", word: "Connecting" },
    waiting: { tone: "warn", icon: "clock", word: "Connection lost, trying again" }, refused: { tone: "bad", icon: "cross", word: "Refused" },
  };
  const resume = () => {
    stop(false);
    reading.current = false;
    scrollTo(0, 0);
    show();
  };
  return (
    <>
      <div class="pagehead"><div><h1>Live tail</h1><p>Records of the log as they become durable, newest on top.</p></div>
        <div class="row"><Badge {...words[state[0]]} />{stopped ? <Button kind="primary" icon="right" onClick={resume}>Go on</Button> : <Button icon="pause" onClick={() => stop(true)}>Stop</Button>}</div></div>
      {state[1] && <Note tone="bad">{state[1]}</Note>}
      <div class="card">
        <div class="filters">
          <Select label="Type of record" value={q["type"] ?? ""} options={[["", "All records"], ...types.map((t): [string, string] => [t, t])]} change={(type) => amend({ type })} />
          {!tenant && <div class="searchbox"><Icon name="search" /><input type="search" placeholder="Tenant" aria-label="Tenant" spellcheck={false} value={q["tenant"] ?? ""} onChange={(e) => amend({ tenant: e.currentTarget.value.trim() })} /></div>}
          {waiting > 0 && <Button kind="small primary" onClick={resume}>{plural(waiting, "new record")}{waiting === kept && " and more"}</Button>}
        </div>
        {records.length === 0 ? <Empty icon="wave" title="Waiting for records">What happens from now on stands here. Publish an event, or send a test event.</Empty> : (
          <ol class="tail">{records.map((r) => <Row key={r.seq} record={r} />)}</ol>
        )}
      </div>
    </>
  );
}

function Row({ record: r }: { record: LogRecord }) {
  const s = summary(r);
  const where = s.at && href(s.at);
  return (
    <li>
      <span class="faint seq">{count(r.seq)}</span>
      <time dateTime={r.time} title={exact(r.time)} class="soft">{clock(new Date(r.time))}</time>
      <span class={"kind " + s.tone}><Icon name={s.icon} />{where ? <a href={where}>{r.type}</a> : r.type}</span>
      <span class="clip">{r.tenant && <a class="soft" href={href(["tenants", r.tenant])}><Text of={r.tenant} /></a>}</span>
      <span class="grow clip"><Text of={s.text} /></span>
    </li>
  );
}
