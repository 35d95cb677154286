package history

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/hookline/hookline/engine/record"
	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/projection"
)

func (s *subject) digest() (eventlog.Hash, eventlog.Seq) {
	d, seq, err := s.Digest(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	return d, seq
}

// TestLiveEqualsRebuilt (promise 3): history that was followed live, over restarts and losses of power at any place, has at every checkpoint
// the digest of one that is folded from nothing up to there.
func TestLiveEqualsRebuilt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		mem := projection.NewMemory()
		s := open(t, mem, w.log)
		for range rapid.IntRange(1, 4).Draw(t, "rounds") {
			w.steps(rapid.IntRange(1, 60).Draw(t, "steps"))
			s.foldTo(w.log, eventlog.Seq(rapid.Uint64Range(uint64(s.Checkpoint()), uint64(w.next-1)).Draw(t, "until")))
			switch rapid.IntRange(0, 2).Draw(t, "then") {
			case 1: // a clean restart
				s.close()
			case 2: // a loss of power
				crashed := mem.Crash(rapid.Uint64().Draw(t, "crash"))
				s.close()
				mem = crashed
			default:
				continue
			}
			w.log = w.log.Reopen()
			w.acquire()
			s = open(t, mem, w.log)
		}
		live, seq := s.digest()
		if records := w.records()[:seq]; seq > 0 {
			for range 4 {
				compareLists(t, w, s.History, records)
			}
			compareLookups(t, w, s.History, records)
			checkShortLists(t, s.History, records)
		}
		s.close()

		r := open(t, projection.NewMemory(), w.log)
		defer r.close()
		r.foldTo(w.log, seq)
		if rebuilt, at := r.digest(); at != seq || rebuilt != live {
			t.Fatalf("live at %d: %x, rebuilt at %d: %x", seq, live, at, rebuilt)
		}
	})
}

// TestPagesWhileWriting: whatever is written between two pages, no row comes twice, and none is missed that was there
// and matched all the while.
func TestPagesWhileWriting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		s := open(t, projection.NewMemory(), w.log)
		defer s.close()
		w.steps(rapid.IntRange(20, 150).Draw(t, "steps"))
		s.foldTo(w.log, 0)

		q := DeliveryQuery{Tenant: pick(w, "tenant", w.tenants), Endpoint: drawEndpoint(t, w)}
		q.Status = maybe(t, "status", []record.Status{record.Pending}, []record.Status{record.Skipped, record.Exhausted})
		stayed := map[record.Ref]bool{}
		for _, d := range modelOf(w.records(), maxSeq).listDeliveries(q) {
			stayed[d.Ref] = true
		}
		page := Page{Limit: rapid.IntRange(1, 4).Draw(t, "limit"), Ascending: rapid.Bool().Draw(t, "ascending")}
		seen := map[record.Ref]bool{}
		for rows := range 200 {
			q.Page = page
			got, next, err := s.Deliveries(context.Background(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range got {
				if seen[d.Ref] {
					t.Fatalf("delivery %v comes twice", d.Ref)
				}
				seen[d.Ref] = true
			}
			if next == nil {
				break
			}
			page.After = next
			if rows < 20 {
				w.steps(rapid.IntRange(1, 5).Draw(t, "steps between"))
				s.foldTo(w.log, 0)
				now := map[record.Ref]bool{}
				plain := q
				plain.Page = Page{}
				for _, d := range modelOf(w.records(), maxSeq).listDeliveries(plain) {
					now[d.Ref] = true
				}
				for ref := range stayed {
					if !now[ref] {
						delete(stayed, ref)
					}
				}
			}
		}
		for ref := range stayed {
			if !seen[ref] {
				t.Fatalf("delivery %v was missed", ref)
			}
		}
	})
}

// victimDir names, in the environment, the directory that the process to be killed follows into.
const victimDir = "HISTORY_TEST_VICTIM_DIR"

// victimEvents make the log of the killed process: the same one each time.
const victimEvents = 30_000

