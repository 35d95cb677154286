import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Problem } from "../lib/api";
import { Icon, type IconName } from "./icons";

// The four states of a list: loading, an error with another try, nothing that matches with a way back, and empty with the
// next step. The fifth is the list.

export function Skeleton({ rows = 5 }: { rows?: number }) {
  const [shown, show] = useState(false);
  useEffect(() => {
    const t = setTimeout(() => show(true), 120); // what is quick does not flicker
    return () => clearTimeout(t);
  }, []);
  return (
    <div class={shown ? "skeleton" : "skeleton hidden"} role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, i) => <div key={i} />)}
    </div>
  );
}

export function ErrorState({ error, retry }: { error: Problem; retry?: () => void }) {
  return (
    <div class="state" role="alert">
      <span class="stateicon bad"><Icon name="alert" /></span>
      <h2>{error.status === 404 ? "Not found" : error.status === 0 ? "No answer from the server" : "This did not work"}</h2>
      <p>{error.message}</p>
      {retry && <button type="button" class="button" onClick={retry}><Icon name="rotate" />Try again</button>}
    </div>
  );
}

export function NoMatch({ what, clear }: { what: string; clear: () => void }) {
  return (
    <div class="state">
      <span class="stateicon"><Icon name="search" /></span>
      <h2>No {what} match</h2>
      <p>Nothing fits all the filters that are set.</p>
      <button type="button" class="button" onClick={clear}>Clear filters</button>
    </div>
  );
}

export function Empty({ icon, title, children, action }: { icon: IconName; title: string; children: ComponentChildren; action?: ComponentChildren }) {
  return (
    <div class="state">
      <span class="stateicon"><Icon name={icon} /></span>
      <h2>{title}</h2>
      <p>{children}</p>
      {action}
    </div>
  );
}

export function More({ more, loading }: { more?: () => void; loading: boolean }) {
  if (!more) return null;
  return (
    <div class="more">
      <button type="button" class="button quiet" onClick={more} disabled={loading}>{loading ? "Loading…" : "Show more"}</button>
    </div>
  );
}
