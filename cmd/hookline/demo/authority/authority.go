// Package authority is a certificate authority for receivers on loopback: the demo's customers and the bench's receiver
// speak real TLS, and the server under them trusts exactly this authority through --trust-ca.
//
// # Promises
//
//   - Open makes the authority at the first call in a directory and finds the same one at every later call, so that a
//     restart needs no new trust. One that no longer fits (damaged, or with less than 30 days to live) is made anew.
//   - The private key is written 0600 and never leaves the directory.
//   - Certificates are made in memory for addresses asked for, valid for a year at most, never longer than the authority.
//
// # Concurrency
//
// An Authority is immutable and safe for concurrent use. Nothing has to be closed.
package authority

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

const (
	lifetime = 10 * 365 * 24 * time.Hour
	leafLife = 365 * 24 * time.Hour
	minLeft  = 30 * 24 * time.Hour

	certFile = "ca.pem"
	keyFile  = "ca.key"
)

// errUnfit: what lies in the directory cannot serve any more; Open replaces it.
var errUnfit = errors.New("authority: unfit")

// Authority signs certificates for loopback addresses.
type Authority struct {
	cert *x509.Certificate
	key  crypto.Signer
	path string
}

// Open finds the authority in dir or makes one there. dir is made when absent.
func Open(dir string) (*Authority, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("authority: directory: %w", err)
	}
	a, err := load(dir)
	if errors.Is(err, errUnfit) || errors.Is(err, fs.ErrNotExist) {
		a, err = create(dir)
	}
	return a, err
}

// Path is the file with the authority's certificate (PEM), as --trust-ca takes it.
func (a *Authority) Path() string { return a.path }

// Pool holds this authority alone, for clients in Go.
func (a *Authority) Pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// Leaf makes a server certificate for IP addresses.
func (a *Authority) Leaf(ips ...net.IP) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("authority: key: %w", err)
	}
	now := time.Now()
	end := now.Add(leafLife)
	if end.After(a.cert.NotAfter) {
		end = a.cert.NotAfter
	}
	serial, err := newSerial()
	if err != nil {
		return tls.Certificate{}, err
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "hookline loopback receiver"},
		NotBefore:    now.Add(-time.Hour), // a receiver's clock is the server's: an hour covers a clock set back meanwhile
		NotAfter:     end,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IPAddresses:  ips,
	}, a.cert, key.Public(), a.key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("authority: certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

func newSerial() (*big.Int, error) {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, fmt.Errorf("authority: serial number: %w", err)
	}
	return n, nil
}

func load(dir string) (*Authority, error) {
	certPEM, err := os.ReadFile(filepath.Join(dir, certFile))
	if err != nil {
		return nil, fmt.Errorf("authority: %w", err)
	}
	keyPEM, err := os.ReadFile(filepath.Join(dir, keyFile))
	if err != nil {
		return nil, fmt.Errorf("authority: %w", err)
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM) // also holds that the two belong together
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnfit, err)
	}
	cert, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnfit, err)
	}
	key, ok := pair.PrivateKey.(crypto.Signer)
	if !ok || !cert.IsCA || time.Until(cert.NotAfter) < minLeft {
		return nil, fmt.Errorf("%w: no authority, or too old", errUnfit)
	}
	return &Authority{cert: cert, key: key, path: filepath.Join(dir, certFile)}, nil
}

func create(dir string) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("authority: key: %w", err)
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: "hookline loopback authority"},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(lifetime),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign,
		// Whoever steals the key can impersonate nobody but loopback.
		PermittedDNSDomainsCritical: true,
		PermittedIPRanges:           []*net.IPNet{{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)}},
		PermittedDNSDomains:         []string{"localhost"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("authority: certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("authority: certificate: %w", err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("authority: key: %w", err)
	}
	// The key first: a certificate without its key is seen as unfit, and made anew.
	if err := write(filepath.Join(dir, keyFile), "PRIVATE KEY", keyDER, 0o600); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, certFile)
	if err := write(path, "CERTIFICATE", der, 0o644); err != nil {
		return nil, err
	}
	return &Authority{cert: cert, key: key, path: path}, nil
}

// write replaces a file whole or not at all.
func write(path, kind string, der []byte, mode fs.FileMode) error {
	var b bytes.Buffer
	if err := pem.Encode(&b, &pem.Block{Type: kind, Bytes: der}); err != nil {
		return fmt.Errorf("authority: %s: %w", kind, err)
	}
	tmp := path + ".new"
	if err := os.WriteFile(tmp, b.Bytes(), mode); err != nil {
		return fmt.Errorf("authority: %w", err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return fmt.Errorf("authority: %w", err)
	}
	return nil
}
