import { signal } from "@preact/signals";
import { span } from "./text";

// now ticks once a second, while the page is seen.
export const now = signal(Date.now());

setInterval(() => {
  if (document.visibilityState === "visible") now.value = Date.now();
}, 1000);

export function relative(at: number, from: number): string {
  const ago = from - at;
  const near = Math.abs(ago);
  if (near < 1500) return "now";
  const text = near < 60000 ? Math.round(near / 1000) + " s" : near < 3600000 ? Math.round(near / 60000) + " min" : near < 86400000 * 2 ? Math.round(near / 3600000) + " h" : near < 86400000 * 60 ? Math.round(near / 86400000) + " d" : span(near);
  return ago > 0 ? text + " ago" : "in " + text;
}

// exact is local time with its offset, to the millisecond where there are any.
export function exact(at: string): string {
  const d = new Date(at);
  const two = (n: number) => String(n).padStart(2, "0");
  const offset = -d.getTimezoneOffset();
  const zone = offset === 0 ? "UTC" : "UTC" + (offset < 0 ? "-" : "+") + two(Math.floor(Math.abs(offset) / 60)) + ":" + two(Math.abs(offset) % 60);
  const ms = d.getMilliseconds();
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${clock(d)}${ms ? "." + String(ms).padStart(3, "0") : ""} ${zone}`;
}

export function clock(d: Date): string {
  return [d.getHours(), d.getMinutes(), d.getSeconds()].map((n) => String(n).padStart(2, "0")).join(":");
}
