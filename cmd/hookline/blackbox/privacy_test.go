package blackbox

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// O-22, section 6 (sealed from the first record): what customers and receivers write stands neither in the process log nor
// in readable form in any file of the data directory: bodies, secrets, answers, URLs, headers, filters, names, keys.
func TestO22NothingReadable(t *testing.T) {
	t.Parallel()
	marks := map[string]string{
		"data": "markdata7391", "payload": "markpayload7392", "secret": "marksecret7393", "answer": "markanswer7394",
		"url": "markurl7395", "filter": "markfilter7396", "metadata": "markmetadata7397", "actor": "markactor7398",
		"description": "markdescription7399", "refused": "markrefused7400", "header": "markheader7401", "tenant name": "markname7402",
		"idempotency key": "markkey7403", "attributes": "markattribute7404",
	}
	failing := func(request) answer {
		return answer{status: 500, body: marks["answer"], header: map[string]string{"X-Mark": marks["header"]}}
	}
	r := manualRig(t)
	r.api.post(t, 201, "/v1/tenants", fields{
		"id": "acme", "profile": "osir", "name": marks["tenant name"], "attributes": fields{"note": marks["attributes"]},
	}, nil)
	n, k := &tenant{s: r.server, id: "acme"}, r.rcv.sink(marks["url"], failing)
	ep := n.endpoint(t, k, fields{
		"secret": marks["secret"], "description": marks["description"], "filter": `data.m != "` + marks["filter"] + `"`,
	})
	n.publish(t, event{
		typ: "a.b", key: marks["idempotency key"], data: `{"m":"` + marks["data"] + `"}`,
		metadata: `{"m":"` + marks["metadata"] + `"}`, actor: `{"m":"` + marks["actor"] + `"}`,
	})
	n.publish(t, event{typ: "a.b", payload: `{"m":"` + marks["payload"] + `"}`})
	r.settle(t)
	k.exactly(t, 2)
	n.test(t, ep.ID, "invoice.paid")
	mark := marks["refused"]
	r.api.call(t, 422, "POST", n.path("/events"), `{"type":"a.b","data":{},"`+mark+`":1}`)
	r.api.call(t, 400, "POST", n.path("/events"), `{"type":"a.b","data":{"`+mark)
	r.api.call(t, 422, "POST", n.path("/endpoints"), fields{"url": "https://" + mark + ":pass@example.com/"})
	r.api.call(t, 422, "POST", n.path("/endpoints"), fields{"url": k.url, "filter": mark + ` ==`})
	r.advance(t, 27*time.Hour)
	r.kill9(t) // recovery reads it all again
	r.start(t)
	r.stop(t)
	text := r.processLog()
	for what, mark := range marks {
		if strings.Contains(text, mark) {
			t.Errorf("the process log shows the %s (%s)", what, mark)
		}
		if file := fileWith(t, r.data, []byte(mark)); file != "" {
			t.Errorf("%s holds the %s in readable form", file, what)
		}
	}
	for what, word := range map[string]string{"the admin key": r.key, "a bearer header": "Bearer "} {
		if strings.Contains(text, word) {
			t.Errorf("the process log shows %s", what)
		}
	}
	if file := fileWith(t, r.data, []byte(r.key)); file != "" {
		t.Errorf("%s holds the admin key that was given (it is stored hashed)", file)
	}
}

// fileWith is the first file below dir that contains mark; "" when none does.
func fileWith(t testing.TB, dir string, mark []byte) string {
	t.Helper()
	found := ""
	for _, path := range filesIn(t, dir) {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(content, mark) {
			found = path
			break
		}
	}
	return found
}

// filesIn are the regular files below dir.
func filesIn(t testing.TB, dir string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
