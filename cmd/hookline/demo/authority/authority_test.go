package authority

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

func get(t *testing.T, trusting *Authority, serving tls.Certificate) error {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "OK") }))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{serving}}
	s.Config.ErrorLog = nil
	s.StartTLS()
	defer s.Close()
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusting.Pool()}}
	defer tr.CloseIdleConnections()
	resp, err := (&http.Client{Transport: tr}).Get(s.URL)
	if err == nil {
		resp.Body.Close()
	}
	return err
}

func TestTrustSurvivesRestart(t *testing.T) {
	dir := t.TempDir()
	first, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := again.Leaf(net.IPv4(127, 0, 0, 1))
	if err != nil {
		t.Fatal(err)
	}
	if err := get(t, first, leaf); err != nil {
		t.Fatalf("a certificate made after the restart is not trusted by who trusted before: %v", err)
	}
	st, err := os.Stat(filepath.Join(dir, keyFile))
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Fatalf("private key: %v %v, want mode 0600", st.Mode(), err)
	}
}

func TestOthersAreNotTrusted(t *testing.T) {
	a, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	b, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		by *Authority
		ip net.IP
	}{
		"another authority": {b, net.IPv4(127, 0, 0, 1)},
		"another address":   {a, net.IPv4(127, 0, 0, 2)},
		"outside loopback":  {a, net.IPv4(192, 0, 2, 1)},
	} {
		leaf, err := tc.by.Leaf(tc.ip)
		if err != nil {
			t.Fatal(err)
		}
		if err := get(t, a, leaf); err == nil {
			t.Errorf("%s: trusted", name)
		}
	}
}

func TestDamagedAuthorityIsMadeAnew(t *testing.T) {
	for _, file := range []string{certFile, keyFile} {
		dir := t.TempDir()
		if _, err := Open(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), []byte("not PEM"), 0o600); err != nil {
			t.Fatal(err)
		}
		a, err := Open(dir)
		if err != nil {
			t.Fatalf("%s damaged: %v", file, err)
		}
		leaf, err := a.Leaf(net.IPv4(127, 0, 0, 1))
		if err != nil {
			t.Fatal(err)
		}
		if err := get(t, a, leaf); err != nil {
			t.Errorf("%s damaged: %v", file, err)
		}
	}
}
