import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { call, path, Problem, signedOut } from "../lib/api";
import { forget, href, place, titled } from "../lib/route";
import { AccountContext, loadAccount, type Account } from "../lib/session";
import { applyTheme } from "../lib/theme";
import type { WhoAmI } from "../lib/types";
import { Logo } from "../ui/icons";
import { ThemeSwitch } from "../ui/parts";
import { Skeleton } from "../ui/states";
import { Closed, notKept } from "./closed";
import { AccountScreens } from "./screens";

// takeToken reads the link's token out of the address, before anything else is done, and removes it there.
function takeToken(): string {
  const text = location.hash.slice(1);
  if (!text || text.startsWith("/")) return "";
  forget();
  return text;
}

const token = takeToken();

const titles = { endpoints: "Endpoints", logs: "Logs", types: "Event types", new: "Add endpoint", test: "Send test event", replay: "Replay", code: "Receiver code", edit: "Edit", deliveries: "Delivery" };

async function enter(): Promise<Account> {
  if (token) await call("POST", path("portal-sessions:open").replace("%3A", ":"), { token });
  const who = await call<WhoAmI>("GET", path("whoami")).catch((e) => {
    // The link was good, and still nobody is known: the browser did not take the cookie.
    throw token && e instanceof Problem && e.status === 401 ? new Problem(0, notKept, "") : e;
  });
  if (!who.tenant) throw new Problem(403, "No session", "This browser has no session of one account.");
  return loadAccount(who.tenant, [], true);
}

function Portal() {
  const [account, setAccount] = useState<Account>();
  const [error, setError] = useState<Problem>();
  useEffect(() => {
    enter().then(setAccount, (e) => setError(e instanceof Problem ? e : new Problem(0, "", String(e))));
  }, []);
  useEffect(() => {
    if (account) document.title = titled(titles, (account.tenant.name || account.tenant.id) + " webhooks");
  }, [account, place.value.path.join("/")]);
  if (error || signedOut.value) return <Closed error={error} fresh={!!token && !account} />;
  const at = place.value.path[0] ?? "endpoints";
  return (
    <>
      <a class="skip" href="#main" onClick={(e) => { e.preventDefault(); document.getElementById("main")?.focus(); }}>Skip to content</a>
      <header class="topbar">
        <div>
          <a class="brand" href={href(["endpoints"])}><Logo /><span class="clip">{account ? account.tenant.name || account.tenant.id : "Webhooks"}</span></a>
          <nav class="mainnav grow" aria-label="Main">
            {([["endpoints", "Endpoints"], ["logs", "Logs"], ["types", "Event types"]] as const).map(([name, label]) => (
              <a key={name} href={href([name])} aria-current={at === name || (name === "logs" && at === "deliveries") ? "page" : undefined}>{label}</a>
            ))}
          </nav>
          <span class="crumb small">{account?.profile.title}</span>
          <ThemeSwitch />
        </div>
      </header>
      <main class="content" id="main" tabIndex={-1}>
        {account ? <AccountContext.Provider value={account}><AccountScreens path={place.value.path} /></AccountContext.Provider> : <Skeleton />}
      </main>
    </>
  );
}

applyTheme();
render(<Portal />, document.getElementById("app")!);
