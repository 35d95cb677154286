package profile

import (
	"net/http"
	"slices"

	"github.com/hookline/hookline/transports"
)

// Judge has the last word on a result: which status acknowledges is the profile's rule (both seeds: exactly 200; O-12,
// D-10). A redirect is never followed and is rejected like any other status. A result without status stays as the
// transport told it.
func (p *Profile) Judge(r transports.Result) (transports.Outcome, transports.ErrorKind) {
	switch {
	case r.Status <= 0:
		return r.Outcome, r.Kind
	case slices.Contains(p.acknowledge, r.Status):
		return transports.Acknowledged, transports.KindNone
	case r.Status == http.StatusGone && p.GoneDisables:
		return transports.Gone, transports.KindStatus
	case r.Status >= 300 && r.Status < 400:
		return transports.Rejected, transports.KindRedirect
	}
	return transports.Rejected, transports.KindStatus
}
