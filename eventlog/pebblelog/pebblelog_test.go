package pebblelog

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"

	"github.com/hookline/hookline/eventlog"
	"github.com/hookline/hookline/eventlog/logtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConformance(t *testing.T) {
	t.Run("on disk", func(t *testing.T) {
		logtest.Run(t, func(t *testing.T) logtest.Store {
			dir := t.TempDir()
			return logtest.Store{Open: func() (eventlog.Log, error) { return Open(Options{Dir: dir}) }}
		})
	})
	t.Run("in memory, small memtables", func(t *testing.T) {
		logtest.Run(t, func(t *testing.T) logtest.Store {
			fs := vfs.NewMem()
			return logtest.Store{Open: func() (eventlog.Log, error) {
				return Open(Options{Dir: "/log", FS: fs, MemTable: 1 << 20})
			}}
		})
	})
}
