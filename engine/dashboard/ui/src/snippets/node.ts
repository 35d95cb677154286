import { tidy, type Language, type Plan } from "./plan";

function verify(p: Plan): string {
  switch (p.kind) {
    case "none":
      return "";
    case "single":
      return `function verify(headers, body) {
  const want = ${p.prefix ? JSON.stringify(p.prefix) + " + " : ""}createHmac("${p.hash}", secret).update(body).digest("${p.encoding}");
  return same(headers["${p.header}"] ?? "", want);
}`;
    case "timestamped":
      return `function verify(headers, body) {
  const parts = (headers["${p.header}"] ?? "").split(",").map((s) => [s.slice(0, s.indexOf("=")), s.slice(s.indexOf("=") + 1)]);
  const timestamp = parts.find(([name]) => name === "t")?.[1] ?? "";
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) < 300)) return false; // somebody may be repeating an old request
  const want = createHmac("${p.hash}", secret).update(timestamp + ".").update(body).digest("${p.encoding}");
  return parts.some(([name, value]) => name === "v1" && same(value, want));
}`;
    case "standard":
      return `function verify(headers, body) {
  const id = headers["webhook-id"] ?? "", timestamp = headers["webhook-timestamp"] ?? "";
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) < 300)) return false; // somebody may be repeating an old request
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const want = "v1," + createHmac("sha256", key).update(\`\${id}.\${timestamp}.\`).update(body).digest("base64");
  return (headers["webhook-signature"] ?? "").split(" ").some((given) => same(given, want));
}`;
  }
}

function write(p: Plan): string {
  const signs = p.kind !== "none";
  return tidy(`${signs ? 'import { createHmac, timingSafeEqual } from "node:crypto";\n' : ""}import { createServer } from "node:http";

${signs ? "const secret = process.env.WEBHOOK_SECRET;" : ""}

${verify(p)}

${signs ? `// Takes the same time wherever they differ; another length is just wrong, not an error.
function same(a, b) {
  const x = Buffer.from(a), y = Buffer.from(b);
  return x.length === y.length && timingSafeEqual(x, y);
}` : ""}

createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    const body = Buffer.concat(parts);${signs ? ` // the bytes as they came: verify them before parsing
    if (!verify(request.headers, body)) return response.writeHead(400).end();` : ""}
    const event = JSON.parse(body);
    console.log("received", event); // keep it, answer at once, work on it afterwards
    response.writeHead(200).end();
  });
}).listen(process.env.PORT ?? 8000);
`);
}

export const node: Language = { name: "node", label: "Node.js", file: "receiver.mjs", run: "WEBHOOK_SECRET=… node receiver.mjs", write };
