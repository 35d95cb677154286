package blackbox

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Pictures of the demonstration, for the README: not a test of its own, but a walk that `make screenshots` makes.
func TestDashboardOfTheDemo(t *testing.T) {
	if os.Getenv("HOOKLINE_SCREENSHOTS") == "" {
		t.Skip("only pictures; set HOOKLINE_SCREENSHOTS to a folder")
	}
	s := newServer(t, serveOptions{})
	s.addr = freeAddress(t)
	s.run(t, []string{"dev", "--listen", s.addr, "--data", s.data, "--rate", "40"}, append(bareEnv(), "HOOKLINE_ADMIN_KEY="+s.key))
	if err := s.awaitReady(late); err != nil {
		t.Fatalf("%v\n%s", err, s.logTail())
	}
	poll(t, time.Minute, func() string { // some life first
		var st struct{ Attempts map[string]int }
		s.api.get(t, "/v1/stats", &st)
		if st.Attempts["acknowledged"] < 800 {
			return fmt.Sprintf("%v attempts so far", st.Attempts)
		}
		return ""
	})
	b := newBrowser(t)
	b.signedIn(s, s.key)
	b.sees("Overview", "Most failed attempts")
	b.shot("demo-overview")
	b.click("link", "Live tail")
	b.sees("attempt.finished")
	b.shot("demo-tail")
	failed := list[attempt](t, s.api, "/v1/tenants/demo-harbor/attempts", "outcome", "failed", "from", time.Now().Add(-time.Hour).UTC().Format(time.RFC3339))
	if len(failed) == 0 {
		t.Fatal("nothing failed in the demonstration")
	}
	b.at("#/tenants/demo-harbor/deliveries/" + *failed[len(failed)-1].DeliveryID)
	b.sees("Attempt 1")
	b.shot("demo-delivery")
	b.portal(s, "demo-harbor")
	b.sees("success, 24 h")
	b.shot("demo-portal")
	e := list[endpoint](t, s.api, "/v1/tenants/demo-harbor/endpoints")[0]
	b.at("#/endpoints/" + e.ID)
	b.sees("95 % within")
	b.shot("demo-endpoint")
	b.at("#/endpoints/" + e.ID + "/logs?attempt=" + list[attempt](t, s.api, "/v1/tenants/demo-harbor/attempts", "endpoint_id", e.ID, "from", time.Now().Add(-time.Minute).UTC().Format(time.RFC3339))[0].ID)
	b.sees("Request", "Response")
	b.shot("demo-logs")
	pictures, err := filepath.Glob(filepath.Join(os.Getenv("HOOKLINE_SCREENSHOTS"), "demo-*.png"))
	if err != nil || len(pictures) < 20 {
		t.Errorf("%d pictures (%v): %s", len(pictures), err, strings.Join(pictures, " "))
	}
}
