package bench

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// ledger is memory that the receiver, the publisher and Run share: how often each event number arrived, and when.
// Sharing it costs the measured processes an atomic add where messages would cost system calls. It holds the
// publisher's window too: the publisher sees how many events have arrived.
//
// Layout: one page of head words, then stampSlots pairs of stamps, then ledgerSlots counts. It is no format: the processes that
// share it are the same binary.
type ledger struct {
	mem    []byte
	head   *ledgerHead
	stamps []stamp
	counts []atomic.Uint32
}

type ledgerHead struct {
	run      atomic.Uint32 // the run that counts: receipts of any other are strays
	_        uint32
	received atomic.Uint64 // receipts of this run, duplicates counted
	strays   atomic.Uint64 // receipts that belong to no known event
	last     atomic.Int64  // of the newest receipt, Unix ns
}

// stamp is when an event's publish call started and when it reached the receiver, Unix ns; 0 = not.
type stamp struct{ sent, received atomic.Int64 }

const (
	headBytes   = 4096
	stampSlots  = 1 << 16 // only the first events of a run are stamped: latency is measured at a low rate
	ledgerSlots = 16 << 20
	ledgerBytes = headBytes + stampSlots*int(unsafe.Sizeof(stamp{})) + ledgerSlots*4
)

// newLedger makes shared memory without a name: it is gone with the last process that holds the file.
func newLedger() (*ledger, *os.File, error) {
	dir := "/dev/shm" // memory even where the temporary directory is a disk, whose traffic would be in the figures
	if st, err := os.Stat(dir); err != nil || !st.IsDir() {
		dir = ""
	}
	f, err := os.CreateTemp(dir, "hookline-bench-*")
	if err != nil {
		return nil, nil, fmt.Errorf("bench: shared memory: %w", err)
	}
	err = errors.Join(os.Remove(f.Name()), f.Truncate(int64(ledgerBytes)))
	if err == nil {
		var l *ledger
		if l, err = openLedger(f); err == nil {
			return l, f, nil
		}
	}
	return nil, nil, errors.Join(err, f.Close())
}

// openLedger maps the memory that f holds; f may be closed afterwards.
func openLedger(f *os.File) (*ledger, error) {
	mem, err := syscall.Mmap(int(f.Fd()), 0, ledgerBytes, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("bench: shared memory: %w", err)
	}
	l := &ledger{mem: mem, head: (*ledgerHead)(unsafe.Pointer(&mem[0]))}
	l.stamps = unsafe.Slice((*stamp)(unsafe.Pointer(&mem[headBytes])), stampSlots)
	at := headBytes + stampSlots*int(unsafe.Sizeof(stamp{}))
	l.counts = unsafe.Slice((*atomic.Uint32)(unsafe.Pointer(&mem[at])), ledgerSlots)
	return l, nil
}

func (l *ledger) close() error {
	if l.mem == nil {
		return nil
	}
	mem := l.mem
	l.mem, l.head, l.stamps, l.counts = nil, nil, nil, nil
	return syscall.Munmap(mem)
}

// begin starts a run. used is how many numbers the run before may have touched.
func (l *ledger) begin(run uint32, used uint64) {
	l.head.run.Store(0) // what still comes of the old run is a stray from here on
	for i := range l.counts[:min(used, ledgerSlots)] {
		l.counts[i].Store(0)
	}
	for i := range l.stamps {
		l.stamps[i].sent.Store(0)
		l.stamps[i].received.Store(0)
	}
	l.head.received.Store(0)
	l.head.strays.Store(0)
	l.head.last.Store(0)
	l.head.run.Store(run)
}

// receive counts one receipt.
func (l *ledger) receive(run uint32, n uint64, now int64) {
	if run != l.head.run.Load() || n >= ledgerSlots {
		l.head.strays.Add(1)
		return
	}
	l.counts[n].Add(1)
	if n < stampSlots {
		l.stamps[n].received.CompareAndSwap(0, now)
	}
	l.head.last.Store(now)
	l.head.received.Add(1)
}

// tally compares what arrived with what was accepted: the numbers below n.
type tally struct {
	Missing    uint64 `json:"missing"`
	Duplicated uint64 `json:"duplicated"`
	Strays     uint64 `json:"strays"`
}

func (l *ledger) check(n uint64) tally {
	t := tally{Strays: l.head.strays.Load()}
	for i := range min(n, ledgerSlots) {
		switch l.counts[i].Load() {
		case 0:
			t.Missing++
		case 1:
		default:
			t.Duplicated++
		}
	}
	for i := n; i < ledgerSlots && i < n+1<<20; i++ { // nothing arrives that was not accepted
		if l.counts[i].Load() > 0 {
			t.Strays++
		}
	}
	return t
}
