import { list } from "../lib/api";
import { usePages } from "../lib/load";
import { amend, href, place } from "../lib/route";
import { of, useAccount } from "../lib/session";
import { plural } from "../lib/text";
import type { Event } from "../lib/types";
import { deliveryWords } from "../ui/badge";
import { Icon } from "../ui/icons";
import { Button, Select } from "../ui/parts";
import { Empty, ErrorState, More, NoMatch, Skeleton } from "../ui/states";
import { Id, Text, Time } from "../ui/text";

const matched: [string, string][] = [["", "Matched or not"], ["true", "Matched an endpoint"], ["false", "Matched none"]];

export function Events() {
  const account = useAccount();
  const q = place.value.query;
  const filters = { type: q["type"], status: q["status"], matched: q["matched"], id: q["id"], metadata: q["metadata"] };
  const pages = usePages<Event>(async (cursor, abort) => {
    for (let at = cursor; ; ) { // a search may end a page early
      const p = await list<Event>(of(account, "events"), { ...filters, limit: 50, cursor: at }, abort);
      if (p.data.length > 0 || !p.next_cursor) return p;
      at = p.next_cursor;
    }
  }, [account.tenant.id, filters]);
  const filtered = Object.values(filters).some(Boolean);
  const clear = () => amend({ type: "", status: "", matched: "", id: "", metadata: "" });
  const search = (name: string, label: string) => (
    <div class="searchbox"><Icon name="search" /><input type="search" placeholder={label} aria-label={label} spellcheck={false} value={q[name] ?? ""} onChange={(e) => amend({ [name]: e.currentTarget.value.trim() })} /></div>
  );
  return (
    <div class="card">
      <h1 class="sr">Events</h1>
      <div class="filters" role="search">
        <Select label="Event type" value={q["type"] ?? ""} options={[["", "Any event type"], ...account.profile.event_types.map((t): [string, string] => [t.name, t.name])]} change={(type) => amend({ type })} />
        <Select label="Delivery" value={q["status"] ?? ""} options={[["", "Any delivery"], ...Object.entries(deliveryWords)]} change={(status) => amend({ status })} />
        <Select label="Matched" value={q["matched"] ?? ""} options={matched} change={(m) => amend({ matched: m })} />
        {search("id", "Event id or uid")}
        {search("metadata", "Text in metadata")}
        {filtered && <Button kind="quiet small" onClick={clear}>Clear</Button>}
        <span class="grow" />
        <Button kind="quiet small" icon="rotate" busy={pages.loading} onClick={pages.reload}>Refresh</Button>
      </div>
      {pages.error && !pages.items ? <ErrorState error={pages.error} retry={pages.reload} />
        : !pages.items ? <Skeleton rows={8} />
        : pages.items.length === 0 ? (filtered ? <NoMatch what="events" clear={clear} /> : <Empty icon="send" title="No events yet">Publish one with <code>hookline publish {account.tenant.id} TYPE -d -</code> or over the API.</Empty>)
        : (
          <div class="scroll"><table class="table">
            <thead><tr><th>Event type</th><th>Id</th><th>Went to</th><th class="number">Seq</th><th class="number">Published</th></tr></thead>
            <tbody>{pages.items.map((e) => (
              <tr key={e.uid}>
                <td><a class="rowlink mono" href={href([...account.base, "events", e.uid])}><Text of={e.type} /></a></td>
                <td><Id of={e.id} short /></td>
                <td>{e.matched.length ? plural(e.matched.length, "endpoint") : <span class="faint">none</span>}</td>
                <td class="number soft">{e.seq}</td>
                <td class="number soft"><Time at={e.created_at} /></td>
              </tr>
            ))}</tbody>
          </table></div>
        )}
      <More more={pages.more} loading={pages.loading} />
    </div>
  );
}
