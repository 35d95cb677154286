import { tidy, type Language, type Plan } from "./plan";

function encode(encoding: string): string {
  return encoding === "base64" ? "base64.StdEncoding.EncodeToString(mac.Sum(nil))" : "hex.EncodeToString(mac.Sum(nil))";
}

const hash = (h: string) => (h === "sha512" ? "sha512.New" : "sha256.New");

function verify(p: Plan): string {
  switch (p.kind) {
    case "none":
      return "";
    case "single":
      return `func verify(h http.Header, body []byte) bool {
	mac := hmac.New(${hash(p.hash)}, []byte(secret))
	mac.Write(body)
	want := ${p.prefix ? JSON.stringify(p.prefix) + " + " : ""}${encode(p.encoding)}
	return hmac.Equal([]byte(h.Get("${p.header}")), []byte(want))
}`;
    case "timestamped":
      return `func verify(h http.Header, body []byte) bool {
	var timestamp string
	var given []string
	for _, part := range strings.Split(h.Get("${p.header}"), ",") {
		switch name, value, _ := strings.Cut(part, "="); name {
		case "t":
			timestamp = value
		case "v1":
			given = append(given, value)
		}
	}
	mac := hmac.New(${hash(p.hash)}, []byte(secret))
	mac.Write([]byte(timestamp + "."))
	mac.Write(body)
	want := ${encode(p.encoding)}
	return fresh(timestamp) && slices.ContainsFunc(given, func(g string) bool { return hmac.Equal([]byte(g), []byte(want)) })
}`;
    case "standard":
      return `func verify(h http.Header, body []byte) bool {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return false
	}
	timestamp := h.Get("webhook-timestamp")
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(h.Get("webhook-id") + "." + timestamp + "."))
	mac.Write(body)
	want := "v1," + ${encode("base64")}
	given := strings.Split(h.Get("webhook-signature"), " ")
	return fresh(timestamp) && slices.ContainsFunc(given, func(g string) bool { return hmac.Equal([]byte(g), []byte(want)) })
}`;
  }
}

function imports(p: Plan): string[] {
  const all = ["cmp", "io", "log", "net/http", "os"];
  if (p.kind === "none") return all;
  const encoding = p.kind === "standard" ? "base64" : p.encoding;
  all.push("crypto/hmac", "crypto/" + (p.kind === "standard" ? "sha256" : p.hash), "encoding/" + encoding);
  if (p.kind !== "single") all.push("slices", "strconv", "strings", "time");
  return all.sort();
}

function write(p: Plan): string {
  const signs = p.kind !== "none";
  return tidy(`package main

import (
${imports(p).map((i) => `	"${i}"`).join("\n")}
)

${signs ? 'var secret = os.Getenv("WEBHOOK_SECRET")' : ""}

${verify(p)}

${p.kind === "timestamped" || p.kind === "standard" ? `// fresh is false for what somebody may be repeating.
func fresh(timestamp string) bool {
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	return err == nil && time.Since(time.Unix(seconds, 0)).Abs() < 5*time.Minute
}` : ""}

func main() {
	http.HandleFunc("POST /", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil${signs ? " || !verify(r.Header, body)" : ""} {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		log.Printf("received %s", body) // keep it, answer at once, work on it afterwards
		w.WriteHeader(http.StatusOK)
	})
	log.Fatal(http.ListenAndServe(":"+cmp.Or(os.Getenv("PORT"), "8000"), nil))
}
`);
}

export const go: Language = { name: "go", label: "Go", file: "main.go", run: "WEBHOOK_SECRET=… go run main.go", write };
