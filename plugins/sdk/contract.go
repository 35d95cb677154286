package sdk

import (
	"errors"

	"github.com/hookline/hookline/transports"
)

// The contract of one attempt is package transports'; these are its names, so that an author imports one package.
type (
	Transport = transports.Transport
	Request   = transports.Request
	Result    = transports.Result
	Header    = transports.Header
	Timings   = transports.Timings
	Outcome   = transports.Outcome
	ErrorKind = transports.ErrorKind
)

// What an attempt came to, and why.
const (
	Acknowledged = transports.Acknowledged // the receiver said yes
	Rejected     = transports.Rejected     // it said no
	Unreachable  = transports.Unreachable  // nobody answered
	TimedOut     = transports.TimedOut     // no answer within Request.Timeout
	Gone         = transports.Gone         // it said that it will never take anything again

	KindDNS             = transports.KindDNS
	KindRefusedAddress  = transports.KindRefusedAddress
	KindConnectRefused  = transports.KindConnectRefused
	KindConnectionReset = transports.KindConnectionReset
	KindTLSUntrusted    = transports.KindTLSUntrusted
	KindTLSName         = transports.KindTLSName
	KindTLSOther        = transports.KindTLSOther
	KindTimeoutConnect  = transports.KindTimeoutConnect
	KindTimeoutResponse = transports.KindTimeoutResponse
	KindStatus          = transports.KindStatus
	KindRedirect        = transports.KindRedirect
	KindProtocol        = transports.KindProtocol
	KindAuthToken       = transports.KindAuthToken
)

// failed carries a Result as an error.
type failed struct{ result Result }

func (f *failed) Error() string { return f.result.Error }

// Failed makes an error that stands for a Result: returned by an open function or by Deliver, the attempt ends with that
// Result and counts against the receiver. Every other error is the plugin's own fault, which never counts.
func Failed(outcome Outcome, kind ErrorKind, text string) error {
	return &failed{Result{Outcome: outcome, Kind: kind, Error: text}}
}

// asResult turns an error made by Failed into what it stands for.
func asResult(res Result, err error) (Result, error) {
	if err == nil {
		return res, nil
	}
	var f *failed
	if errors.As(err, &f) {
		return f.result, nil
	}
	return res, err
}
