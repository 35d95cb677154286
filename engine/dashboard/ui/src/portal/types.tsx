export function EventTypes() { return null; }
