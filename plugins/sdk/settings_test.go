package sdk

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hookline/hookline/plugins/proto"
	"github.com/hookline/hookline/plugins/schema"
)

type login struct {
	User     string `json:"user" doc:"who"`
	Password string `json:"password" sensitive:"true" min:"4"`
}

type wanted struct {
	Address string            `json:"address" format:"uri"`
	Level   string            `json:"level" enum:"low,high" default:"low"`
	Every   Duration          `json:"every" default:"5s"`
	Size    uint16            `json:"size,omitempty" max:"99"`
	Login   login             `json:"login"`
	Tags    []string          `json:"tags,omitempty" max:"3"`
	Labels  map[string]string `json:"labels,omitempty"`
	Maybe   *bool             `json:"maybe"`
	Any     json.RawMessage   `json:"any,omitempty"`
	Hidden  int               `json:"-"`
}

// A settings struct describes itself: what fits its tags is taken, with defaults filled in, and nothing else.
func TestSchemaOfAStruct(t *testing.T) {
	doc, err := Schema[wanted]()
	if err != nil {
		t.Fatal(err)
	}
	s, err := schema.Compile(doc)
	if err != nil {
		t.Fatal(err)
	}
	const least = `"address":"x:y","login":{"user":"u","password":"geheim"}`
	for settings, at := range map[string]string{
		`{` + least + `}`: "ok",
		`{` + least + `,"level":"high","every":"1m30s","size":99,"tags":["a"],"labels":{"a":"b"},"maybe":true,"any":[1]}`: "ok",
		`{"address":"x:y"}`:                                  "",
		`{` + least + `,"level":"middle"}`:                   "/level",
		`{` + least + `,"every":"soon"}`:                     "/every",
		`{` + least + `,"size":100}`:                         "/size",
		`{` + least + `,"size":-1}`:                          "/size",
		`{` + least + `,"tags":["a","b","c","d"]}`:           "/tags",
		`{` + least + `,"labels":{"a":1}}`:                   "/labels/a",
		`{` + least + `,"hidden":1}`:                         "",
		`{"address":"x","login":{"user":"u","password":""}}`: "/login/password",
	} {
		err := s.Check([]byte(settings))
		var e *schema.Error
		if at == "ok" && err != nil || at != "ok" && (!errors.As(err, &e) || e.Pointer != at) {
			t.Errorf("%s: %v, want %q", settings, err, at)
		}
	}
	if got := string(s.Mask([]byte(`{` + least + `}`))); strings.Contains(got, "geheim") {
		t.Errorf("the secret is shown: %s", got)
	}
	var got wanted
	open := Open(func(_ context.Context, w wanted) (Transport, error) { got = w; return newFake(nil), nil })
	if _, err := open.open(t.Context(), []byte(`{`+least+`}`)); err != nil || got.Level != "low" || time.Duration(got.Every) != 5*time.Second {
		t.Errorf("%+v, %v", got, err)
	}
}

