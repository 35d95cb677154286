function w(e){for(let t of e.signatures){let n=t.headers[0]??"",s=t.hash??"sha256",r=t.encoding??"hex";if(t.scheme==="none")return{kind:"none"};if(t.scheme==="standard_webhooks"&&t.version!=="v1a")return{kind:"standard"};if(t.scheme==="hmac"&&t.form==="timestamped"&&t.signs==="{timestamp}.{body}")return{kind:"timestamped",header:n,hash:s,encoding:r};if(t.scheme==="hmac"&&t.form!=="timestamped"&&t.signs==="{body}")return{kind:"single",header:n,hash:s,encoding:r,prefix:t.prefix??""}}}function a(e){return e.replace(/^\n+/,"").replace(/\n{3,}/g,`

`).trimEnd()+`
`}function d(e){return e==="base64"?"base64.StdEncoding.EncodeToString(mac.Sum(nil))":"hex.EncodeToString(mac.Sum(nil))"}var u=e=>e==="sha512"?"sha512.New":"sha256.New";function S(e){switch(e.kind){case"none":return"";case"single":return`func verify(h http.Header, body []byte) bool {
	mac := hmac.New(${u(e.hash)}, []byte(secret))
	mac.Write(body)
	want := ${e.prefix?JSON.stringify(e.prefix)+" + ":""}${d(e.encoding)}
	return hmac.Equal([]byte(h.Get("${e.header}")), []byte(want))
}`;case"timestamped":return`func verify(h http.Header, body []byte) bool {
	var timestamp string
	var given []string
	for _, part := range strings.Split(h.Get("${e.header}"), ",") {
		switch name, value, _ := strings.Cut(part, "="); name {
		case "t":
			timestamp = value
		case "v1":
			given = append(given, value)
		}
	}
	mac := hmac.New(${u(e.hash)}, []byte(secret))
	mac.Write([]byte(timestamp + "."))
	mac.Write(body)
	want := ${d(e.encoding)}
	return fresh(timestamp) && slices.ContainsFunc(given, func(g string) bool { return hmac.Equal([]byte(g), []byte(want)) })
}`;case"standard":return`func verify(h http.Header, body []byte) bool {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return false
	}
	timestamp := h.Get("webhook-timestamp")
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(h.Get("webhook-id") + "." + timestamp + "."))
	mac.Write(body)
	want := "v1," + ${d("base64")}
	given := strings.Split(h.Get("webhook-signature"), " ")
	return fresh(timestamp) && slices.ContainsFunc(given, func(g string) bool { return hmac.Equal([]byte(g), []byte(want)) })
}`}}function k(e){let t=["cmp","io","log","net/http","os"];if(e.kind==="none")return t;let n=e.kind==="standard"?"base64":e.encoding;return t.push("crypto/hmac","crypto/"+(e.kind==="standard"?"sha256":e.hash),"encoding/"+n),e.kind!=="single"&&t.push("slices","strconv","strings","time"),t.sort()}function _(e){let t=e.kind!=="none";return a(`package main

import (
${k(e).map(n=>`	"${n}"`).join(`
`)}
)

${t?'var secret = os.Getenv("WEBHOOK_SECRET")':""}

${S(e)}

${e.kind==="timestamped"||e.kind==="standard"?`// fresh is false for what somebody may be repeating.
func fresh(timestamp string) bool {
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	return err == nil && time.Since(time.Unix(seconds, 0)).Abs() < 5*time.Minute
}`:""}

func main() {
	http.HandleFunc("POST /", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil${t?" || !verify(r.Header, body)":""} {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		log.Printf("received %s", body) // keep it, answer at once, work on it afterwards
		w.WriteHeader(http.StatusOK)
	})
	log.Fatal(http.ListenAndServe(":"+cmp.Or(os.Getenv("PORT"), "8000"), nil))
}
`)}var f={name:"go",label:"Go",file:"main.go",run:"WEBHOOK_SECRET=… go run main.go",write:_};var o=e=>e==="sha512"?"HmacSHA512":"HmacSHA256";function c(e){return e==="base64"?"Base64.getEncoder().encodeToString(mac.doFinal())":"HexFormat.of().formatHex(mac.doFinal())"}function E(e){switch(e.kind){case"none":return"";case"single":return`    static boolean verify(Headers headers, byte[] body) throws Exception {
        Mac mac = Mac.getInstance("${o(e.hash)}");
        mac.init(new SecretKeySpec(SECRET.getBytes(UTF_8), "${o(e.hash)}"));
        mac.update(body);
        String want = ${e.prefix?JSON.stringify(e.prefix)+" + ":""}${c(e.encoding)};
        return same(headers.getFirst("${e.header}"), want);
    }`;case"timestamped":return`    static boolean verify(Headers headers, byte[] body) throws Exception {
        String timestamp = "";
        List<String> given = new ArrayList<>();
        for (String part : String.valueOf(headers.getFirst("${e.header}")).split(",")) {
            if (part.startsWith("t=")) timestamp = part.substring(2);
            if (part.startsWith("v1=")) given.add(part.substring(3));
        }
        Mac mac = Mac.getInstance("${o(e.hash)}");
        mac.init(new SecretKeySpec(SECRET.getBytes(UTF_8), "${o(e.hash)}"));
        mac.update((timestamp + ".").getBytes(UTF_8));
        mac.update(body);
        String want = ${c(e.encoding)};
        return fresh(timestamp) && given.stream().anyMatch(one -> same(one, want));
    }`;case"standard":return`    static boolean verify(Headers headers, byte[] body) throws Exception {
        String timestamp = String.valueOf(headers.getFirst("webhook-timestamp"));
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(Base64.getDecoder().decode(SECRET.replaceFirst("^whsec_", "")), "HmacSHA256"));
        mac.update((headers.getFirst("webhook-id") + "." + timestamp + ".").getBytes(UTF_8));
        mac.update(body);
        String want = "v1," + ${c("base64")};
        return fresh(timestamp) && Arrays.stream(String.valueOf(headers.getFirst("webhook-signature")).split(" ")).anyMatch(one -> same(one, want));
    }`}}function T(e){let t=e.kind!=="none",n=e.kind==="timestamped"||e.kind==="standard",s=[e.kind==="timestamped"&&"ArrayList",e.kind==="standard"&&"Arrays",(e.kind==="standard"||e.kind!=="none"&&e.encoding==="base64")&&"Base64",(e.kind==="single"||e.kind==="timestamped")&&e.encoding==="hex"&&"HexFormat",e.kind==="timestamped"&&"List"].filter(Boolean);return a(`${t?`import static java.nio.charset.StandardCharsets.UTF_8;
`:""}
${t?`import com.sun.net.httpserver.Headers;
`:""}import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
${t?`import java.security.MessageDigest;
`:""}${s.map(r=>`import java.util.${r};
`).join("")}${t?`import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
`:""}
public class Receiver {
${t?`    static final String SECRET = System.getenv("WEBHOOK_SECRET");
`:""}
${E(e)}

${n?`    // Somebody may be repeating an old request.
    static boolean fresh(String timestamp) {
        return timestamp.matches("\\\\d{1,12}") && Math.abs(System.currentTimeMillis() / 1000 - Long.parseLong(timestamp)) < 300;
    }
`:""}
${t?`    // Takes the same time wherever they differ.
    static boolean same(String a, String b) {
        return a != null && MessageDigest.isEqual(a.getBytes(UTF_8), b.getBytes(UTF_8));
    }
`:""}
    public static void main(String[] args) throws Exception {
        int port = Integer.parseInt(System.getenv().getOrDefault("PORT", "8000"));
        HttpServer server = HttpServer.create(new InetSocketAddress(port), 0);
        server.createContext("/", exchange -> {
            byte[] body = exchange.getRequestBody().readAllBytes();
            int status = 200;
            try {
${t?`                if (!verify(exchange.getRequestHeaders(), body)) status = 400;
`:""}                if (status == 200) System.out.println("received " + new String(body${t?", UTF_8":""})); // keep it, answer at once
            } catch (Exception e) {
                status = 500;
            }
            exchange.sendResponseHeaders(status, -1);
            exchange.close();
        });
        server.start();
    }
}
`)}var p={name:"java",label:"Java",file:"Receiver.java",run:"WEBHOOK_SECRET=… java Receiver.java",write:T};function x(e){switch(e.kind){case"none":return"";case"single":return`function verify(headers, body) {
  const want = ${e.prefix?JSON.stringify(e.prefix)+" + ":""}createHmac("${e.hash}", secret).update(body).digest("${e.encoding}");
  return same(headers["${e.header}"] ?? "", want);
}`;case"timestamped":return`function verify(headers, body) {
  const parts = (headers["${e.header}"] ?? "").split(",").map((s) => [s.slice(0, s.indexOf("=")), s.slice(s.indexOf("=") + 1)]);
  const timestamp = parts.find(([name]) => name === "t")?.[1] ?? "";
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) < 300)) return false; // somebody may be repeating an old request
  const want = createHmac("${e.hash}", secret).update(timestamp + ".").update(body).digest("${e.encoding}");
  return parts.some(([name, value]) => name === "v1" && same(value, want));
}`;case"standard":return`function verify(headers, body) {
  const id = headers["webhook-id"] ?? "", timestamp = headers["webhook-timestamp"] ?? "";
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) < 300)) return false; // somebody may be repeating an old request
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const want = "v1," + createHmac("sha256", key).update(\`\${id}.\${timestamp}.\`).update(body).digest("base64");
  return (headers["webhook-signature"] ?? "").split(" ").some((given) => same(given, want));
}`}}function H(e){let t=e.kind!=="none";return a(`${t?`import { createHmac, timingSafeEqual } from "node:crypto";
`:""}import { createServer } from "node:http";

${t?"const secret = process.env.WEBHOOK_SECRET;":""}

${x(e)}

${t?`// Takes the same time wherever they differ; another length is just wrong, not an error.
function same(a, b) {
  const x = Buffer.from(a), y = Buffer.from(b);
  return x.length === y.length && timingSafeEqual(x, y);
}`:""}

createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    const body = Buffer.concat(parts);${t?` // the bytes as they came: verify them before parsing
    if (!verify(request.headers, body)) return response.writeHead(400).end();`:""}
    const event = JSON.parse(body);
    console.log("received", event); // keep it, answer at once, work on it afterwards
    response.writeHead(200).end();
  });
}).listen(process.env.PORT ?? 8000);
`)}var l={name:"node",label:"Node.js",file:"receiver.mjs",run:"WEBHOOK_SECRET=… node receiver.mjs",write:H};var i=e=>`$_SERVER['HTTP_${e.toUpperCase().replaceAll("-","_")}'] ?? ''`;function m(e,t,n,s){return s==="base64"?`base64_encode(hash_hmac('${n}', ${t}, ${e}, true))`:`hash_hmac('${n}', ${t}, ${e})`}function O(e){switch(e.kind){case"none":return"";case"single":return`function verify(string $body, string $secret): bool
{
    $want = ${e.prefix?`'${e.prefix}' . `:""}${m("$secret","$body",e.hash,e.encoding)};
    return hash_equals($want, ${i(e.header)});
}`;case"timestamped":return`function verify(string $body, string $secret): bool
{
    $timestamp = '';
    $given = [];
    foreach (explode(',', ${i(e.header)}) as $part) {
        [$name, $value] = explode('=', $part, 2) + ['', ''];
        if ($name === 't') $timestamp = $value;
        if ($name === 'v1') $given[] = $value;
    }
    if (abs(time() - (int) $timestamp) > 300) return false; // somebody may be repeating an old request
    $want = ${m("$secret","$timestamp . '.' . $body",e.hash,e.encoding)};
    foreach ($given as $one) if (hash_equals($want, $one)) return true;
    return false;
}`;case"standard":return`function verify(string $body, string $secret): bool
{
    $id = ${i("webhook-id")};
    $timestamp = ${i("webhook-timestamp")};
    if (abs(time() - (int) $timestamp) > 300) return false; // somebody may be repeating an old request
    $key = base64_decode(preg_replace('/^whsec_/', '', $secret));
    $want = 'v1,' . ${m("$key",'"$id.$timestamp." . $body',"sha256","base64")};
    foreach (explode(' ', ${i("webhook-signature")}) as $one) if (hash_equals($want, $one)) return true;
    return false;
}`}}function R(e){let t=e.kind!=="none";return a(`<?php
declare(strict_types=1);

${O(e)}

$body = file_get_contents('php://input');${t?` // the bytes as they came: verify them before parsing
if (!verify($body, getenv('WEBHOOK_SECRET'))) {
    http_response_code(400);
    exit;
}`:""}
$event = json_decode($body, true, 512, JSON_THROW_ON_ERROR);
error_log('received ' . $body); // keep it, answer at once, work on it afterwards
http_response_code(200);
`)}var y={name:"php",label:"PHP",file:"receiver.php",run:"WEBHOOK_SECRET=… php -S 0.0.0.0:8000 receiver.php",write:R};function g(e,t,n,s){let r=`hmac.new(${e}, ${t}, hashlib.${n})`;return s==="base64"?`base64.b64encode(${r}.digest()).decode()`:`${r}.hexdigest()`}function P(e){switch(e.kind){case"none":return"";case"single":return`def verify(headers, body):
    want = ${e.prefix?JSON.stringify(e.prefix)+" + ":""}${g("secret.encode()","body",e.hash,e.encoding)}
    return same(headers.get("${e.header}", ""), want)`;case"timestamped":return`def verify(headers, body):
    parts = [part.partition("=")[::2] for part in headers.get("${e.header}", "").split(",")]
    timestamp = dict(parts).get("t", "")
    if not fresh(timestamp):
        return False
    want = ${g("secret.encode()",'timestamp.encode() + b"." + body',e.hash,e.encoding)}
    return any(name == "v1" and same(value, want) for name, value in parts)`;case"standard":return`def verify(headers, body):
    id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not fresh(timestamp):
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    want = "v1," + ${g("key",'f"{id}.{timestamp}.".encode() + body',"sha256","base64")}
    return any(same(given, want) for given in headers.get("webhook-signature", "").split(" "))`}}function B(e){let t=e.kind!=="none",n=e.kind==="timestamped"||e.kind==="standard",r=[(e.kind==="standard"||e.kind!=="none"&&e.encoding==="base64")&&"base64",t&&"hashlib",t&&"hmac","json","os",n&&"time"].filter(Boolean).join(", ");return a(`import ${r}
from http.server import BaseHTTPRequestHandler, HTTPServer

${t?'secret = os.environ["WEBHOOK_SECRET"]':""}


${P(e)}


${n?`def fresh(timestamp):
    # Somebody may be repeating an old request.
    return timestamp.isdigit() and abs(time.time() - int(timestamp)) < 300

`:""}
${t?`def same(a, b):
    # Takes the same time wherever they differ.
    return hmac.compare_digest(a.encode(), b.encode())

`:""}
class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
${t?`        if not verify(self.headers, body):  # the bytes as they came, before parsing
            return self.answer(400)
`:""}        event = json.loads(body)
        print("received", event)  # keep it, answer at once, work on it afterwards
        self.answer(200)

    def answer(self, status):
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()


HTTPServer(("", int(os.environ.get("PORT", 8000))), Receiver).serve_forever()
`)}var b={name:"python",label:"Python",file:"receiver.py",run:"WEBHOOK_SECRET=… python3 receiver.py",write:B};function h(e,t,n,s){let r=n==="sha512"?"SHA512":"SHA256";return s==="base64"?`[OpenSSL::HMAC.digest("${r}", ${e}, ${t})].pack("m0")`:`OpenSSL::HMAC.hexdigest("${r}", ${e}, ${t})`}var v=e=>"HTTP_"+e.toUpperCase().replaceAll("-","_");function q(e){switch(e.kind){case"none":return"";case"single":return`def verify(env, body)
  want = ${e.prefix?JSON.stringify(e.prefix)+" + ":""}${h("SECRET","body",e.hash,e.encoding)}
  Rack::Utils.secure_compare(env["${v(e.header)}"].to_s, want)
end`;case"timestamped":return`def verify(env, body)
  parts = env["${v(e.header)}"].to_s.split(",").map { |part| part.split("=", 2) }
  timestamp = parts.find { |name, _| name == "t" }&.at(1).to_s
  return false if (Time.now.to_i - timestamp.to_i).abs > 300 # somebody may be repeating an old request

  want = ${h("SECRET",'timestamp + "." + body',e.hash,e.encoding)}
  parts.any? { |name, value| name == "v1" && Rack::Utils.secure_compare(value.to_s, want) }
end`;case"standard":return`def verify(env, body)
  id, timestamp = env["HTTP_WEBHOOK_ID"].to_s, env["HTTP_WEBHOOK_TIMESTAMP"].to_s
  return false if (Time.now.to_i - timestamp.to_i).abs > 300 # somebody may be repeating an old request

  key = SECRET.delete_prefix("whsec_").unpack1("m")
  want = "v1," + ${h("key",'"#{id}.#{timestamp}.".b + body',"sha256","base64")}
  env["HTTP_WEBHOOK_SIGNATURE"].to_s.split.any? { |given| Rack::Utils.secure_compare(given, want) }
end`}}function C(e){let t=e.kind!=="none";return a(`# config.ru
require "json"
${t?`require "openssl"
`:""}require "rack"

${t?'SECRET = ENV.fetch("WEBHOOK_SECRET")':""}

${q(e)}

run lambda { |env|
  body = env["rack.input"].read${t?` # the bytes as they came: verify them before parsing
  next [400, {}, []] unless verify(env, body)
`:`
`}
  event = JSON.parse(body)
  puts "received #{event}" # keep it, answer at once, work on it afterwards
  [200, {}, []]
}
`)}var $={name:"ruby",label:"Ruby",file:"config.ru",run:"WEBHOOK_SECRET=… rackup",write:C};var ee=[l,b,f,$,y,p];export{ee as languages,w as planOf};
