package sdk

import "time"

// watch looks whether the parent process is still the same. The kernel tells a plugin on Linux anyway (the host asks for
// that signal), this is for hosts and systems where it does not.
type watch struct{ quit, done chan struct{} }

// watchParent calls gone once when ppid's answer changes.
func watchParent(ppid func() int, every time.Duration, gone func()) *watch {
	w := &watch{quit: make(chan struct{}), done: make(chan struct{})}
	parent := ppid()
	go func() {
		defer close(w.done)
		t := time.NewTicker(every)
		defer t.Stop()
		for {
			select {
			case <-w.quit:
				return
			case <-t.C:
				if ppid() != parent {
					gone()
					return
				}
			}
		}
	}()
	return w
}

func (w *watch) stop() {
	close(w.quit)
	<-w.done
}
