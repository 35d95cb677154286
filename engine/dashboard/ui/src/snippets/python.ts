import { tidy, type Language, type Plan } from "./plan";

function mac(key: string, bytes: string, hash: string, encoding: string): string {
  const h = `hmac.new(${key}, ${bytes}, hashlib.${hash})`;
  return encoding === "base64" ? `base64.b64encode(${h}.digest()).decode()` : `${h}.hexdigest()`;
}

function verify(p: Plan): string {
  switch (p.kind) {
    case "none":
      return "";
    case "single":
      return `def verify(headers, body):
    want = ${p.prefix ? JSON.stringify(p.prefix) + " + " : ""}${mac("secret.encode()", "body", p.hash, p.encoding)}
    return same(headers.get("${p.header}", ""), want)`;
    case "timestamped":
      return `def verify(headers, body):
    parts = [part.partition("=")[::2] for part in headers.get("${p.header}", "").split(",")]
    timestamp = dict(parts).get("t", "")
    if not fresh(timestamp):
        return False
    want = ${mac("secret.encode()", 'timestamp.encode() + b"." + body', p.hash, p.encoding)}
    return any(name == "v1" and same(value, want) for name, value in parts)`;
    case "standard":
      return `def verify(headers, body):
    id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not fresh(timestamp):
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    want = "v1," + ${mac("key", 'f"{id}.{timestamp}.".encode() + body', "sha256", "base64")}
    return any(same(given, want) for given in headers.get("webhook-signature", "").split(" "))`;
  }
}

function write(p: Plan): string {
  const signs = p.kind !== "none";
  const timed = p.kind === "timestamped" || p.kind === "standard";
  const base = p.kind === "standard" || (p.kind !== "none" && p.encoding === "base64");
  const modules = [base && "base64", signs && "hashlib", signs && "hmac", "json", "os", timed && "time"].filter(Boolean).join(", ");
  return tidy(`import ${modules}
from http.server import BaseHTTPRequestHandler, HTTPServer

${signs ? 'secret = os.environ["WEBHOOK_SECRET"]' : ""}


${verify(p)}


${timed ? `def fresh(timestamp):
    # Somebody may be repeating an old request.
    return timestamp.isdigit() and abs(time.time() - int(timestamp)) < 300

` : ""}
${signs ? `def same(a, b):
    # Takes the same time wherever they differ.
    return hmac.compare_digest(a.encode(), b.encode())

` : ""}
class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
${signs ? `        if not verify(self.headers, body):  # the bytes as they came, before parsing
            return self.answer(400)
` : ""}        event = json.loads(body)
        print("received", event)  # keep it, answer at once, work on it afterwards
        self.answer(200)

    def answer(self, status):
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()


HTTPServer(("", int(os.environ.get("PORT", 8000))), Receiver).serve_forever()
`);
}

export const python: Language = { name: "python", label: "Python", file: "receiver.py", run: "WEBHOOK_SECRET=… python3 receiver.py", write };
