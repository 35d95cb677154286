package proto

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/hookline/hookline/transports"
)

func drawHeaders(t *rapid.T) []transports.Header {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) transports.Header {
		return transports.Header{Name: rapid.StringN(0, 20, -1).Draw(t, "name"), Value: string(rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "value"))}
	}), 0, 5).Draw(t, "headers")
}

func wireHeaders(hs []transports.Header) (out []*Header) {
	for _, h := range hs {
		out = append(out, &Header{Name: h.Name, Value: []byte(h.Value)})
	}
	return out
}

// encode renders one message as the codec would put it on the wire.
func encode(t interface{ Fatal(...any) }, m any) []byte {
	data, err := NewCodec().Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	defer data.Free()
	return data.Materialize()
}

// in cuts bytes into several buffers, as gRPC delivers them.
func in(b []byte) mem.BufferSlice {
	n := len(b) / 3
	return mem.BufferSlice{mem.SliceBuffer(b[:n]), mem.SliceBuffer(b[n:])}
}

// What we encode, protobuf reads as the same Batch; what protobuf encodes, we read as the same attempts.
func TestAttemptsAreProtobuf(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ours := &Attempts{Cancel: rapid.SliceOfN(rapid.Uint64(), 0, 4).Draw(t, "cancel")}
		want := &Batch{Cancel: ours.Cancel}
		for range rapid.IntRange(0, 4).Draw(t, "n") {
			req := &transports.Request{
				Target: rapid.String().Draw(t, "target"), Headers: drawHeaders(t), Body: rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "body"),
				Timeout: time.Duration(rapid.Int64().Draw(t, "timeout")), EventID: rapid.String().Draw(t, "event"),
				Method:   rapid.SampledFrom([]string{"", "OPTIONS"}).Draw(t, "method"),
				Settings: rapid.SliceOfN(rapid.Byte(), 0, 60).Draw(t, "settings"),
			}
			id := rapid.Uint64().Draw(t, "id")
			ours.Items = append(ours.Items, Sending{id, req})
			want.Attempts = append(want.Attempts, &Attempt{
				Id: id, Target: req.Target, Headers: wireHeaders(req.Headers), Body: req.Body, TimeoutNs: int64(req.Timeout), EventId: req.EventID, Method: req.Method, Settings: req.Settings,
			})
		}
		var got Batch
		if err := proto.Unmarshal(encode(t, ours), &got); err != nil {
			t.Fatal(err)
		}
		if !proto.Equal(&got, want) {
			t.Fatalf("protobuf reads\n%v\nwant\n%v", &got, want)
		}
		raw, err := proto.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		back := Received{Pool: &sync.Pool{}}
		if err := NewCodec().Unmarshal(in(raw), &back); err != nil {
			t.Fatal(err)
		}
		clear(raw) // nothing may lie in gRPC's buffer any more
		if len(back.Items) != len(ours.Items) || len(back.Cancel) != len(ours.Cancel) {
			t.Fatalf("%d attempts and %d ids, want %d and %d", len(back.Items), len(back.Cancel), len(ours.Items), len(ours.Cancel))
		}
		for i, it := range back.Items {
			again := encode(t, &Attempts{Items: []Sending{{it.ID, &it.Req}}})
			if !bytes.Equal(again, encode(t, &Attempts{Items: ours.Items[i : i+1]})) {
				t.Fatalf("attempt %d came back otherwise", i)
			}
			it.Release()
		}
	})
}

