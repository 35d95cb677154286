import { useState } from "preact/hooks";
import { call } from "../lib/api";
import { useAction } from "../lib/load";
import { href } from "../lib/route";
import { of, useAccount } from "../lib/session";
import type { Endpoint } from "../lib/types";
import { Icon } from "../ui/icons";
import { Button, Dialog, FaultNote, Field, Note } from "../ui/parts";
import { CopyIcon, Time } from "../ui/text";
import { fresh } from "./fresh";

// Secret shows the signing secret when it is asked for, and changes it.
export function Secret({ endpoint: e, changed }: { endpoint: Endpoint; changed: (e: Endpoint) => void }) {
  const account = useAccount();
  const [seen, see] = useState<{ secret: string; public_key: string | null } | undefined>();
  const [asking, ask] = useState(false);
  const reveal = useAction(async () => see(await call("GET", of(account, "endpoints", e.id, "secret"))));
  const signs = account.profile.signatures.some((s) => s.scheme !== "none");
  const made = fresh.value?.id === e.id ? fresh.value : undefined;
  const secret = seen?.secret ?? made?.secret;
  if (!signs) {
    return <section class="card" aria-label="Signing"><header><h2>Signing</h2></header><div class="body"><p class="soft">{account.profile.title} does not sign what it sends. Keep the address hard to guess.</p></div></section>;
  }
  return (
    <section class="card" aria-label="Signing secret">
      <header><h2>Signing secret</h2></header>
      <div class="body stack tight">
        {made && <Note tone="good" icon="check"><strong>Saved.</strong> Give this secret to your server, then <a href={href([...account.base, "endpoints", e.id, "test"])}>send a test event</a>.</Note>}
        {secret ? (
          <div class="secret"><code class="grow wrap">{secret}</code><CopyIcon text={secret} label="Copy the secret" /></div>
        ) : (
          <div class="secret"><code class="grow" aria-label="Hidden">••••••••••••••••••••••••</code>{account.manages && <Button kind="small quiet" icon="eye" busy={reveal.busy} onClick={() => void reveal.run()}>Reveal</Button>}</div>
        )}
        {seen?.public_key && <div><span class="faint small">Public key, which receivers verify with</span><div class="secret"><code class="grow wrap">{seen.public_key}</code><CopyIcon text={seen.public_key} label="Copy the public key" /></div></div>}
        <p class="small soft">Your server proves with it that a request came from us. See <a href={href([...account.base, "endpoints", e.id, "code"])}>receiver code</a>.</p>
        {e.previous_secret_expires_at && Date.parse(e.previous_secret_expires_at) > Date.now() && <Note icon="clock">The secret before it signs too, until <Time at={e.previous_secret_expires_at} plain />.</Note>}
        <FaultNote error={reveal.error} />
        {account.manages && <div><Button kind="small" icon="rotate" onClick={() => ask(true)}>Rotate secret</Button></div>}
      </div>
      {asking && <Rotate endpoint={e} close={() => ask(false)} done={(next) => {
        ask(false);
        see({ secret: next.secret ?? "", public_key: null });
        changed(next);
      }} />}
    </section>
  );
}

function Rotate({ endpoint: e, close, done }: { endpoint: Endpoint; close: () => void; done: (e: Endpoint) => void }) {
  const account = useAccount();
  const [own, setOwn] = useState("");
  const overlaps = account.profile.signatures.some((s) => s.overlaps);
  const [overlap, setOverlap] = useState("24h");
  const rotate = useAction(async () => {
    done(await call<Endpoint>("POST", of(account, "endpoints", e.id) + ":rotate-secret", { ...(own && { secret: own }), ...(overlaps && { overlap }) }));
  });
  const fault = rotate.error?.at("secret");
  return (
    <Dialog title="Rotate the signing secret" close={close}>
      {overlaps ? (
        <Field label="The secret before signs too" hint="So that your server can change over without losing anything.">
          {(ids) => <span class="select"><select {...ids} value={overlap} onChange={(ev) => setOverlap(ev.currentTarget.value)}>{[["1h", "for an hour"], ["24h", "for a day"], ["168h", "for a week"], ["0s", "not any more"]].map(([v, w]) => <option key={v} value={v}>{w}</option>)}</select><Icon name="down" /></span>}
        </Field>
      ) : <Note tone="warn">The new secret signs from now on; the old one is good for nothing then. Change it in your server at the same time.</Note>}
      <Field label="New secret" optional fault={fault} hint="One is made when this is left empty.">
        {(ids) => <input {...ids} type="text" class="code" value={own} autocomplete="off" spellcheck={false} onInput={(ev) => setOwn(ev.currentTarget.value)} />}
      </Field>
      {!fault && <FaultNote error={rotate.error} />}
      <footer><Button onClick={close}>Cancel</Button><Button kind="primary" busy={rotate.busy} onClick={() => void rotate.run()}>Rotate</Button></footer>
    </Dialog>
  );
}
