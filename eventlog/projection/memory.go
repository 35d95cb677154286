package projection

import (
	"math/rand/v2"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Memory is a file system in memory that stores can live on: for tests and examples, several times faster than a disk.
// What is in it outlives its stores, as a directory does. It is safe for concurrent use.
type Memory struct{ fs *vfs.MemFS }

// NewMemory returns an empty one.
func NewMemory() *Memory { return &Memory{vfs.NewCrashableMem()} }

// Crash returns what a loss of power at this moment would leave: what was synced, and a random part, chosen by seed, of
// what was not. Stores go on in the original.
func (m *Memory) Crash(seed uint64) *Memory {
	return &Memory{m.fs.CrashClone(vfs.CrashCloneCfg{
		UnsyncedDataPercent: int(seed % 101),
		RNG:                 rand.New(rand.NewPCG(seed, 1)),
	})}
}
