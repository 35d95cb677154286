package host

import (
	"errors"
	"fmt"
	"time"
)

// ErrRuns: a plugin that is not quarantined cannot be released.
var ErrRuns = errors.New("host: the plugin is not quarantined")

// Release starts a quarantined plugin again, its deaths forgotten.
func (h *Host) Release() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.health.State != Quarantined {
		return fmt.Errorf("%w: it is %s", ErrRuns, h.health.State)
	}
	h.health.State, h.health.CrashLoop = Restarting, false
	select {
	case h.released <- struct{}{}:
	default:
	}
	return nil
}

// pause waits before the next start: the backoff, or for Release when the plugin has died too often. False: the host is
// closed. deaths counts those without a healthy minute between them.
func (h *Host) pause(backoff time.Duration, deaths int) (again bool, released bool) {
	if h.cfg.Quarantine == 0 || deaths < h.cfg.Quarantine {
		select {
		case <-h.running.Done():
			return false, false
		case <-time.After(backoff):
			return true, false
		}
	}
	h.mu.Lock()
	if !h.closing {
		h.health.State = Quarantined
	}
	reason := h.health.LastError
	h.mu.Unlock()
	h.log.Error("plugin is quarantined: it died too often and is not started again before it is released", "deaths", deaths, "reason", reason)
	select {
	case <-h.running.Done():
		return false, false
	case <-h.released:
		return true, true
	}
}

// lie is what a plugin says that cannot be true; it ends the process.
func (h *Host) lie(p *process, id uint64) {
	p.fail(fmt.Errorf("it sent a result for id %d, which was not under way: a second result, or an invented one", id))
}
