import { signal } from "@preact/signals";

// Where the page is, is in the fragment: #/endpoints/ep_1/logs?outcome=rejected. It is shareable, it is what Back goes
// back to, and servers never see it.

export interface Place {
  path: string[];
  query: Record<string, string>;
}

function read(): Place {
  const text = location.hash.replace(/^#\/?/, "");
  const at = text.indexOf("?");
  const path = (at < 0 ? text : text.slice(0, at)).split("/").filter(Boolean).map(decode);
  return { path, query: Object.fromEntries(new URLSearchParams(at < 0 ? "" : text.slice(at + 1))) };
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

export const place = signal<Place>(read());

addEventListener("hashchange", () => {
  const before = place.value.path.join("/");
  place.value = read();
  if (before === place.value.path.join("/")) return;
  scrollTo(0, 0);
  document.getElementById("main")?.focus({ preventScroll: true }); // another screen: keyboards and readers begin at its top
});

// titled is the window's title for the present screen: its name, then whose it is.
export function titled(screens: Record<string, string>, whose: string): string {
  const name = [...place.value.path].reverse().map((p) => (Object.hasOwn(screens, p) ? screens[p] : undefined)).find(Boolean);
  return (name ? name + " · " : "") + whose;
}

export function href(path: string[], query: Record<string, string | undefined> = {}): string {
  const q = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value) q.set(name, value);
  const text = q.toString();
  return "#/" + path.map(encodeURIComponent).join("/") + (text && "?" + text);
}

export function go(path: string[], query: Record<string, string | undefined> = {}): void {
  location.hash = href(path, query);
}

// amend changes values of the query and keeps the rest; "" or undefined takes one away. It replaces: typing into a filter
// is no step to go back to.
export function amend(values: Record<string, string | undefined>): void {
  const { path, query } = place.peek();
  history.replaceState(null, "", href(path, { ...query, ...values }));
  place.value = read();
}

// forget takes the fragment out of the address and the history.
export function forget(): void {
  history.replaceState(null, "", location.pathname);
  place.value = read();
}
