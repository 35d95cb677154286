export function AddEndpoint() { return null; }
