import { call } from "../lib/api";
import { useAction } from "../lib/load";
import { href } from "../lib/route";
import { of, useAccount } from "../lib/session";
import type { Endpoint } from "../lib/types";
import { whyBlocked } from "../ui/badge";
import { Icon } from "../ui/icons";
import { Button, FaultNote } from "../ui/parts";
import { Time } from "../ui/text";

// Gate stands over an endpoint that gets nothing: why, since when, what became of its events, and the way out.
export function Gate({ endpoint: e, changed }: { endpoint: Endpoint; changed: (e: Endpoint) => void }) {
  const account = useAccount();
  const open = useAction(async (verb: string) => changed(await call<Endpoint>("POST", of(account, "endpoints", e.id) + ":" + verb)));
  if (e.status === "enabled") return null;
  const both = e.disabled_at && e.suppressed_at;
  return (
    <div class={"gatebar " + (e.status === "disabled" ? "bad" : "warn")} role="status">
      <Icon name={e.status === "disabled" ? "pause" : "alert"} />
      <div class="grow">
        <strong>{whyBlocked(e)}</strong>{" "}
        {e.status === "disabled" ? "Nothing is sent to it" : "Nothing is sent to it for now"}, since <Time at={(e.disabled_at ?? e.suppressed_at)!} />. Events that would have gone there are kept:
        once it is open again you can send them by <a href={href([...account.base, "endpoints", e.id, "replay"])}>Replay</a>.
        {both && " It is suppressed as well."}
        <FaultNote error={open.error} />
      </div>
      {account.manages && (
        <Button kind="primary" busy={open.busy} onClick={() => void open.run(e.status === "suppressed" ? "clear-suppression" : "enable")}>
          {e.status === "suppressed" ? "Clear suppression" : "Enable"}
        </Button>
      )}
    </div>
  );
}