// The same for results.
func TestResultsAreProtobuf(t *testing.T) {
	dur := rapid.Custom(func(t *rapid.T) time.Duration { return time.Duration(rapid.Int64Range(0, 1<<50).Draw(t, "d")) })
	rapid.Check(t, func(t *rapid.T) {
		ours := &Results{Window: rapid.Uint32Max(1<<20).Draw(t, "window")}
		want := &ResultBatch{Window: ours.Window}
		for range rapid.IntRange(0, 4).Draw(t, "n") {
			id := rapid.Uint64().Draw(t, "id")
			if rapid.Bool().Draw(t, "fault") {
				text := rapid.StringN(1, 20, -1).Draw(t, "text")
				ours.Items = append(ours.Items, Ended{ID: id, Err: errors.New(text)})
				want.Results = append(want.Results, &Result{Id: id, Fault: text})
				continue
			}
			r := transports.Result{
				Outcome: transports.Outcome(rapid.IntRange(1, 5).Draw(t, "outcome")),
				Kind:    rapid.SampledFrom([]transports.ErrorKind{"", transports.KindDNS, transports.KindStatus, transports.KindAuthToken}).Draw(t, "kind"),
				Error:   rapid.String().Draw(t, "error"), Status: rapid.IntRange(0, 999).Draw(t, "status"), Headers: drawHeaders(t),
				Body: rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "body"), Truncated: rapid.Bool().Draw(t, "truncated"),
				Timings: transports.Timings{DNS: dur.Draw(t, "dns"), Connect: dur.Draw(t, "connect"), TLS: dur.Draw(t, "tls"), Wait: dur.Draw(t, "wait"), Body: dur.Draw(t, "body time")},
				Took:    dur.Draw(t, "took"),
			}
			ours.Items = append(ours.Items, Ended{ID: id, Result: r})
			w := &Result{
				Id: id, Outcome: Outcome(r.Outcome), ErrorKind: string(r.Kind), Error: r.Error, Status: uint32(r.Status), Headers: wireHeaders(r.Headers),
				Body: r.Body, Truncated: r.Truncated, TookNs: int64(r.Took),
			}
			if r.Timings != (transports.Timings{}) {
				w.Timings = &Timings{DnsNs: int64(r.Timings.DNS), ConnectNs: int64(r.Timings.Connect), TlsNs: int64(r.Timings.TLS), WaitNs: int64(r.Timings.Wait), BodyNs: int64(r.Timings.Body)}
			}
			want.Results = append(want.Results, w)
		}
		var got ResultBatch
		if err := proto.Unmarshal(encode(t, ours), &got); err != nil {
			t.Fatal(err)
		}
		if !proto.Equal(&got, want) {
			t.Fatalf("protobuf reads\n%v\nwant\n%v", &got, want)
		}
		raw, err := proto.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var back Results
		if err := NewCodec().Unmarshal(in(raw), &back); err != nil {
			t.Fatal(err)
		}
		clear(raw)
		for i := range back.Items { // a fault's text carries ErrFault's in front on this side
			if err := ours.Items[i].Err; err != nil && (!errors.Is(back.Items[i].Err, ErrFault) || !strings.HasSuffix(back.Items[i].Err.Error(), err.Error())) {
				t.Fatalf("fault %v, want %v", back.Items[i].Err, err)
			}
			if ours.Items[i].Err != nil {
				back.Items[i].Err = ours.Items[i].Err
			}
		}
		if !bytes.Equal(encode(t, &back), encode(t, ours)) {
			t.Fatal("results came back otherwise")
		}
	})
}

// Golden bytes: what was once on the wire is read for ever. HOOKLINE_REWRITE=1 go test writes them anew, which is right
// only for fields that were added.
func TestGolden(t *testing.T) {
	for name, m := range map[string]any{
		"attempts": &Attempts{
			Items: []Sending{{7, &transports.Request{
				Target: "https://receiver.example/in", Headers: []transports.Header{{Name: "content-type", Value: "application/json"}, {Name: "x-empty"}},
				Body: []byte(`{"id":"evt_1"}`), Timeout: 30 * time.Second, EventID: "evt_1",
			}}, {1<<32 | 1, &transports.Request{}}},
			Cancel: []uint64{3, 300},
		},
		"results": &Results{Window: 4096, Items: []Ended{
			{ID: 7, Result: transports.Result{
				Outcome: transports.Rejected, Kind: transports.KindStatus, Error: "the receiver answered 500", Status: 500,
				Headers: []transports.Header{{Name: "server", Value: "\xe4"}}, Body: []byte("no"), Truncated: true,
				Timings: transports.Timings{DNS: 1, Connect: 2, TLS: 3, Wait: 4, Body: 5}, Took: 1500 * time.Millisecond,
			}},
			{ID: 8, Err: errors.New("out of memory")},
		}},
	} {
		file := "testdata/" + name + ".hex"
		got := hex.EncodeToString(encode(t, m)) + "\n"
		if os.Getenv("HOOKLINE_REWRITE") != "" {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s:\n got %swant %s", name, got, want)
		}
	}
}

