import type { Attempt, DeliveryStatus, Endpoint, EndpointStatus, Outcome, Recovery } from "../lib/types";
import { Icon, type IconName } from "./icons";

type Tone = "good" | "bad" | "warn" | "calm" | "info";

interface Look {
  tone: Tone;
  icon: IconName;
  word: string;
}

const outcomes: Record<Outcome, Look> = {
  acknowledged: { tone: "good", icon: "check", word: "Acknowledged" },
  rejected: { tone: "bad", icon: "cross", word: "Rejected" },
  unreachable: { tone: "bad", icon: "unplug", word: "Unreachable" },
  timed_out: { tone: "bad", icon: "clock", word: "Timed out" },
  gone: { tone: "warn", icon: "slash", word: "Gone" },
};

const deliveries: Record<DeliveryStatus, Look> = {
  pending: { tone: "info", icon: "clock", word: "Pending" },
  succeeded: { tone: "good", icon: "check", word: "Succeeded" },
  exhausted: { tone: "bad", icon: "cross", word: "Exhausted" },
  skipped: { tone: "warn", icon: "skip", word: "Skipped" },
  canceled: { tone: "calm", icon: "slash", word: "Canceled" },
};

const endpoints: Record<EndpointStatus, Look> = {
  enabled: { tone: "good", icon: "check", word: "Enabled" },
  disabled: { tone: "bad", icon: "pause", word: "Disabled" },
  suppressed: { tone: "warn", icon: "alert", word: "Suppressed" },
};

const recoveries: Record<Recovery["state"], Look> = {
  running: { tone: "info", icon: "clock", word: "Running" },
  done: { tone: "good", icon: "check", word: "Done" },
  canceled: { tone: "calm", icon: "slash", word: "Canceled" },
  stopped: { tone: "warn", icon: "alert", word: "Stopped" },
};

export function Badge({ tone, icon, word }: Look) {
  return (
    <span class={"badge " + tone}>
      <Icon name={icon} />
      {word}
    </span>
  );
}

export const OutcomeBadge = ({ of, status }: { of: Outcome; status?: number }) => <Badge {...outcomes[of]} word={outcomes[of].word + (status ? " · " + status : "")} />;
export const DeliveryBadge = ({ of }: { of: DeliveryStatus }) => <Badge {...deliveries[of]} />;
export const EndpointBadge = ({ of }: { of: EndpointStatus }) => <Badge {...endpoints[of]} />;
export const RecoveryBadge = ({ of }: { of: Recovery["state"] }) => <Badge {...recoveries[of]} />;

export const outcomeWords = Object.fromEntries(Object.entries(outcomes).map(([k, v]) => [k, v.word])) as Record<Outcome, string>;
export const deliveryWords = Object.fromEntries(Object.entries(deliveries).map(([k, v]) => [k, v.word])) as Record<DeliveryStatus, string>;

const reasons: Record<string, string> = {
  disabled: "the endpoint was disabled when it was due",
  suppressed: "the endpoint was suppressed when it was due",
  endpoint_deleted: "the endpoint was deleted",
  tenant_deleted: "the account was deleted",
  canceled_by_user: "somebody canceled it",
  schedule_used_up: "every attempt of the schedule failed",
  time_limit: "the schedule's time limit was reached",
  plugin_fault: "held: our sending side failed, not the receiver",
};

export function reasonWords(reason: string): string {
  return reasons[reason] ?? reason;
}

// whyBlocked says why nothing is sent to an endpoint.
export function whyBlocked(e: Endpoint): string {
  if (e.status === "suppressed") return `Suppressed after ${e.consecutive_failures} failed attempts in a row.`;
  const why: Record<string, string> = {
    delivery_exhausted: "Disabled because a delivery used up all its attempts.",
    gone: "Disabled because the receiver answered 410 Gone.",
    by_user: "Disabled by a person.",
    handshake: "Waiting for the receiver's consent: it has not answered the handshake yet.",
    handshake_refused: "Disabled because the receiver did not give its consent in the handshake.",
  };
  return e.disabled_reason ? (why[e.disabled_reason] ?? `Disabled: ${e.disabled_reason}.`) : "Disabled.";
}

const kinds: Record<string, string> = {
  dns: "the host name does not resolve",
  refused_address: "the address is not allowed as a target",
  connect_refused: "nothing listens there: the connection was refused",
  connection_reset: "the connection broke before an answer came",
  tls_untrusted: "the certificate is not trusted",
  tls_name: "the certificate is for another name",
  tls_other: "the TLS handshake failed",
  timeout_connect: "no connection within the time limit",
  timeout_response: "no answer within the time limit",
  status: "the status is none that counts as success",
  redirect: "a redirect; redirects are not followed",
  protocol: "the answer is not valid HTTP",
  auth_token: "no access token could be got",
};

export function kindWords(a: Attempt): string {
  return a.error_kind ? (kinds[a.error_kind] ?? a.error_kind) : "";
}
