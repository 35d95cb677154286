import { useState } from "preact/hooks";
import { call, list, path, Problem } from "../lib/api";
import { useAction, useLoad, usePages } from "../lib/load";
import { go, href } from "../lib/route";
import type { Profile, Tenant } from "../lib/types";
import { Icon } from "../ui/icons";
import { Button, Dialog, FaultNote, Field } from "../ui/parts";
import { Empty, ErrorState, More, Skeleton } from "../ui/states";
import { Text, Time } from "../ui/text";

export function Tenants({ admin }: { admin: boolean }) {
  const pages = usePages<Tenant>((cursor, abort) => list(path("tenants"), { limit: 50, cursor }, abort), []);
  const [adding, add] = useState(false);
  const button = admin && <Button kind="primary" icon="plus" onClick={() => add(true)}>Add tenant</Button>;
  return (
    <>
      <div class="pagehead"><div><h1>Tenants</h1><p>Customers of the provider, each with endpoints, events and logs of its own.</p></div>{button}</div>
      <div class="card">
        {!!pages.items?.length && <form class="filters" onSubmit={(e) => { e.preventDefault(); const id = new FormData(e.currentTarget).get("id"); if (typeof id === "string" && id.trim()) go(["tenants", id.trim()]); }}>
          <div class="searchbox"><Icon name="search" /><input type="search" name="id" placeholder="Open by id" aria-label="Open by id" spellcheck={false} autocomplete="off" /></div>
        </form>}
        {pages.error && !pages.items ? <ErrorState error={pages.error} retry={pages.reload} />
          : !pages.items ? <Skeleton />
          : pages.items.length === 0 ? <Empty icon="users" title="No tenants yet" action={button}>A tenant is one customer. Events are published to a tenant, and go to its endpoints.</Empty>
          : (
            <div class="scroll"><table class="table">
              <thead><tr><th>Tenant</th><th>Id</th><th>Profile</th><th class="number">Created</th></tr></thead>
              <tbody>{pages.items.map((t) => (
                <tr key={t.id}>
                  <td><a class="rowlink" href={href(["tenants", t.id])}><Text of={t.name || t.id} /></a></td>
                  <td><code class="soft"><Text of={t.id} /></code></td>
                  <td>{t.profile}</td>
                  <td class="number soft"><Time at={t.created_at} /></td>
                </tr>
              ))}</tbody>
            </table></div>
          )}
        <More more={pages.more} loading={pages.loading} />
      </div>
      {adding && <AddTenant close={() => add(false)} />}
    </>
  );
}

function AddTenant({ close }: { close: () => void }) {
  const profiles = useLoad((abort) => list<Profile>(path("profiles"), {}, abort), []);
  const [d, set] = useState({ id: "", name: "", profile: "standard", attributes: "" });
  const save = useAction(async () => {
    let attributes: unknown;
    try {
      attributes = d.attributes.trim() ? JSON.parse(d.attributes) : undefined;
    } catch {
      throw new Problem(0, "", "Not JSON", [{ location: "attributes", message: "Must be a JSON object." }]);
    }
    const t = await call<Tenant>("POST", path("tenants"), { profile: d.profile, name: d.name, ...(d.id && { id: d.id }), ...(attributes !== undefined && { attributes }) });
    go(["tenants", t.id]);
  });
  const at = (name: string) => save.error?.at(name);
  return (
    <Dialog title="Add tenant" close={close}>
      <Field label="Name" fault={at("name")}>{(ids) => <input {...ids} type="text" value={d.name} onInput={(e) => set({ ...d, name: e.currentTarget.value })} />}</Field>
      <Field label="Id" optional fault={at("id")} hint="Letters, digits, _ and -; made when left empty.">{(ids) => <input {...ids} type="text" class="code" value={d.id} spellcheck={false} onInput={(e) => set({ ...d, id: e.currentTarget.value })} />}</Field>
      <Field label="Profile" fault={at("profile")} hint={profiles.data?.data.find((p) => p.name === d.profile)?.description}>
        {(ids) => <span class="select"><select {...ids} value={d.profile} onChange={(e) => set({ ...d, profile: e.currentTarget.value })}>{(profiles.data?.data ?? []).map((p) => <option key={p.name} value={p.name} selected={p.name === d.profile}>{p.title}</option>)}</select><Icon name="down" /></span>}
      </Field>
      <Field label="Attributes" optional fault={save.error?.faults.find((f) => f.location.startsWith("attributes"))?.message} hint={d.profile === "dnsimple" ? <span>This profile needs <code>id</code>, <code>identifier</code> and <code>display</code>.</span> : "A JSON object; which members are needed is the profile's rule."}>
        {(ids) => <textarea {...ids} class="code" rows={3} spellcheck={false} value={d.attributes} onInput={(e) => set({ ...d, attributes: e.currentTarget.value })} />}
      </Field>
      {save.error && !save.error.faults.length && <FaultNote error={save.error} />}
      <footer><Button onClick={close}>Cancel</Button><Button kind="primary" busy={save.busy} onClick={() => void save.run()}>Add tenant</Button></footer>
    </Dialog>
  );
}