// A plugin is held to the contract: what no plugin may say is its fault, not the receiver's.
func TestResultsAreChecked(t *testing.T) {
	for name, c := range map[string]struct {
		in   *Result
		want string
	}{
		"no outcome":      {&Result{}, "outcome 0 is unknown"},
		"unknown outcome": {&Result{Outcome: 9}, "outcome 9 is unknown"},
		"unknown kind":    {&Result{Outcome: 2, ErrorKind: "bad_mood"}, `error_kind "bad_mood" is unknown`},
		"absurd status":   {&Result{Outcome: 2, Status: 1000}, "status 1000 is above 999"},
		"fault":           {&Result{Fault: "mine", Outcome: 1, Status: 200}, "mine"},
	} {
		raw, err := proto.Marshal(&ResultBatch{Results: []*Result{c.in}})
		if err != nil {
			t.Fatal(err)
		}
		var r Results
		if err := NewCodec().Unmarshal(in(raw), &r); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if e := r.Items[0]; !errors.Is(e.Err, ErrFault) || !strings.Contains(e.Err.Error(), c.want) || e.Result.Outcome != 0 {
			t.Errorf("%s: %v, outcome %s", name, e.Err, e.Result.Outcome)
		}
	}
	long := bytes.Repeat([]byte("x"), transports.MaxResponseBody+1)
	raw, _ := proto.Marshal(&ResultBatch{Results: []*Result{{Outcome: 1, Status: 200, Body: long}}})
	var r Results
	if err := NewCodec().Unmarshal(in(raw), &r); err != nil {
		t.Fatal(err)
	}
	if got := r.Items[0].Result; len(got.Body) != transports.MaxResponseBody || !got.Truncated {
		t.Errorf("%d bytes of body, truncated %t", len(got.Body), got.Truncated)
	}
}

// Texts that are no UTF-8 become it, since protobuf's strings must be; header values stay bytes.
func TestInvalidUTF8(t *testing.T) {
	raw := encode(t, &Results{Items: []Ended{
		{Result: transports.Result{Outcome: 1, Error: "a\xffb", Headers: []transports.Header{{Name: "x", Value: "\xff"}}}}, {Err: errors.New("\xff")}, {Err: errors.New("")},
	}})
	var got ResultBatch
	if err := proto.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	if r := got.Results; r[0].Error != "a\uFFFDb" || string(r[0].Headers[0].Value) != "\xff" || r[1].Fault != "\uFFFD" || r[2].Fault == "" {
		t.Errorf("%v", &got)
	}
}

func TestTooLong(t *testing.T) {
	m := &Attempts{Items: []Sending{{1, &transports.Request{Body: make([]byte, MaxMessage)}}}}
	if _, err := NewCodec().Marshal(m); err == nil || !strings.Contains(err.Error(), "at most 16777216") {
		t.Errorf("%v", err)
	}
}

// Other messages are protobuf's.
func TestFallback(t *testing.T) {
	c := NewCodec()
	data, err := c.Marshal(&Description{Name: "https"})
	if err != nil {
		t.Fatal(err)
	}
	var d Description
	if err := c.Unmarshal(data, &d); err != nil || d.Name != "https" {
		t.Errorf("%v, %v", &d, err)
	}
	if c.Name() != "proto" {
		t.Errorf("name %q", c.Name())
	}
}

