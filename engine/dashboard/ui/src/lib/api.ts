import { signal } from "@preact/signals";
import type { Page } from "./types";

// The key of an operator. It is here and nowhere else: not in the URL, not in storage; a reload asks for it again. The
// portal has none: its session is a cookie that scripts cannot read.
let bearer = "";

// signedOut turns true when the server does not know the caller any more.
export const signedOut = signal(false);

export function useKey(key: string): void {
  bearer = key;
  signedOut.value = false;
}

export interface Fault {
  location: string;
  message: string;
}

// Problem is a refusal (RFC 9457), or that there was no answer: then status is 0.
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    detail: string,
    readonly faults: Fault[] = [],
  ) {
    super(detail || title);
  }

  // at is what is wrong with one field.
  at(location: string): string | undefined {
    return this.faults.find((f) => f.location === location || f.location.startsWith(location + "["))?.message;
  }
}

function headers(body: boolean): Headers {
  const h = new Headers({ Accept: "application/json" });
  if (bearer) h.set("Authorization", "Bearer " + bearer);
  if (body) h.set("Content-Type", "application/json");
  return h;
}

// fetchAs is fetch as the present caller.
export async function fetchAs(path: string, init: RequestInit = {}, more: Record<string, string> = {}): Promise<Response> {
  const all = headers(init.body != null);
  for (const [name, value] of Object.entries(more)) all.set(name, value);
  const response = await fetch(path, {
    ...init,
    headers: all,
    credentials: bearer ? "omit" : "same-origin",
    cache: "no-store",
    redirect: "error",
  });
  if (response.status === 401) signedOut.value = true;
  return response;
}

// call asks the API and returns the object it answers, or throws a Problem.
export async function call<T>(method: string, path: string, body?: unknown, abort?: AbortSignal): Promise<T> {
  return send<T>(method, path, body === undefined ? undefined : JSON.stringify(body), abort);
}

// send is call with a body that is JSON text already, so that its bytes stay as they are.
export async function send<T>(method: string, path: string, body?: string, abort?: AbortSignal): Promise<T> {
  let response: Response;
  try {
    response = await fetchAs(path, { method, body, signal: abort });
  } catch (e) {
    if (abort?.aborted) throw e;
    throw new Problem(0, "No answer", "The server did not answer. Check the connection and try again.");
  }
  if (response.status === 204) return undefined as T;
  const text = await response.text();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Problem(response.status, "Unreadable answer", `The server answered ${response.status} without JSON.`);
  }
  if (!response.ok) {
    const p = value as { title?: string; detail?: string; errors?: Fault[] };
    throw new Problem(response.status, p.title ?? "Refused", p.detail ?? "", p.errors ?? []);
  }
  return value as T;
}

// path joins segments, each escaped.
export function path(...segments: string[]): string {
  return "/v1/" + segments.map(encodeURIComponent).join("/");
}

type Query = Record<string, string | number | undefined>;

export function query(values: Query): string {
  const q = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined && value !== "") q.set(name, String(value));
  const text = q.toString();
  return text && "?" + text;
}

export function list<T>(base: string, values: Query, abort?: AbortSignal): Promise<Page<T>> {
  return call<Page<T>>("GET", base + query(values), undefined, abort);
}
