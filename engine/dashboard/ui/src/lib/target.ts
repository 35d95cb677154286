// checkTarget says what is wrong with an address while it is typed, or "" when nothing is. The server's word is the last:
// it knows which addresses are let through.
export function checkTarget(text: string, httpsOnly: boolean): string {
  if (!text) return "";
  if (/\s/.test(text)) return "An address has no blanks.";
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    return "https://".startsWith(text.toLowerCase()) ? "" : "Begin with https:// and the name of your server.";
  }
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return /^https?:\/\/?$/i.test(text) ? "" : "This is no address.";
  }
  if (url.protocol !== "https:" && (httpsOnly || url.protocol !== "http:")) return "Only https:// is taken: what is sent may hold personal data.";
  if (url.username || url.password) return "No user name or password in the address: use a header, or verify the signature.";
  if (url.hash) return "Nothing after #: it would never be sent.";
  if (text.length > 2048) return "At most 2048 characters.";
  return "";
}
