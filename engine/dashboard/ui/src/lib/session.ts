import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { call, path } from "./api";
import type { Profile, Tenant } from "./types";

// Account is whose screens are shown: the customer of a session, or the one an operator looks at.
export interface Account {
  tenant: Tenant;
  profile: Profile;
  // base are the first segments of links to its screens.
  base: string[];
  // manages is false for a key that may only read.
  manages: boolean;
}

export const AccountContext = createContext<Account | null>(null);

export function useAccount(): Account {
  const a = useContext(AccountContext);
  if (!a) throw new Error("no account around");
  return a;
}

// of is the API's path of what is the account's.
export function of(a: Account, ...segments: string[]): string {
  return path("tenants", a.tenant.id, ...segments);
}

export async function loadAccount(id: string, base: string[], manages: boolean, abort?: AbortSignal): Promise<Account> {
  const tenant = await call<Tenant>("GET", path("tenants", id), undefined, abort);
  const profile = await call<Profile>("GET", path("profiles", tenant.profile), undefined, abort);
  return { tenant, profile, base, manages };
}
