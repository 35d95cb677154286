package servers

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
)

// Kafka starts franz-go's kfake, a double of Kafka, with topics of so many partitions each, and returns its address.
func Kafka(tb testing.TB, partitions int32, topics ...string) string {
	tb.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(partitions, topics...))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(c.Close)
	return c.ListenAddrs()[0]
}
