import { useLoad } from "../lib/load";
import { amend, place } from "../lib/route";
import { useAccount } from "../lib/session";
import type { Endpoint } from "../lib/types";
import { Note, Segments } from "../ui/parts";
import { Empty, ErrorState, Skeleton } from "../ui/states";
import { Copy } from "../ui/text";

// ReceiverCode is a receiver that verifies this profile's signature, in six languages. It is loaded when it is looked at.
export function ReceiverCode({ endpoint: e }: { endpoint: Endpoint }) {
  const { profile } = useAccount();
  const loaded = useLoad(() => import("../snippets/all"), []);
  if (!loaded.data) return <div class="card">{loaded.error ? <ErrorState error={loaded.error} retry={loaded.reload} /> : <Skeleton />}</div>;
  const { languages, planOf } = loaded.data;
  const plan = planOf(profile);
  if (!plan) return <div class="card"><Empty icon="code" title="No ready code">For the signature of {profile.title} there is no ready code. Its documents say how to verify it.</Empty></div>;
  const l = languages.find((x) => x.name === place.value.query["lang"]) ?? languages[0]!;
  const text = l.write(plan);
  return (
    <div class="columns">
      <section class="card" aria-label="Receiver">
        <header><Segments label="Language" at={l.name} options={languages.map((x) => [x.name, x.label])} choose={(lang) => amend({ lang })} /><Copy text={text} /></header>
        <div class="body"><pre class="code snippet" tabIndex={0} aria-label={"Receiver in " + l.label}>{text}</pre></div>
      </section>
      <section class="card" aria-label="How to use it">
        <header><h2>{l.file}</h2></header>
        <div class="body stack">
          <p class="small soft">A whole receiver without further libraries{l.name === "ruby" && " but Rack"}. Start it with</p>
          <div class="secret"><code class="grow wrap">{plan.kind === "none" ? l.run.replace("WEBHOOK_SECRET=… ", "") : l.run}</code></div>
          <ul class="points small soft">
            {plan.kind === "none" && <li>{profile.title} does not sign. Keep the address hard to guess, and ask the API before you act on what came.</li>}
            {plan.kind !== "none" && <li>Verify the bytes as they came. Parsing and writing JSON again changes them.</li>}
            <li>Answer 200 within {profile.timeout}, before you begin to work on the event.</li>
            <li>The same event may come twice: remember its id, and do nothing the second time.</li>
            <li>Order is not promised.</li>
          </ul>
          {e.url.startsWith("https:") && <Note>It listens on plain HTTP. Put it behind the server that ends TLS for your address.</Note>}
        </div>
      </section>
    </div>
  );
}
