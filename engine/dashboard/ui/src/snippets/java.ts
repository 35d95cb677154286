import { tidy, type Language, type Plan } from "./plan";

const algorithm = (hash: string) => (hash === "sha512" ? "HmacSHA512" : "HmacSHA256");

function encode(encoding: string): string {
  return encoding === "base64" ? "Base64.getEncoder().encodeToString(mac.doFinal())" : "HexFormat.of().formatHex(mac.doFinal())";
}

function verify(p: Plan): string {
  switch (p.kind) {
    case "none":
      return "";
    case "single":
      return `    static boolean verify(Headers headers, byte[] body) throws Exception {
        Mac mac = Mac.getInstance("${algorithm(p.hash)}");
        mac.init(new SecretKeySpec(SECRET.getBytes(UTF_8), "${algorithm(p.hash)}"));
        mac.update(body);
        String want = ${p.prefix ? JSON.stringify(p.prefix) + " + " : ""}${encode(p.encoding)};
        return same(headers.getFirst("${p.header}"), want);
    }`;
    case "timestamped":
      return `    static boolean verify(Headers headers, byte[] body) throws Exception {
        String timestamp = "";
        List<String> given = new ArrayList<>();
        for (String part : String.valueOf(headers.getFirst("${p.header}")).split(",")) {
            if (part.startsWith("t=")) timestamp = part.substring(2);
            if (part.startsWith("v1=")) given.add(part.substring(3));
        }
        Mac mac = Mac.getInstance("${algorithm(p.hash)}");
        mac.init(new SecretKeySpec(SECRET.getBytes(UTF_8), "${algorithm(p.hash)}"));
        mac.update((timestamp + ".").getBytes(UTF_8));
        mac.update(body);
        String want = ${encode(p.encoding)};
        return fresh(timestamp) && given.stream().anyMatch(one -> same(one, want));
    }`;
    case "standard":
      return `    static boolean verify(Headers headers, byte[] body) throws Exception {
        String timestamp = String.valueOf(headers.getFirst("webhook-timestamp"));
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(Base64.getDecoder().decode(SECRET.replaceFirst("^whsec_", "")), "HmacSHA256"));
        mac.update((headers.getFirst("webhook-id") + "." + timestamp + ".").getBytes(UTF_8));
        mac.update(body);
        String want = "v1," + ${encode("base64")};
        return fresh(timestamp) && Arrays.stream(String.valueOf(headers.getFirst("webhook-signature")).split(" ")).anyMatch(one -> same(one, want));
    }`;
  }
}

function write(p: Plan): string {
  const signs = p.kind !== "none";
  const timed = p.kind === "timestamped" || p.kind === "standard";
  const utilities = [p.kind === "timestamped" && "ArrayList", p.kind === "standard" && "Arrays", (p.kind === "standard" || (p.kind !== "none" && p.encoding === "base64")) && "Base64",
    (p.kind === "single" || p.kind === "timestamped") && p.encoding === "hex" && "HexFormat", p.kind === "timestamped" && "List"].filter(Boolean);
  return tidy(`${signs ? "import static java.nio.charset.StandardCharsets.UTF_8;\n" : ""}
${signs ? "import com.sun.net.httpserver.Headers;\n" : ""}import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
${signs ? "import java.security.MessageDigest;\n" : ""}${utilities.map((u) => `import java.util.${u};\n`).join("")}${signs ? "import javax.crypto.Mac;\nimport javax.crypto.spec.SecretKeySpec;\n" : ""}
public class Receiver {
${signs ? '    static final String SECRET = System.getenv("WEBHOOK_SECRET");\n' : ""}
${verify(p)}

${timed ? `    // Somebody may be repeating an old request.
    static boolean fresh(String timestamp) {
        return timestamp.matches("\\\\d{1,12}") && Math.abs(System.currentTimeMillis() / 1000 - Long.parseLong(timestamp)) < 300;
    }
` : ""}
${signs ? `    // Takes the same time wherever they differ.
    static boolean same(String a, String b) {
        return a != null && MessageDigest.isEqual(a.getBytes(UTF_8), b.getBytes(UTF_8));
    }
` : ""}
    public static void main(String[] args) throws Exception {
        int port = Integer.parseInt(System.getenv().getOrDefault("PORT", "8000"));
        HttpServer server = HttpServer.create(new InetSocketAddress(port), 0);
        server.createContext("/", exchange -> {
            byte[] body = exchange.getRequestBody().readAllBytes();
            int status = 200;
            try {
${signs ? "                if (!verify(exchange.getRequestHeaders(), body)) status = 400;\n" : ""}                if (status == 200) System.out.println("received " + new String(body${signs ? ", UTF_8" : ""})); // keep it, answer at once
            } catch (Exception e) {
                status = 500;
            }
            exchange.sendResponseHeaders(status, -1);
            exchange.close();
        });
        server.start();
    }
}
`);
}

export const java: Language = { name: "java", label: "Java", file: "Receiver.java", run: "WEBHOOK_SECRET=… java Receiver.java", write };