func TestBuffers(t *testing.T) {
	var b buffers
	for _, n := range []int{0, 1, 4 << 10, 4<<10 + 1, 16 << 10, 64<<10 - 1, 1 << 20, 4 << 20, 4<<20 + 1, 16 << 20} {
		p := b.Get(n)
		if len(*p) != n {
			t.Errorf("%d bytes, want %d", len(*p), n)
		}
		if n <= 4<<20 && n > 4<<10 && cap(*p) > 4*n {
			t.Errorf("%d bytes lie in %d", n, cap(*p))
		}
		b.Put(p)
	}
	odd := make([]byte, 5000)
	b.Put(&odd) // not ours: not kept
	if p := b.Get(5000); cap(*p) != 16<<10 {
		t.Errorf("a buffer of %d bytes was kept", cap(*p))
	}
}

// group says that the bytes hold one of protobuf's old groups, which this wire does not know.
func group(err error) bool { return err != nil && strings.Contains(err.Error(), "wire type") }

func FuzzResults(f *testing.F) {
	f.Add(encode(f, &Results{Window: 3, Items: []Ended{{ID: 7, Result: transports.Result{Outcome: 1, Status: 200, Body: []byte("ok"), Headers: []transports.Header{{Name: "a", Value: "b"}}}}, {Err: errors.New("x")}}}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var r Results
		ours := NewCodec().Unmarshal(in(raw), &r)
		if ours != nil && !errors.Is(ours, ErrMalformed) {
			t.Fatal(ours)
		}
		var theirs ResultBatch
		if err := proto.Unmarshal(raw, &theirs); err == nil && !group(ours) && (ours != nil || len(r.Items) != len(theirs.Results)) {
			t.Fatalf("protobuf reads %d results, we %d, %v", len(theirs.Results), len(r.Items), ours)
		}
	})
}

func FuzzAttempts(f *testing.F) {
	f.Add(encode(f, &Attempts{Cancel: []uint64{1, 300}, Items: []Sending{{7, &transports.Request{Target: "t", Body: []byte("b"), Timeout: 1, Headers: []transports.Header{{Name: "a", Value: "b"}}}}}}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r := Received{Pool: &sync.Pool{}}
		ours := NewCodec().Unmarshal(in(raw), &r)
		if ours != nil && (!errors.Is(ours, ErrMalformed) || len(r.Items) != 0) {
			t.Fatal(ours, len(r.Items))
		}
		var theirs Batch
		if err := proto.Unmarshal(raw, &theirs); err == nil && !group(ours) && (ours != nil || len(r.Items) != len(theirs.Attempts) || len(r.Cancel) != len(theirs.Cancel)) {
			t.Fatalf("protobuf reads %d attempts, we %d, %v", len(theirs.Attempts), len(r.Items), ours)
		}
		for _, it := range r.Items {
			it.Release()
		}
	})
}

func BenchmarkAttempts(b *testing.B) {
	m := &Attempts{}
	for i := range uint64(MaxItems) {
		m.Items = append(m.Items, Sending{i, &transports.Request{Target: "https://receiver.example/in", Body: make([]byte, 1024), Timeout: time.Minute, Headers: []transports.Header{{Name: "content-type", Value: "application/json"}}}})
	}
	r := Received{Pool: &sync.Pool{}}
	c := NewCodec()
	b.ReportAllocs()
	for b.Loop() {
		data, err := c.Marshal(m)
		if err != nil {
			b.Fatal(err)
		}
		if err := c.Unmarshal(data, &r); err != nil {
			b.Fatal(err)
		}
		for _, it := range r.Items {
			it.Release()
		}
		data.Free()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/MaxItems, "ns/attempt")
}

// A batch of more results than the wire allows is refused before it costs memory.
func TestTooManyResultsAreMalformed(t *testing.T) {
	many := &ResultBatch{}
	for i := range MaxItems + 1 {
		many.Results = append(many.Results, &Result{Id: uint64(i), Outcome: Outcome_OUTCOME_ACKNOWLEDGED})
	}
	raw, err := proto.Marshal(many)
	if err != nil {
		t.Fatal(err)
	}
	var got Results
	if err := NewCodec().Unmarshal(in(raw), &got); !errors.Is(err, ErrMalformed) {
		t.Fatalf("got %v, want ErrMalformed", err)
	}
}