// victim follows the log of benchLog, tells what was applied, and never stops by itself before its end. There it goes as
// one that is killed does: who waited for further steps would wait for ever.
func victim(dir string) {
	tb := &testing.B{}
	log := benchLog(tb, victimEvents, 20, true)
	store, err := projection.Open(context.Background(), projection.Options{
		Dir: dir, Version: LayoutVersion, Logger: quiet(), MemtableBytes: 1 << 20})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	f, err := projection.NewFollower(projection.FollowerOptions{
		Log: log, Store: store, View: New(store), FlushRecords: 2000, Logger: quiet()})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	head, err := log.Head(context.Background())
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	f.Start()
	for seq := f.Seq() + 1000; seq <= head.Seq; seq += 1000 {
		if err := f.WaitFor(context.Background(), seq); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		fmt.Println(seq)
	}
	os.Exit(0)
}

// TestKilledWhileFollowing: a process that follows is killed with SIGKILL at a random place, again and again; each time
// the store opens at some checkpoint not beyond what was applied, goes on, and in the end equals a rebuilt one
// (promise 3; crash without a flush).
func TestKilledWhileFollowing(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes")
	}
	dir := t.TempDir()
	log := benchLog(t, victimEvents, 20, true)
	rnd := rand.New(rand.NewPCG(1, 2))
	killed := 0
	for range 4 {
		if killVictim(t, dir, rnd.IntN(12)+8) {
			killed++
		}
	}
	if killed == 0 {
		t.Error("no victim was killed on its way")
	}
	h := openHistory(t, dir, nil) // the victim's epochs had other tags, so that its log had another chain
	at := h.Checkpoint()
	t.Logf("opened at %d", at)
	if at == 0 {
		t.Error("nothing of what was flushed is left")
	}
	foldAll(t, h, log)
	rebuilt := openHistory(t, t.TempDir(), log)
	foldAll(t, rebuilt, log)
	got, _, err := h.Digest(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	want, _, err := rebuilt.Digest(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("digest after the kills %x, rebuilt %x", got, want)
	}
}

// killVictim runs the victim until it has told n more steps, then kills it. False: it came to the log's end before.
func killVictim(t *testing.T, dir string, n int) bool {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), victimDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines, onItsWay := bufio.NewScanner(out), true
	for range n {
		if onItsWay = lines.Scan(); !onItsWay {
			break
		}
		if _, err := fmt.Sscanf(lines.Text(), "%d", new(int)); err != nil {
			t.Errorf("the victim says %q", lines.Text())
		}
	}
	if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Error(err)
	}
	_ = cmd.Wait() // it was killed, or had gone
	return onItsWay
}

// TestQueriesBesideFollower: queries answer while the follower writes, each from one consistent state: the deliveries
// of a page never say less than the one before (run with -race).
func TestQueriesBesideFollower(t *testing.T) {
	log := benchLog(t, 20_000, 5, true)
	head, err := log.Head(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	h := openHistory(t, t.TempDir(), log)
	f, err := projection.NewFollower(projection.FollowerOptions{Log: log, Store: h.store, View: h, Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	f.Start()
	defer f.Stop()
	for f.Seq() < head.Seq {
		var succeeded []DeliveryRow
		before := h.Checkpoint()
		for _, status := range []record.Status{record.Succeeded, record.Pending} {
			rows, _, err := h.Deliveries(context.Background(), DeliveryQuery{
				Tenant: "tenant-one", Status: []record.Status{status}, Page: Page{AsOf: before, Limit: 20}})
			if before == 0 {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if status == record.Succeeded {
				succeeded = rows
			}
			again, _, err := h.Deliveries(context.Background(), DeliveryQuery{
				Tenant: "tenant-one", Status: []record.Status{status}, Page: Page{AsOf: before, Limit: 20}})
			if err != nil || !reflect.DeepEqual(rows, again) {
				t.Fatalf("as of %d the list of %v changed: %v", before, status, err)
			}
		}
		for _, d := range succeeded {
			if d.Version > before {
				t.Fatalf("as of %d a row tells of record %d", before, d.Version)
			}
		}
	}
	if err := f.WaitFor(context.Background(), head.Seq); err != nil {
		t.Fatal(err)
	}
	rows, _, err := h.Deliveries(context.Background(), DeliveryQuery{
		Tenant: "tenant-one", Status: []record.Status{record.Pending}})
	if err != nil || len(rows) != 0 {
		t.Fatalf("%d pending at the end, %v", len(rows), err)
	}
}
