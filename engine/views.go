package engine

import (
	"errors"
	"time"

	"github.com/hookline/hookline/engine/history"
	"github.com/hookline/hookline/engine/idempotency"
	"github.com/hookline/hookline/eventlog/projection"
)

// ViewsVersion is the layout of the views together: for projection.Options.Version of their store.
const ViewsVersion = history.LayoutVersion<<16 | idempotency.LayoutVersion

// Views are what the engine asks: folds of the log in one store, each at its own pace. Publishes wait for Keys alone;
// lists wait for History.
type Views struct {
	Store        *projection.Store // that they are in
	History      *history.History
	Follower     *projection.Follower // of History, not started
	Keys         *idempotency.Keys
	KeysFollower *projection.Follower // of Keys, not started
}

// keysGather is how long idempotency keys may wait to be written together: nobody asks for them while memory has them.
const keysGather = 200 * time.Millisecond

// NewViews makes the views over o.Store, which was opened with ViewsVersion, and their followers. o.View is not looked at.
func NewViews(o projection.FollowerOptions) (v Views, err error) {
	v = Views{Store: o.Store, History: history.New(o.Store), Keys: idempotency.New(o.Store)}
	o.View = v.History
	if v.Follower, err = projection.NewFollower(o); err != nil {
		return Views{}, err
	}
	o.View, o.Gather = v.Keys, keysGather
	v.KeysFollower, err = projection.NewFollower(o)
	return v, err
}

// Stop stops the followers. Idempotent.
func (v *Views) Stop() error { return errors.Join(v.Follower.Stop(), v.KeysFollower.Stop()) }

func (v *Views) seqs() map[string]uint64 {
	return map[string]uint64{
		v.History.Name(): uint64(v.Follower.Seq()),
		v.Keys.Name():    uint64(v.KeysFollower.Seq()),
	}
}
