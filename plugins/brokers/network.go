package brokers

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/hookline/hookline/transports"
)

// network says what an error of a connection means.
func network(err error) (transports.Outcome, transports.ErrorKind) {
	var (
		dns       *net.DNSError
		timeout   net.Error
		authority x509.UnknownAuthorityError
		invalid   x509.CertificateInvalidError
		name      x509.HostnameError
		alert     tls.AlertError
		record    tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &dns):
		return transports.Unreachable, transports.KindDNS
	case errors.Is(err, syscall.ECONNREFUSED):
		return transports.Unreachable, transports.KindConnectRefused
	case errors.As(err, &authority), errors.As(err, &invalid):
		return transports.Unreachable, transports.KindTLSUntrusted
	case errors.As(err, &name):
		return transports.Unreachable, transports.KindTLSName
	case errors.As(err, &alert), errors.As(err, &record):
		return transports.Unreachable, transports.KindTLSOther
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return transports.TimedOut, transports.KindTimeoutConnect
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF),
		errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return transports.Unreachable, transports.KindConnectionReset
	case strings.Contains(err.Error(), "connection refused"): // clients that keep the text only
		return transports.Unreachable, transports.KindConnectRefused
	}
	return transports.Unreachable, transports.KindConnectionReset
}
