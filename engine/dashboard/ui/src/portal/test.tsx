import { useState } from "preact/hooks";
import { Problem, send } from "../lib/api";
import { useAction } from "../lib/load";
import { amend, place } from "../lib/route";
import { of, useAccount } from "../lib/session";
import type { Attempt, Endpoint } from "../lib/types";
import { kindWords, OutcomeBadge } from "../ui/badge";
import { Exchange, TimingBar } from "../ui/http";
import { Icon } from "../ui/icons";
import { Button, FaultNote, Field } from "../ui/parts";
import { Empty } from "../ui/states";
import { Text } from "../ui/text";
import { Actions, signedHeaders } from "./attempt";

const sampleOf = (example: unknown) => JSON.stringify(example, null, 2);

// SendTest sends a test event: a type, its sample to edit, request and response side by side.
export function SendTest({ endpoint: e }: { endpoint: Endpoint }) {
  const account = useAccount();
  const { event_types: types, signatures } = account.profile;
  const chosen = e.event_types?.find((n) => types.some((t) => t.name === n));
  const type = types.find((t) => t.name === (place.value.query["type"] ?? chosen)) ?? types[0];
  const [drafts, setDrafts] = useState<Record<string, string>>({});
  const [attempt, setAttempt] = useState<Attempt>();
  const sample = type ? sampleOf(type.example) : "";
  const text = (type && drafts[type.name]) ?? sample;
  const fault = jsonFault(text);
  const test = useAction(async () => {
    if (fault) throw new Problem(0, "", fault);
    // The text goes out as it stands: parsing it here could change numbers.
    const data = text === sample ? "" : `,"data":${text.trim()}`;
    setAttempt(await send<Attempt>("POST", of(account, "endpoints", e.id) + ":test", `{"event_type":${JSON.stringify(type!.name)}${data}}`));
  });
  if (!type) return <div class="card"><Empty icon="flask" title="No event types">The catalogue has no type to send a test of.</Empty></div>;
  return (
    <div class="stack">
      <section class="card" aria-label="Test event">
        <div class="body testform">
          <div class="stack tight">
            <Field label="Event type" hint={type.description}>
              {(ids) => (
                <span class="select"><select {...ids} value={type.name} onChange={(ev) => { amend({ type: ev.currentTarget.value }); test.clear(); }}>{types.map((t) => <option key={t.name} value={t.name} selected={t.name === type.name}>{t.name}</option>)}</select><Icon name="down" /></span>
              )}
            </Field>
            <p class="small soft">One request, signed like any other. It is never tried again, counts for nothing, and is sent although the endpoint is disabled.</p>
            <div class="row"><Button kind="primary" icon="send" busy={test.busy} disabled={!!fault} onClick={() => void test.run()}>Send test event</Button>
              {text !== sample && <Button kind="quiet small" onClick={() => setDrafts({ ...drafts, [type.name]: sample })}>Back to the sample</Button>}</div>
          </div>
          <Field label="Data" fault={fault || test.error?.at("data")} hint="The sample of this type; change it as you like.">
            {(ids) => <textarea {...ids} class="code" rows={Math.min(16, Math.max(6, text.split("\n").length + 1))} spellcheck={false} value={text} onInput={(ev) => setDrafts({ ...drafts, [type.name]: ev.currentTarget.value })} />}
          </Field>
        </div>
        {test.error && !test.error.at("data") && <div class="body"><FaultNote error={test.error} /></div>}
      </section>
      {attempt && (
        <section class="card" aria-label="Result" aria-live="polite">
          <header>
            <div class="row"><h2>Result</h2><OutcomeBadge of={attempt.outcome} status={attempt.response?.status} /><span class="soft small"><Text of={attempt.event_type} />{attempt.error_kind && " · " + kindWords(attempt)}</span></div>
            <Actions attempt={attempt} />
          </header>
          <div class="body"><TimingBar of={attempt.timings_ms} /></div>
          <div class="line-top"><Exchange attempt={attempt} signed={signedHeaders(signatures)} /></div>
        </section>
      )}
    </div>
  );
}

function jsonFault(text: string): string {
  try {
    const v: unknown = JSON.parse(text);
    return v !== null && typeof v === "object" && !Array.isArray(v) ? "" : "Must be a JSON object: { … }";
  } catch (e) {
    return "Not JSON: " + (e instanceof Error ? e.message : String(e));
  }
}
