import { useAccount } from "../lib/session";
import { href } from "../lib/route";
import { Empty } from "../ui/states";
import { AddEndpoint } from "./form";
import { DeliveryScreen } from "./delivery";
import { EndpointScreen } from "./endpoint";
import { Endpoints } from "./endpoints";
import { Logs } from "./logs";
import { EventTypes } from "./types";

// AccountScreens are a customer's screens, in the portal and inside the operator's dashboard.
export function AccountScreens({ path }: { path: string[] }) {
  const account = useAccount();
  const [first = "endpoints", second, third = "overview"] = path;
  if (first === "endpoints" && !second) return <Endpoints />;
  if (first === "endpoints" && second === "new") return <AddEndpoint />;
  if (first === "endpoints") return <EndpointScreen key={second} id={second!} tab={third} />;
  if (first === "logs") return <Logs />;
  if (first === "deliveries" && second) return <DeliveryScreen key={second} id={second} />;
  if (first === "types") return <EventTypes />;
  return (
    <Empty icon="search" title="There is nothing here" action={<a class="button" href={href([...account.base, "endpoints"])}>To the endpoints</a>}>
      The address names no screen of this page.
    </Empty>
  );
}
