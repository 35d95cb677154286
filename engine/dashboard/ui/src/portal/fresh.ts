import { signal } from "@preact/signals";

// fresh is the endpoint that was just added, or whose secret was just changed: its secret is shown once without being
// asked for. It lasts until the page is left.
export const fresh = signal<{ id: string; secret: string } | undefined>(undefined);
