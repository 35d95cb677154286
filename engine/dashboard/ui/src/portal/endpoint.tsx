export function EndpointScreen(_: { id: string; tab: string }) { return null; }
