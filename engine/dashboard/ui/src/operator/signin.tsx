import { useState } from "preact/hooks";
import { call, path, Problem, useKey } from "../lib/api";
import { useAction } from "../lib/load";
import type { WhoAmI } from "../lib/types";
import { Logo } from "../ui/icons";
import { Button, FaultNote, Field, Note } from "../ui/parts";

// SignIn asks for a key. It is kept in memory only: a reload asks again.
export function SignIn({ again, enter }: { again: boolean; enter: (w: WhoAmI) => void }) {
  const [key, setKey] = useState("");
  const go = useAction(async () => {
    useKey(key.trim());
    let who: WhoAmI;
    try {
      who = await call<WhoAmI>("GET", path("whoami"));
    } catch (e) {
      throw e instanceof Problem && e.status === 401 ? new Problem(0, "", "This key is not known here. It may have been revoked, or belong to another server.") : e;
    }
    if (who.scope === "publish") throw new Problem(0, "", "This key may only publish. The dashboard needs one that may read.");
    setKey("");
    enter(who);
  });
  return (
    <main class="gate">
      <form class="card gatecard" onSubmit={(e) => { e.preventDefault(); void go.run(); }}>
        <Logo />
        <h1>hookline</h1>
        {again && !go.error && <Note tone="warn">The key is not valid any more. Give another one.</Note>}
        <Field label="API key" hint="Kept in this page's memory only. A reload asks for it again.">
          {(ids) => <input {...ids} type="password" class="code" value={key} autocomplete="off" autofocus spellcheck={false} onInput={(e) => setKey(e.currentTarget.value)} />}
        </Field>
        <FaultNote error={go.error} />
        <Button kind="primary" type="submit" busy={go.busy} disabled={!key.trim()}>Open the dashboard</Button>
        <p class="small soft">The admin key was shown at the first start and is in <code>admin.key</code> of the data directory. Customers come by a link to the portal. <a href="/openapi.json">API reference</a></p>
      </form>
    </main>
  );
}
