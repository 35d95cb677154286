// Objects of the API, as far as the pages read them. The reference is /openapi.json.

export interface Page<T> {
  data: T[];
  next_cursor: string | null;
}

export type Outcome = "acknowledged" | "rejected" | "unreachable" | "timed_out" | "gone";
export type DeliveryStatus = "pending" | "succeeded" | "exhausted" | "skipped" | "canceled";
export type EndpointStatus = "enabled" | "disabled" | "suppressed";
export type Headers = Record<string, string[]>;

export interface WhoAmI {
  id: string;
  scope: "admin" | "publish" | "read" | "tenant";
  tenant: string | null;
  expires_at: string | null;
}

export interface Tenant {
  id: string;
  profile: string;
  name: string;
  attributes: Record<string, unknown> | null;
  management_events: boolean;
  created_at: string;
}

export interface Endpoint {
  id: string;
  url: string;
  transport: string;
  description: string;
  status: EndpointStatus;
  disabled_at: string | null;
  disabled_reason: string | null;
  suppressed_at: string | null;
  consecutive_failures: number;
  event_types: string[] | null;
  filter: string | null;
  headers: Record<string, string> | null;
  concurrency: number | null;
  rate_limit: number | null;
  timeout: string | null;
  schedule: string[] | null;
  secret?: string;
  previous_secret_expires_at: string | null;
  created_at: string;
}

export interface Body {
  body?: string;
  body_base64?: string;
}

export interface Attempt {
  id: string;
  delivery_id: string | null;
  event_id: string;
  event_type: string;
  endpoint_id: string;
  number: number;
  trigger: "schedule" | "resend" | "test";
  started_at: string;
  finished_at: string;
  outcome: Outcome;
  error_kind: string | null;
  error: string | null;
  timings_ms: Timings;
  request: Body & { method: string; url: string; headers: Headers };
  response: (Body & { status: number; headers: Headers; truncated: boolean }) | null;
}

export interface Timings {
  dns: number;
  connect: number;
  tls: number;
  wait: number;
  body: number;
}

export interface Delivery {
  id: string;
  event_id: string;
  event_uid: string;
  event_type: string;
  endpoint_id: string;
  status: DeliveryStatus;
  reason: string | null;
  attempts_made: number;
  max_attempts: number;
  next_attempt_at: string | null;
  resend_of: string | null;
  created_at: string;
  attempts?: Attempt[];
}

export interface Recovery {
  id: string;
  endpoint_id: string;
  state: "running" | "done" | "canceled" | "stopped";
  reason: string | null;
  matched: number;
  created: number;
  started_at: string;
  finished_at: string | null;
}

export interface EventType {
  name: string;
  description: string;
  example: unknown;
  schema: unknown;
}

export interface Signature {
  scheme: "none" | "hmac" | "standard_webhooks";
  headers: string[];
  hash: "sha256" | "sha512" | null;
  encoding: "hex" | "base64" | null;
  signs: string | null;
  prefix: string | null;
  form: "single" | "timestamped" | null;
  version: "v1" | "v1a" | null;
  overlaps: boolean;
}

export interface Profile {
  name: string;
  version: number;
  title: string;
  description: string;
  https_only: boolean;
  timeout: string;
  schedule: string[];
  max_attempts: number;
  disable_after_exhausted: boolean;
  suppress_after: number;
  signatures: Signature[];
  event_types: EventType[];
}

export interface Counts {
  acknowledged: number;
  rejected: number;
  unreachable: number;
  timed_out: number;
  gone: number;
}

export interface Stats {
  from: string;
  to: string;
  attempts: Counts;
  success_rate: number | null;
  latency_ms: { p50: number; p95: number; p99: number } | null;
  backlog: number;
  oldest_pending_at: string | null;
  last_attempt: { finished_at: string; outcome: Outcome } | null;
  complete: boolean;
  steps: { from: string; attempts: Counts; latency_ms: { p50: number; p95: number; p99: number } | null }[] | null;
}

export interface SystemStats extends Stats {
  endpoints: { enabled: number; disabled: number; suppressed: number };
  worst: { tenant: string; endpoint_id: string; failed: number }[];
}

export interface LogStatus {
  head_seq: number;
  first_seq: number;
  views: Record<string, number>;
}

export interface TransportStatus {
  name: string;
  version: string;
  state: string;
  restarts: number;
  in_flight: number;
  last_error: string | null;
  held: number;
}

export interface Event extends Body {
  id: string;
  uid: string;
  seq: number;
  type: string;
  occurred_at: string;
  created_at: string;
  actor: unknown;
  metadata: unknown;
  matched: { endpoint_id: string; delivery_id: string; subscription_ids: string[] }[];
}

export interface Why {
  matched: boolean;
  text: string;
  subscriptions: { subscription_id: string; event_types: string[]; filter: string | null; explanation: { matched: boolean; text: string; clauses: { text: string; result: boolean }[] } }[];
}

export interface Key {
  id: string;
  name: string;
  scope: WhoAmI["scope"];
  tenant: string | null;
  prefix: string;
  created_at: string;
  expires_at: string | null;
  last_used_at: string | null;
  revoked_at: string | null;
  key?: string;
}

// LogRecord is one fact of the log, as /v1/stream shows it.
export interface LogRecord {
  seq: number;
  time: string;
  type: string;
  tenant: string;
  data: Record<string, unknown>;
}
