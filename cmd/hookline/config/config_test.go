package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// load is Load with a file made of text, where there is one.
func load(t *testing.T, args, environ []string, text string) (*Config, error) {
	t.Helper()
	fs := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	AddFlags(fs)
	if text != "" {
		path := filepath.Join(t.TempDir(), "hookline.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--config", path)
	}
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	return Load(fs, environ)
}

func TestDefaults(t *testing.T) {
	c, err := load(t, []string{"--data", "d"}, []string{"PATH=/bin", "HOOKLINE_SERVER=x", "HOOKLINE_SLOW=1"}, "")
	if err != nil {
		t.Fatal(err)
	}
	if c.Data != "d" || c.Listen != "127.0.0.1:8080" || c.Manual || c.LogLevel != "info" || c.LogFormat != "json" || c.RestartRate != 1000 || c.MaxInFlight != 4096 {
		t.Fatalf("%+v", c)
	}
}

// Flag over environment over file over default, for each option by itself.
func TestPrecedence(t *testing.T) {
	file := "data: f\nlisten: 127.0.0.1:1\nallow_cidr: [10.0.0.0/8, 192.168.0.0/16]\nrestart_rate: 7\nallow_http: true\n"
	env := []string{"HOOKLINE_DATA=e", "HOOKLINE_LISTEN=127.0.0.1:2", "HOOKLINE_ALLOW_CIDR=127.0.0.0/8,fd00::/8"}
	for _, c := range []struct {
		args, env  []string
		file, want string
	}{
		{nil, nil, file, "f 127.0.0.1:1 [10.0.0.0/8 192.168.0.0/16] 7 true"},
		{nil, env, file, "e 127.0.0.1:2 [127.0.0.0/8 fd00::/8] 7 true"},
		{[]string{"--data", "g", "--allow-cidr", "10.1.0.0/16", "--allow-cidr", "10.2.0.0/16", "--allow-http=false"}, env, file, "g 127.0.0.1:2 [10.1.0.0/16 10.2.0.0/16] 7 false"},
		{nil, env, "allow_cidr: 10.0.0.0/8\n", "e 127.0.0.1:2 [127.0.0.0/8 fd00::/8] 1000 false"},
		{[]string{"--data", "g"}, nil, "allow_cidr: 10.0.0.0/8\n", "g 127.0.0.1:8080 [10.0.0.0/8] 1000 false"},
		{[]string{"--data", "g"}, nil, "# nothing\n", "g 127.0.0.1:8080 [] 1000 false"},
	} {
		got, err := load(t, c.args, c.env, c.file)
		if err != nil {
			t.Errorf("%v: %v", c, err)
			continue
		}
		if s := fmt.Sprint(got.Data, " ", got.Listen, " ", got.AllowCIDR, " ", got.RestartRate, " ", got.AllowHTTP); s != c.want {
			t.Errorf("got %s, want %s", s, c.want)
		}
	}
}

