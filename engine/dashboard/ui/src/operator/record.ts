import type { LogRecord } from "../lib/types";
import type { IconName } from "../ui/icons";

export interface Summary {
  text: string;
  tone: string;
  icon: IconName;
  at?: string[]; // the screen that shows what it is about
}

const text = (v: unknown): string => (typeof v === "string" ? v : typeof v === "number" ? String(v) : "");

// summary says in a line what a record tells.
export function summary(r: LogRecord): Summary {
  const d = r.data ?? {};
  const tenant = ["tenants", r.tenant];
  switch (r.type) {
    case "event.published": {
      const n = Array.isArray(d["matches"]) ? d["matches"].length : 0;
      return { text: `${text(d["type"])}  ${text(d["id"])}  ${n === 0 ? "matched no endpoint" : n === 1 ? "to 1 endpoint" : `to ${n} endpoints`}`, tone: n ? "info" : "warn", icon: "bolt", at: [...tenant, "events", text(d["id"])] };
    }
    case "attempt.finished":
    case "endpoint.tested": {
      const good = d["outcome"] === "acknowledged";
      const at = d["delivery_id"] ? [...tenant, "deliveries", text(d["delivery_id"])] : [...tenant, "endpoints", text(d["endpoint_id"]), "logs"];
      return { text: `${text(d["event_type"])}  ${text(d["outcome"])}${d["status_code"] ? " " + text(d["status_code"]) : d["kind"] ? " " + text(d["kind"]) : ""}  attempt ${text(d["number"])}, ${text(d["took_ms"])} ms`, tone: good ? "good" : "bad", icon: good ? "check" : "cross", at };
    }
    case "attempt.interrupted":
      return { text: "our side failed; it does not count", tone: "warn", icon: "alert", at: d["delivery_id"] ? [...tenant, "deliveries", text(d["delivery_id"])] : undefined };
    case "endpoint.disabled":
    case "endpoint.suppressed":
      return { text: `${text(d["endpoint_id"])}  ${text(d["reason"])}`, tone: "bad", icon: "pause", at: [...tenant, "endpoints", text(d["endpoint_id"])] };
    case "delivery.skipped":
    case "delivery.canceled": {
      const n = Array.isArray(d["delivery_ids"]) ? d["delivery_ids"].length : 0;
      return { text: `${n} ${n === 1 ? "delivery" : "deliveries"}  ${text(d["reason"])}`, tone: "warn", icon: "skip" };
    }
    case "endpoint.enabled":
    case "endpoint.updated":
    case "endpoint.suppression_cleared":
    case "endpoint.secret_rotated":
      return { text: text(d["endpoint_id"]), tone: "calm", icon: "pencil", at: d["endpoint_id"] ? [...tenant, "endpoints", text(d["endpoint_id"])] : undefined };
  }
  const words = ["name", "endpoint_id", "recovery_id", "session_id", "key_id", "reason", "owner"].map((k) => text(d[k])).filter(Boolean);
  return { text: words.join("  "), tone: "calm", icon: "list", at: r.tenant ? tenant : undefined };
}
