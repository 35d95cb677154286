import { call } from "../lib/api";
import { useLoad } from "../lib/load";
import { href } from "../lib/route";
import { of, useAccount } from "../lib/session";
import type { Endpoint } from "../lib/types";
import { EndpointBadge } from "../ui/badge";
import { Back, Tabs, type Tab } from "../ui/parts";
import { ErrorState, Skeleton } from "../ui/states";
import { CopyIcon, Text } from "../ui/text";
import { Gate } from "./gate";
import { EditEndpoint } from "./form";
import { LogsOf } from "./logs";
import { Overview } from "./overview";
import { ReceiverCode } from "./code";
import { Replay } from "./replay";
import { SendTest } from "./test";

export function EndpointScreen({ id, tab }: { id: string; tab: string }) {
  const account = useAccount();
  const base = [...account.base, "endpoints", id];
  const loaded = useLoad<Endpoint>((abort) => call("GET", of(account, "endpoints", id), undefined, abort), [id]);
  const e = loaded.data;
  const back = <Back href={href([...account.base, "endpoints"])}>Endpoints</Back>;
  if (!e) return <>{back}<div class="card">{loaded.error ? <ErrorState error={loaded.error} retry={loaded.reload} /> : <Skeleton />}</div></>;
  const tabs: Tab[] = [
    { name: "overview", label: "Overview", href: href(base), icon: "gauge" },
    { name: "logs", label: "Logs", href: href([...base, "logs"]), icon: "list" },
    ...(account.manages ? [{ name: "test", label: "Send test event", href: href([...base, "test"]), icon: "flask" } as Tab] : []),
    { name: "replay", label: "Replay", href: href([...base, "replay"]), icon: "rotate" },
    { name: "code", label: "Receiver code", href: href([...base, "code"]), icon: "code" },
  ];
  return (
    <>
      {back}
      <div class="pagehead endpointhead">
        <div class="grow">
          <div class="row"><h1 class="mono wrap"><Text of={e.url} /></h1><CopyIcon text={e.url} label="Copy the address" /><EndpointBadge of={e.status} /></div>
          {e.description && <p><Text of={e.description} /></p>}
        </div>
      </div>
      <Gate endpoint={e} changed={loaded.set} />
      <Tabs tabs={tabs} at={tab === "edit" ? "overview" : tab} label="Endpoint" />
      {tab === "logs" ? <LogsOf endpoint={e} />
        : tab === "test" ? <SendTest endpoint={e} />
        : tab === "replay" ? <Replay endpoint={e} />
        : tab === "code" ? <ReceiverCode endpoint={e} />
        : tab === "edit" ? <EditEndpoint endpoint={e} done={loaded.set} />
        : <Overview endpoint={e} changed={loaded.set} />}
    </>
  );
}
