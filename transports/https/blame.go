package https

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"github.com/hookline/hookline/transports"
)

// ours tells failures of this machine from those of the receiver or the network: they never count.
func ours(err error) bool {
	for _, e := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EADDRNOTAVAIL, syscall.EPERM} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func timedOut(err error) bool {
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, syscall.ETIMEDOUT) {
		return true
	}
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

// blameConnect names a failure before the connection stood. budget says whether the attempt's time is used up.
func blameConnect(err error, budget time.Duration, spent bool) transports.Result {
	r := transports.Result{Outcome: transports.Unreachable, Error: err.Error()}
	var dns *dnsError
	var sec *tlsError
	switch {
	case errors.Is(err, ErrAddress):
		r.Kind = transports.KindRefusedAddress
	case spent, !errors.As(err, &dns) && timedOut(err):
		r.Outcome, r.Kind = transports.TimedOut, transports.KindTimeoutConnect
		r.Error = fmt.Sprintf("no connection within %s", budget)
		if !spent {
			r.Error = "no connection in time: " + err.Error()
		}
	case errors.As(err, &dns):
		r.Kind = transports.KindDNS
	case errors.As(err, &sec):
		r.Kind = blameTLS(sec.err)
	default:
		r.Kind = transports.KindConnectRefused
	}
	return r
}

func blameTLS(err error) transports.ErrorKind {
	var (
		name      x509.HostnameError
		authority x509.UnknownAuthorityError
		invalid   x509.CertificateInvalidError
		roots     x509.SystemRootsError
	)
	switch {
	case errors.As(err, &name):
		return transports.KindTLSName
	case errors.As(err, &authority), errors.As(err, &invalid), errors.As(err, &roots):
		return transports.KindTLSUntrusted
	case hungUp(err):
		return transports.KindConnectionReset
	}
	return transports.KindTLSOther
}

func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNABORTED)
}

// blameExchange names a failure after the connection stood and before a response head did.
func blameExchange(err error, budget time.Duration, spent bool) transports.Result {
	r := transports.Result{Outcome: transports.Unreachable}
	var alert tls.AlertError
	var record tls.RecordHeaderError
	switch {
	case errors.Is(err, errProtocol):
		r.Kind, r.Error = transports.KindProtocol, err.Error()
	case spent || timedOut(err):
		r.Outcome, r.Kind = transports.TimedOut, transports.KindTimeoutResponse
		r.Error = fmt.Sprintf("no answer within %s", budget)
	case hungUp(err):
		r.Kind, r.Error = transports.KindConnectionReset, "the connection was closed before an answer came"
	case errors.As(err, &alert), errors.As(err, &record):
		r.Kind, r.Error = transports.KindTLSOther, "TLS: "+err.Error()
	default:
		var op *net.OpError
		if errors.As(err, &op) && op.Op == "remote error" { // an alert the server sent, as crypto/tls reports it
			r.Kind, r.Error = transports.KindTLSOther, "TLS: "+err.Error()
			break
		}
		r.Kind, r.Error = transports.KindConnectionReset, "the connection broke before an answer came: "+err.Error()
	}
	return r
}

// judge turns a status into outcome and kind. The profile's rule has the last word later; here 200 alone is a yes.
func judge(r *transports.Result) {
	switch {
	case r.Status == http.StatusOK:
		r.Outcome = transports.Acknowledged
	case r.Status >= 300 && r.Status < 400:
		r.Outcome, r.Kind = transports.Rejected, transports.KindRedirect
		r.Error = fmt.Sprintf("the receiver answered %d, redirects are not followed: set the endpoint's URL to the final address", r.Status)
	default:
		r.Outcome, r.Kind = transports.Rejected, transports.KindStatus
		r.Error = fmt.Sprintf("the receiver answered %d %s", r.Status, http.StatusText(r.Status))
	}
}
