import { useState } from "preact/hooks";
import { call, list, path } from "../lib/api";
import { useAction, usePages } from "../lib/load";
import type { Key } from "../lib/types";
import { Badge } from "../ui/badge";
import { Icon } from "../ui/icons";
import { Button, Dialog, FaultNote, Field, Note } from "../ui/parts";
import { Empty, ErrorState, More, Skeleton } from "../ui/states";
import { CopyIcon, Text, Time } from "../ui/text";

export function Keys() {
  const pages = usePages<Key>((cursor, abort) => list(path("keys"), { limit: 50, cursor }, abort), []);
  const [issuing, issue] = useState(false);
  const [revoking, revoke] = useState<Key>();
  const button = <Button kind="primary" icon="plus" onClick={() => issue(true)}>Issue key</Button>;
  return (
    <>
      <div class="pagehead"><div><h1>API keys</h1><p>Stored hashed. The admin key that the server was started with is not among them.</p></div>{button}</div>
      <div class="card">
        {pages.error && !pages.items ? <ErrorState error={pages.error} retry={pages.reload} />
          : !pages.items ? <Skeleton />
          : pages.items.length === 0 ? <Empty icon="key" title="No keys issued" action={button}>Give each program a key of its own, with no more than it needs: one that may only publish, or only read.</Empty>
          : (
            <div class="scroll"><table class="table">
              <thead><tr><th>Name</th><th>Begins</th><th>Scope</th><th>Tenant</th><th>State</th><th class="number">Last used</th><th class="number">Issued</th><th><span class="sr">Actions</span></th></tr></thead>
              <tbody>{pages.items.map((k) => (
                <tr key={k.id} class={k.revoked_at ? "past" : ""}>
                  <td><b class="medium"><Text of={k.name} /></b></td>
                  <td><code class="soft">{k.prefix}…</code></td>
                  <td>{k.scope}</td>
                  <td>{k.tenant ? <Text of={k.tenant} /> : <span class="faint">all</span>}</td>
                  <td><State of={k} /></td>
                  <td class="number soft">{k.last_used_at ? <Time at={k.last_used_at} /> : "never"}</td>
                  <td class="number soft"><Time at={k.created_at} /></td>
                  <td class="number">{!k.revoked_at && <Button kind="small quiet danger" onClick={() => revoke(k)}>Revoke</Button>}</td>
                </tr>
              ))}</tbody>
            </table></div>
          )}
        <More more={pages.more} loading={pages.loading} />
      </div>
      {issuing && <Issue close={() => issue(false)} done={pages.reload} />}
      {revoking && <Revoke of={revoking} close={() => revoke(undefined)} done={() => { revoke(undefined); pages.reload(); }} />}
    </>
  );
}

function State({ of: k }: { of: Key }) {
  if (k.revoked_at) return <Badge tone="calm" icon="slash" word="Revoked" />;
  if (k.expires_at && Date.parse(k.expires_at) < Date.now()) return <Badge tone="warn" icon="clock" word="Expired" />;
  return <Badge tone="good" icon="check" word="Valid" />;
}

const scopes: [Key["scope"], string][] = [["publish", "publish: publish events"], ["read", "read: see everything but secrets"], ["tenant", "tenant: manage one tenant"], ["admin", "admin: everything"]];

function Issue({ close, done }: { close: () => void; done: () => void }) {
  const [d, set] = useState({ name: "", scope: "publish" as Key["scope"], tenant: "", lasts: "" });
  const [made, setMade] = useState<Key>();
  const issue = useAction(async () => {
    const expires = d.lasts && { expires_at: new Date(Date.now() + Number(d.lasts) * 86400e3).toISOString() };
    setMade(await call<Key>("POST", path("keys"), { name: d.name, scope: d.scope, ...(d.tenant && { tenant: d.tenant }), ...expires }));
    done();
  });
  if (made) {
    return (
      <Dialog title="The key" close={close}>
        <Note tone="good" icon="check">Copy it now: it is shown this once.</Note>
        <div class="secret"><code class="grow wrap">{made.key}</code><CopyIcon text={made.key ?? ""} label="Copy the key" /></div>
        <footer><Button kind="primary" onClick={close}>Done</Button></footer>
      </Dialog>
    );
  }
  return (
    <Dialog title="Issue a key" close={close}>
      <Field label="Name" fault={issue.error?.at("name")} hint="Who uses it.">{(ids) => <input {...ids} type="text" value={d.name} onInput={(e) => set({ ...d, name: e.currentTarget.value })} />}</Field>
      <Field label="Scope" fault={issue.error?.at("scope")}>
        {(ids) => <span class="select"><select {...ids} value={d.scope} onChange={(e) => set({ ...d, scope: e.currentTarget.value as Key["scope"] })}>{scopes.map(([v, w]) => <option key={v} value={v} selected={v === d.scope}>{w}</option>)}</select><Icon name="down" /></span>}
      </Field>
      <Field label="Tenant" optional={d.scope !== "tenant"} fault={issue.error?.at("tenant")} hint="The only tenant it is good for; empty = all.">{(ids) => <input {...ids} type="text" class="code" spellcheck={false} value={d.tenant} onInput={(e) => set({ ...d, tenant: e.currentTarget.value.trim() })} />}</Field>
      <Field label="Expires" fault={issue.error?.at("expires_at")}>
        {(ids) => <span class="select"><select {...ids} value={d.lasts} onChange={(e) => set({ ...d, lasts: e.currentTarget.value })}>{[["", "never"], ["1", "in a day"], ["30", "in 30 days"], ["90", "in 90 days"], ["365", "in a year"]].map(([v, w]) => <option key={v} value={v} selected={v === d.lasts}>{w}</option>)}</select><Icon name="down" /></span>}
      </Field>
      {issue.error && !issue.error.faults.length && <FaultNote error={issue.error} />}
      <footer><Button onClick={close}>Cancel</Button><Button kind="primary" busy={issue.busy} disabled={!d.name.trim()} onClick={() => void issue.run()}>Issue key</Button></footer>
    </Dialog>
  );
}

function Revoke({ of: k, close, done }: { of: Key; close: () => void; done: () => void }) {
  const act = useAction(async () => {
    await call("DELETE", path("keys", k.id));
    done();
  });
  return (
    <Dialog title="Revoke this key?" close={close}>
      <p><b><Text of={k.name} /></b> ({k.prefix}…) is good for nothing at once, and for ever.</p>
      <FaultNote error={act.error} />
      <footer><Button onClick={close}>Keep it</Button><Button kind="danger fill" busy={act.busy} onClick={() => void act.run()}>Revoke key</Button></footer>
    </Dialog>
  );
}
