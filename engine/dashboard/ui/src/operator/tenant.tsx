import { useState } from "preact/hooks";
import { call, path } from "../lib/api";
import { useAction, useLoad } from "../lib/load";
import { href } from "../lib/route";
import { AccountContext, loadAccount } from "../lib/session";
import type { WhoAmI } from "../lib/types";
import { AccountScreens } from "../portal/screens";
import { Back, Button, Dialog, FaultNote, Tabs } from "../ui/parts";
import { ErrorState, Skeleton } from "../ui/states";
import { CopyIcon, Text } from "../ui/text";
import { EventScreen } from "./event";
import { Events } from "./events";

// TenantScreens are one customer's screens: those of the portal, and what only an operator sees.
export function TenantScreens({ id, path: at, who }: { id: string; path: string[]; who: WhoAmI }) {
  const base = ["tenants", id];
  const manages = who.scope === "admin" || who.scope === "tenant";
  const loaded = useLoad((abort) => loadAccount(id, base, manages, abort), [id]);
  const back = !who.tenant && <Back href={href(["tenants"])}>Tenants</Back>;
  if (!loaded.data) return <>{back}<div class="card">{loaded.error ? <ErrorState error={loaded.error} retry={loaded.reload} /> : <Skeleton />}</div></>;
  const { tenant, profile } = loaded.data;
  const [first = "endpoints", second] = at;
  const tabs = ([["endpoints", "Endpoints", "bolt"], ["events", "Events", "send"], ["logs", "Logs", "list"], ["types", "Event types", "book"]] as const).map(([name, label, icon]) => ({ name, label, icon, href: href([...base, name]) }));
  return (
    <AccountContext.Provider value={loaded.data}>
      {back}
      <div class="tenanthead"><div class="row"><b><Text of={tenant.name || tenant.id} /></b><code class="faint"><Text of={tenant.id} /></code><span class="tag">{profile.name}</span></div>{who.scope === "admin" && <PortalLink tenant={tenant.id} />}</div>
      <Tabs label="Tenant" tabs={tabs} at={first === "deliveries" ? "events" : first} />
      {first === "events" ? (second ? <EventScreen key={second} id={second} /> : <Events />) : <AccountScreens path={at} />}
    </AccountContext.Provider>
  );
}

// PortalLink makes the link that opens the portal for this customer, once.
function PortalLink({ tenant }: { tenant: string }) {
  const [link, setLink] = useState<string>();
  const make = useAction(async () => setLink((await call<{ url: string }>("POST", path("tenants", tenant, "portal-sessions"))).url));
  return (
    <>
      <FaultNote error={make.error} />
      <Button kind="small" icon="out" busy={make.busy} onClick={() => void make.run()}>Portal link</Button>
      {link && (
        <Dialog title="A link to the customer portal" close={() => setLink(undefined)}>
          <p class="soft">It opens one session of this customer, once, within five minutes. Whoever has it can manage the customer's endpoints.</p>
          <div class="secret"><code class="grow wrap">{link}</code><CopyIcon text={link} label="Copy the link" /></div>
          <footer><Button onClick={() => setLink(undefined)}>Close</Button><a class="button primary" href={link} target="_blank" rel="noreferrer noopener" onClick={() => setLink(undefined)}>Open it</a></footer>
        </Dialog>
      )}
    </>
  );
}
