package blackbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// ownSamples are bodies of DNSimple's shape, written for this test: odd order, spacing, numbers and empty actors.
var ownSamples = map[string]string{
	"compact":  `{"name":"zone.create","api_version":"v2","request_identifier":"7f1d0f5e-52b4-4b06-9b53-0b8a3f6a1c01","data":{"zone":{"id":1,"name":"own.example"}},"account":{"id":5,"display":"Own","identifier":"own@example.com"},"actor":{"id":"1","entity":"user","pretty":"own@example.com"}}`,
	"pretty":   "{\n  \"data\": {\n    \"domain\": { \"id\" : 10, \"name\": \"pr\\u00e9tty.example\" },\n    \"price\": 1.50\n  },\n  \"name\": \"domain.register:started\",\n  \"actor\": {\"id\": \"\", \"entity\": \"dnsimple\", \"pretty\": \"\"},\n  \"account\": {\"id\": 6, \"display\": \"Ä & <Ö>\", \"identifier\": \"x\"},\n  \"api_version\": \"v2\",\n  \"request_identifier\": \"7f1d0f5e-52b4-4b06-9b53-0b8a3f6a1c02\"\n}\n",
	"unlisted": `{"actor":{"id":"system","entity":"system","pretty":""},"name":"certificate.auto_renewal_failed","data":{"a":[],"b":{}},"account":{"id":7,"display":"","identifier":"y"},"api_version":"v2","request_identifier":"7f1d0f5e-52b4-4b06-9b53-0b8a3f6a1c03"}`,
}

// samplesDir is where real bodies lie, if any: HOOKLINE_SAMPLES, or the shared folder of a development set-up.
func samplesDir() string {
	if dir := os.Getenv("HOOKLINE_SAMPLES"); dir != "" {
		return dir
	}
	dir := filepath.FromSlash("../../../../shared/dnsimple-samples")
	if _, err := os.Stat(dir); err != nil {
		return ""
	}
	return dir
}

// sampleBodies are our own examples and every real one at hand.
func sampleBodies(t testing.TB) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for name, text := range ownSamples {
		all[name] = []byte(text)
	}
	dir := samplesDir()
	if dir == "" {
		return all
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no *.json in %s (%v)", dir, err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(file)] = content
	}
	return all
}

// P19, D-3 to D-8, promise 8: real bodies published as payload arrive byte for byte; published as data, with actor and
// account, they are equal as JSON and their data is byte for byte; DNSimple's own module parses them all.
func TestP19RealPayloads(t *testing.T) {
	t.Parallel()
	bodies := sampleBodies(t)
	r := manualRig(t)
	received := t.TempDir()
	i := 0
	for name, body := range bodies {
		var b dnsimpleBody
		if err := json.Unmarshal(body, &b); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		i++
		id := fmt.Sprint(9000 + i)
		r.api.post(t, 201, "/v1/tenants", `{"id":"`+id+`","profile":"dnsimple","name":"n","attributes":`+string(b.Account)+`}`, nil)
		n, k := &tenant{s: r.server, id: id}, r.rcv.sink(id, always(200))
		n.endpoint(t, k, nil)
		n.publish(t, event{typ: b.Name, payload: string(body)})
		r.settle(t)
		n.publish(t, event{typ: b.Name, id: b.RequestID, data: string(b.Data), actor: string(b.Actor)})
		r.settle(t)
		got := k.exactly(t, 2)
		if want := bytes.TrimSpace(body); !bytes.Equal(got[0].body, want) {
			t.Errorf("%s as payload: got\n%s\nwant\n%s", name, got[0].body, want)
		}
		plainPost(t, got[0])
		rendered := checkDNSimple(t, got[1])
		sameJSON(t, name+" as data", got[1].body, body)
		equal(t, name+": bytes of data", string(rendered.Data), string(b.Data))
		for j, one := range got {
			file := filepath.Join(received, fmt.Sprintf("%d-%s.json", j, strings.TrimSuffix(name, ".json")))
			if err := os.WriteFile(file, one.body, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	files, err := filepath.Glob(filepath.Join(received, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "DNSimple's module over all bodies", foreign(t, append([]string{"parse"}, files...)...), fmt.Sprint("parsed ", 2*len(bodies)))
}
