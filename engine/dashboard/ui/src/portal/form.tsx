import { useState } from "preact/hooks";
import { call } from "../lib/api";
import { useAction } from "../lib/load";
import { go, href } from "../lib/route";
import { of, useAccount } from "../lib/session";
import { checkTarget } from "../lib/target";
import type { Endpoint } from "../lib/types";
import { Icon } from "../ui/icons";
import { Back, Button, FaultNote, Field } from "../ui/parts";
import { FilterField } from "./filter";
import { fresh } from "./fresh";
import { HeadersEditor, headerRows, headersOf, type HeaderRow } from "./headers";
import { Picker } from "./picker";

interface Draft {
  url: string;
  description: string;
  types: string[] | null;
  filter: string;
  headers: HeaderRow[];
}

export function AddEndpoint() {
  const account = useAccount();
  const save = async (d: Draft) => {
    const e = await call<Endpoint>("POST", of(account, "endpoints"), {
      url: d.url.trim(), description: d.description,
      ...(d.types && { event_types: d.types }), ...(d.filter.trim() && { filter: d.filter }), ...(d.headers.length > 0 && { headers: headersOf(d.headers) }),
    });
    fresh.value = { id: e.id, secret: e.secret ?? "" };
    go([...account.base, "endpoints", e.id]);
  };
  return (
    <div class="formpage">
      <Back href={href([...account.base, "endpoints"])}>Endpoints</Back>
      <div class="pagehead"><div><h1>Add endpoint</h1><p>Events are sent to it by HTTPS POST, from the moment you save.</p></div></div>
      <EndpointForm first={{ url: "", description: "", types: [], filter: "", headers: [] }} save={save} word="Save endpoint" cancel={[...account.base, "endpoints"]} />
    </div>
  );
}

export function EditEndpoint({ endpoint: e, done }: { endpoint: Endpoint; done: (e: Endpoint) => void }) {
  const account = useAccount();
  const at = [...account.base, "endpoints", e.id];
  const several = e.event_types === null;
  const first: Draft = {
    url: e.url, description: e.description, types: e.event_types === null || e.event_types.includes("*") ? null : e.event_types,
    filter: e.filter ?? "", headers: headerRows(e.headers ?? {}),
  };
  const save = async (d: Draft) => {
    const headers: Record<string, string | null> = headersOf(d.headers);
    for (const name of Object.keys(e.headers ?? {})) if (!(name in headers)) headers[name] = null;
    done(await call<Endpoint>("PATCH", of(account, "endpoints", e.id), {
      url: d.url.trim(), description: d.description, headers, ...(!several && { event_types: d.types ?? ["*"], filter: d.filter.trim() ? d.filter : null }),
    }));
    go(at);
  };
  return <EndpointForm first={first} save={save} word="Save changes" cancel={at} several={several} />;
}

function EndpointForm({ first, save, word, cancel, several }: { first: Draft; save: (d: Draft) => Promise<void>; word: string; cancel: string[]; several?: boolean }) {
  const { profile } = useAccount();
  const [d, setDraft] = useState(first);
  const [tried, setTried] = useState(false);
  const saving = useAction(async () => {
    setTried(true);
    if (!d.url.trim() || checkTarget(d.url, profile.https_only) || d.types?.length === 0) return;
    await save(d);
  });
  const edit = (change: Partial<Draft>) => {
    saving.clear();
    setDraft({ ...d, ...change });
  };
  const local = checkTarget(d.url, profile.https_only);
  const urlFault = local || saving.error?.at("url") || (tried && !d.url.trim() ? "An address is needed." : undefined);
  const told = ["url", "event_types", "filter", "headers", "description"];
  const rest = saving.error && !saving.error.faults.some((f) => told.some((t) => f.location.startsWith(t))) ? saving.error : undefined;
  const fine = d.url && !urlFault && /^https?:\/\/[^/]+\.[^/]+|^https?:\/\/[^/]+:\d/.test(d.url);
  return (
    <form class="card form" onSubmit={(e) => { e.preventDefault(); void saving.run(); }} noValidate>
      <div class="body stack">
        <Field label="Address" fault={urlFault} hint={fine ? <span class="hint ok"><Icon name="check" />Looks right</span> : profile.https_only ? "Where your server takes the events; https only." : "Where your server takes the events."}>
          {(ids) => <input {...ids} type="url" class="code" placeholder="https://example.com/webhooks" value={d.url} autocomplete="off" spellcheck={false} maxLength={2048} autofocus={!first.url} onInput={(e) => edit({ url: e.currentTarget.value })} />}
        </Field>
        <Field label="Description" optional fault={saving.error?.at("description")} hint="For you and your colleagues.">
          {(ids) => <input {...ids} type="text" value={d.description} maxLength={256} onInput={(e) => edit({ description: e.currentTarget.value })} />}
        </Field>
      </div>
      <div class="body">
        {several ? <p class="soft">This endpoint has several subscriptions. They are changed over the API.</p> : (
          <Picker types={profile.event_types} chosen={d.types} change={(types) => edit({ types })} fault={saving.error?.at("event_types") ?? (tried && d.types?.length === 0 ? "Choose at least one event type, or all." : undefined)} />
        )}
      </div>
      {!several && (
        <div class="body">
          <FilterField value={d.filter} types={d.types} change={(filter) => edit({ filter })} fault={saving.error?.at("filter")} />
        </div>
      )}
      <div class="body"><HeadersEditor rows={d.headers} change={(headers) => edit({ headers })} fault={saving.error?.at("headers") ?? saving.error?.faults.find((f) => f.location.startsWith("headers"))?.message} /></div>
      <div class="body formfoot">
        <FaultNote error={rest} />
        <div class="row"><Button kind="primary" busy={saving.busy} onClick={() => void saving.run()}>{word}</Button><a class="button quiet" href={href(cancel)}>Cancel</a></div>
      </div>
    </form>
  );
}
