import { tidy, type Language, type Plan } from "./plan";

function mac(key: string, bytes: string, hash: string, encoding: string): string {
  const h = hash === "sha512" ? "SHA512" : "SHA256";
  return encoding === "base64" ? `[OpenSSL::HMAC.digest("${h}", ${key}, ${bytes})].pack("m0")` : `OpenSSL::HMAC.hexdigest("${h}", ${key}, ${bytes})`;
}

const env = (header: string) => "HTTP_" + header.toUpperCase().replaceAll("-", "_");

function verify(p: Plan): string {
  switch (p.kind) {
    case "none":
      return "";
    case "single":
      return `def verify(env, body)
  want = ${p.prefix ? JSON.stringify(p.prefix) + " + " : ""}${mac("SECRET", "body", p.hash, p.encoding)}
  Rack::Utils.secure_compare(env["${env(p.header)}"].to_s, want)
end`;
    case "timestamped":
      return `def verify(env, body)
  parts = env["${env(p.header)}"].to_s.split(",").map { |part| part.split("=", 2) }
  timestamp = parts.find { |name, _| name == "t" }&.at(1).to_s
  return false if (Time.now.to_i - timestamp.to_i).abs > 300 # somebody may be repeating an old request

  want = ${mac("SECRET", 'timestamp + "." + body', p.hash, p.encoding)}
  parts.any? { |name, value| name == "v1" && Rack::Utils.secure_compare(value.to_s, want) }
end`;
    case "standard":
      return `def verify(env, body)
  id, timestamp = env["HTTP_WEBHOOK_ID"].to_s, env["HTTP_WEBHOOK_TIMESTAMP"].to_s
  return false if (Time.now.to_i - timestamp.to_i).abs > 300 # somebody may be repeating an old request

  key = SECRET.delete_prefix("whsec_").unpack1("m")
  want = "v1," + ${mac("key", '"#{id}.#{timestamp}.".b + body', "sha256", "base64")}
  env["HTTP_WEBHOOK_SIGNATURE"].to_s.split.any? { |given| Rack::Utils.secure_compare(given, want) }
end`;
  }
}

function write(p: Plan): string {
  const signs = p.kind !== "none";
  return tidy(`# config.ru
require "json"
${signs ? 'require "openssl"\n' : ""}require "rack"

${signs ? 'SECRET = ENV.fetch("WEBHOOK_SECRET")' : ""}

${verify(p)}

run lambda { |env|
  body = env["rack.input"].read${signs ? ` # the bytes as they came: verify them before parsing
  next [400, {}, []] unless verify(env, body)
` : "\n"}
  event = JSON.parse(body)
  puts "received #{event}" # keep it, answer at once, work on it afterwards
  [200, {}, []]
}
`);
}

export const ruby: Language = { name: "ruby", label: "Ruby", file: "config.ru", run: "WEBHOOK_SECRET=… rackup", write };