// Promise 11: unknown keys are errors, the nearest known one is named; values name their bound.
func TestRefused(t *testing.T) {
	data := []string{"--data", "d"}
	for _, c := range []struct {
		args, env []string
		file, say string
	}{
		{nil, nil, "", "--data is missing"},
		{data, nil, "lisen: x\n", "line 1: unknown key lisen: did you mean listen?"},
		{data, nil, "\n\nallow-cidr: x\n", "line 3: unknown key allow-cidr: did you mean allow_cidr?"},
		{data, nil, "colour: red\n", "known are data, listen"},
		{data, nil, "listen: a\nlisten: b\n", "twice"},
		{data, nil, "listen: [a, b]\n", "want one value"},
		{data, nil, "listen:\n", "want one value"},
		{data, nil, "allow_cidr: {a: b}\n", "list"},
		{data, nil, "- a\n", "key: value"},
		{data, nil, "a: [\n", "yaml"},
		{data, nil, "listen: 127.0.0.1:1\n---\ncolour: red\n", "more than one YAML document"},
		{data, nil, "listen: 127.0.0.1:1\n---\na: [\n", "more than one YAML document"},
		{data, []string{"HOOKLINE_LISTN=x"}, "", "did you mean HOOKLINE_LISTEN?"},
		{data, []string{"HOOKLINE_ALLOW_CDIR=x"}, "", "did you mean HOOKLINE_ALLOW_CIDR?"},
		{append(data, "--listen", "8080"), nil, "", "--listen: \"8080\""},
		{append(data, "--listen", "127.0.0.1:99999"), nil, "", "0 to 65535"},
		{append(data, "--clock", "sundial"), nil, "", "neither real nor manual"},
		{append(data, "--clock-start", "2026-01-01T00:00:00Z"), nil, "", "--clock manual"},
		{append(data, "--clock", "manual", "--clock-start", "today"), nil, "", "RFC 3339"},
		{append(data, "--portal-frame", "https://app.example.com/"), nil, "", "no origin"},
		{append(data, "--portal-frame", "https://*.example.com"), nil, "", "no origin"},
		{append(data, "--portal-frame", "app.example.com; script-src *"), nil, "", "no origin"},
		{append(data, "--allow-cidr", "127.0.0.0/99"), nil, "", "127.0.0.0/99"},
		{append(data, "--allow-cidr", "127.0.0.1/8"), nil, "", "did you mean 127.0.0.0/8?"},
		{data, []string{"HOOKLINE_ALLOW_HTTP=yes"}, "", "HOOKLINE_ALLOW_HTTP: \"yes\""},
		{data, []string{"HOOKLINE_ADMIN_KEY=" + strings.Repeat("k", 31)}, "", "31 characters"},
		{data, []string{"HOOKLINE_ADMIN_KEY=" + strings.Repeat("k", 31) + "\nk"}, "", "control character"},
		{data, []string{"HOOKLINE_MASTER_KEY=abc"}, "", "HOOKLINE_MASTER_KEY"},
		{append(data, "--trust-ca", "/nonexistent.pem"), nil, "", "--trust-ca"},
		{append(data, "--profiles", "/nonexistent"), nil, "", "--profiles"},
		{append(data, "--profiles", "config.go"), nil, "", "is no directory"},
		{append(data, "--log-level", "loud"), nil, "", "none of debug"},
		{append(data, "--retention", "{facts: {age: 1d}}"), nil, "", "facts: they stay whole"},
		{append(data, "--retention", "{bodies: {agee: 1d}}"), nil, "", "agee"},
		{append(data, "--retention", "{}"), nil, "", "bodies is missing"},
		{append(data, "--retention", "{bodies: {}}"), nil, "", "bodies has no rule"},
		{append(data, "--retention", "{bodies: {age: 1s}}"), nil, "", "1m to 36500d"},
		{append(data, "--retention", "{bodies: {size: 10}}"), nil, "", "bodies.size: \"10\" is no size"},
		{data, nil, "retention: {bodies: {by_tenant: {acme: {size: 1GiB}}}}\n", "by_tenant.acme.size: a size is of all bodies"},
		{data, nil, "retention: {bodies: {by_type: {a*: {age: 1d}}}}\n", "a beginning like domain.*"},
		{append(data, "--restart-rate", "0"), nil, "", "1 to 1000000"},
		{append(data, "--max-in-flight", "x"), nil, "", "2 to 65536"},
	} {
		_, err := load(t, c.args, c.env, c.file)
		if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%v %v %q: got %v, want %q", c.args, c.env, c.file, err, c.say)
		}
	}
	// A secret that is refused is not repeated.
	if _, err := load(t, data, []string{"HOOKLINE_MASTER_KEY=abcdefgh"}, ""); err == nil || strings.Contains(err.Error(), "abcdefgh") {
		t.Errorf("the master key is repeated: %v", err)
	}
}

func TestSecrets(t *testing.T) {
	key := strings.Repeat("ab", 32)
	c, err := load(t, []string{"--data", "d"}, []string{"HOOKLINE_ADMIN_KEY=" + key, "HOOKLINE_MASTER_KEY=" + key}, "")
	if err != nil || c.AdminKey != key || c.Master == nil || c.Master[0] != 0xab {
		t.Fatal(err)
	}
	fs := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	AddFlags(fs)
	for _, name := range []string{"admin-key", "master-key"} {
		if fs.Lookup(name) != nil {
			t.Errorf("--%s would show a secret to everybody on the machine", name)
		}
	}
}

// Rules of retention come as a mapping of the file, or as the same in one text.
func TestRetention(t *testing.T) {
	want := "[{  720h0m0s 53687091200} {acme  168h0m0s 0} { domain.* 12h0m0s 0}]"
	file := "data: d\nretention:\n  bodies:\n    age: 30d\n    size: 50GiB\n    by_tenant: {acme: {age: 7d}}\n    by_type: {domain.*: {age: 12h}}\n"
	text := "{bodies: {age: 720h, size: 50GiB, by_tenant: {acme: {age: 7d}}, by_type: {\"domain.*\": {age: 12h}}}}"
	for _, from := range []func() (*Config, error){
		func() (*Config, error) { return load(t, nil, nil, file) },
		func() (*Config, error) { return load(t, []string{"--data", "d", "--retention", text}, nil, "") },
		func() (*Config, error) {
			return load(t, []string{"--data", "d"}, []string{"HOOKLINE_RETENTION=" + text}, "")
		},
	} {
		c, err := from()
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(c.Retention); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
