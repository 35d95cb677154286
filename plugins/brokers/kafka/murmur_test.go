package kafka

import (
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Keys go to the partitions where a client of Kafka's own kind puts them: franz-go's default partitioner is the judge.
func TestPartitionsLikeOthers(t *testing.T) {
	const partitions = 17
	judge := kgo.StickyKeyPartitioner(nil).ForTopic("t")
	for i := range 2000 {
		key := fmt.Sprintf("%.*s%d", i%9, "evt_é-key", i)
		h := newMurmur2()
		if _, err := h.Write([]byte(key)); err != nil {
			t.Fatal(err)
		}
		if got, want := int(int32(h.Sum32())%partitions), judge.Partition(&kgo.Record{Key: []byte(key)}, partitions); got != want {
			t.Fatalf("key %q: partition %d, want %d", key, got, want)
		}
	}
}
