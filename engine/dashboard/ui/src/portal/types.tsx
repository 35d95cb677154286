import { amend, place } from "../lib/route";
import { useAccount } from "../lib/session";
import { plural } from "../lib/text";
import { Code } from "../ui/http";
import { Icon } from "../ui/icons";
import { Empty, NoMatch } from "../ui/states";
import { Copy } from "../ui/text";
import { groups, matches } from "./picker";

// EventTypes is the catalogue: what may arrive, when, and how it looks.
export function EventTypes() {
  const { profile } = useAccount();
  const { find = "", type = "" } = place.value.query;
  const shown = profile.event_types.filter((t) => matches(t, find));
  return (
    <>
      <div class="pagehead"><div><h1>Event types</h1><p>{plural(profile.event_types.length, "type")}, and what stands in their <code>data</code>. The values are made up.</p></div></div>
      <div class="card">
        <div class="filters"><div class="searchbox"><Icon name="search" /><input type="search" placeholder="Find an event type" aria-label="Find an event type" value={find} onInput={(e) => amend({ find: e.currentTarget.value })} /></div></div>
        {profile.event_types.length === 0 ? <Empty icon="book" title="No catalogue">Any event type may be sent.</Empty>
          : shown.length === 0 ? <NoMatch what="event types" clear={() => amend({ find: "" })} />
          : groups(shown).map((g) => (
            <section key={g.name} class="catalogue-section" aria-label={g.name}>
              {g.types.map((t) => (
                <details key={t.name} open={t.name === type} onToggle={(e) => e.currentTarget.open ? amend({ type: t.name }) : t.name === place.peek().query["type"] && amend({ type: "" })}>
                  <summary><code>{t.name}</code><span class="soft">{t.description}</span><Icon name="down" /></summary>
                  <div class="detailbody"><div class="row spread"><span class="faint small">Example of data</span><Copy text={JSON.stringify(t.example, null, 2)} quiet /></div><Code text={JSON.stringify(t.example)} label={"Example of data of " + t.name} /></div>
                </details>
              ))}
            </section>
          ))}
      </div>
    </>
  );
}