// A mistake in the struct is told by Serve, which names the field.
func TestSettingsThatCannotBe(t *testing.T) {
	for name, o := range map[string]Opener{
		"Ch": Open(func(context.Context, struct{ Ch chan int }) (Transport, error) { return nil, nil }),
		"Count": Open(func(context.Context, struct {
			Count int `default:"many"`
		}) (Transport, error) {
			return nil, nil
		}),
		"Flag": Open(func(context.Context, struct {
			Flag bool `min:"1"`
		}) (Transport, error) {
			return nil, nil
		}),
		"struct": Open(func(context.Context, string) (Transport, error) { return nil, nil }),
	} {
		if err := Serve(Plugin{Name: "x", Endpoint: o}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type key struct {
	Key string `json:"key" min:"2"`
}

func withSettings(settings string, ids ...uint64) *proto.Attempts {
	m := &proto.Attempts{}
	for _, id := range ids {
		m.Items = append(m.Items, proto.Sending{ID: id, Req: &Request{Target: "t", Timeout: time.Minute, Settings: []byte(settings)}})
	}
	return m
}

// One transport for each endpoint's settings, however many attempts come at once; settings that don't fit are a fault
// that names the place, and never open anything.
func TestOneTransportForEachSettings(t *testing.T) {
	var opens atomic.Int32
	p := Plugin{Name: "x", Endpoint: Open(func(_ context.Context, k key) (Transport, error) {
		opens.Add(1)
		return newFake(func(context.Context, *Request) (Result, error) {
			return Result{Outcome: Acknowledged, Body: []byte(k.Key)}, nil
		}), nil
	})}
	c := configured(t, p)
	s, _ := open(t, c)
	send(t, s, withSettings(`{"key":"aa"}`, 1, 2, 3, 4, 5, 6, 7, 8))
	send(t, s, withSettings(`{"key":"bb"}`, 11, 12))
	send(t, s, withSettings(`{"key":"b"}`, 21))
	for id, e := range collect(t, s, 11) {
		switch {
		case id > 20:
			if e.Err == nil || !strings.Contains(e.Err.Error(), "/key") {
				t.Errorf("settings that don't fit: %v", e.Err)
			}
		case e.Err != nil || string(e.Result.Body) != map[bool]string{true: "aa", false: "bb"}[id < 10]:
			t.Errorf("attempt %d: %q, %v", id, e.Result.Body, e.Err)
		case e.Result.Took <= 0:
			t.Errorf("attempt %d took %v", id, e.Result.Took)
		}
	}
	if n := opens.Load(); n != 2 {
		t.Errorf("opened %d times for 2 settings", n)
	}
	if _, err := c.Configure(t.Context(), &proto.Settings{Json: []byte(`{"key":"aa"}`)}); status.Code(err) != codes.InvalidArgument {
		t.Errorf("operator's settings for a plugin that has none: %v", err)
	}
}

// Blame: what open or Deliver calls Failed is the receiver's, a timeout is one, every other error is the plugin's.
func TestBlame(t *testing.T) {
	p := Plugin{Name: "x", Endpoint: Open(func(_ context.Context, k key) (Transport, error) {
		switch k.Key {
		case "down":
			return nil, Failed(Unreachable, KindConnectRefused, "broker away")
		case "broken":
			return nil, errors.New("no memory")
		case "panic":
			panic("in open")
		}
		return newFake(func(ctx context.Context, _ *Request) (Result, error) {
			if k.Key == "slow" {
				<-ctx.Done()
				return Result{}, ctx.Err()
			}
			return Result{}, Failed(Rejected, "", "no")
		}), nil
	})}
	s, _ := open(t, configured(t, p))
	for key, want := range map[string]string{"down": "unreachable broker away", "broken": "fault", "panic": "fault", "slow": "timed_out", "other": "rejected no"} {
		m := withSettings(`{"key":"`+key+`"}`, 1)
		m.Items[0].Req.Timeout = 50 * time.Millisecond
		send(t, s, m)
		e := collect(t, s, 1)[1]
		got := strings.TrimSpace(e.Result.Outcome.String() + " " + e.Result.Error)
		if e.Err != nil {
			got = "fault"
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q %v, want %q", key, got, e.Err, want)
		}
	}
}

// A transport nobody uses is closed after a minute, and opened again when an attempt comes.
func TestIdleTransportsAreClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all []*fake
		e := newEndpoints(Open(func(context.Context, key) (Transport, error) {
			all = append(all, newFake(nil))
			return all[len(all)-1], nil
		}))
		deliver := func() {
			if _, err := e.Deliver(t.Context(), &Request{Settings: []byte(`{"key":"aa"}`), Timeout: time.Second}); err != nil {
				t.Fatal(err)
			}
		}
		deliver()
		time.Sleep(50 * time.Second)
		deliver()
		time.Sleep(50 * time.Second)
		synctest.Wait()
		if len(all) != 1 || all[0].closed.Load() != 0 {
			t.Fatal("closed while it was in use")
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if all[0].closed.Load() != 1 {
			t.Fatal("not closed although idle")
		}
		deliver()
		_ = e.Close()
		if len(all) != 2 || all[1].closed.Load() != 1 {
			t.Fatal("not opened anew, or not closed at the end")
		}
	})
}
