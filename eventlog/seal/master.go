package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// MasterLen is a master key's length in bytes.
const MasterLen = 32

// Master is the key under which a keyring's keys are sealed. It prints as a placeholder.
type Master [MasterLen]byte

// String hides the key.
func (Master) String() string { return "master key (hidden)" }

// GoString hides the key.
func (m Master) GoString() string { return m.String() }

// ParseMaster reads a master key as text: 64 hex digits, or base64 (standard or URL alphabet, padded or not) of 32
// bytes; white space around it is ignored. Its error wraps ErrMaster and never repeats the text.
func ParseMaster(text string) (Master, error) {
	var m Master
	text = strings.TrimSpace(text)
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != MasterLen {
		plain := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
		raw, err = base64.RawStdEncoding.DecodeString(plain)
	}
	if err != nil || len(raw) != MasterLen {
		return m, fmt.Errorf("%w: want 64 hex digits or base64 of %d bytes, got %d characters that are neither",
			ErrMaster, MasterLen, len(text))
	}
	copy(m[:], raw)
	return m, nil
}

// LoadMaster reads a master key from a file: 32 raw bytes, or text as ParseMaster takes it.
func LoadMaster(path string) (Master, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return Master{}, fmt.Errorf("%w: %w", ErrMaster, err)
	}
	if len(raw) == MasterLen {
		return Master(raw), nil
	}
	m, err := ParseMaster(string(raw))
	if err != nil {
		return m, fmt.Errorf("file %s: %w", path, err)
	}
	return m, nil
}

// GenerateMaster makes a random master key and writes it to a new file, mode 0600, as hex, durable on return.
// It never replaces a file.
func GenerateMaster(path string) (Master, error) {
	var m Master
	_, _ = rand.Read(m[:]) // never fails
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return Master{}, fmt.Errorf("%w: %w", ErrMaster, err)
	}
	_, err = f.WriteString(hex.EncodeToString(m[:]) + "\n")
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		_ = os.Remove(path)
		return Master{}, fmt.Errorf("%w: %w", ErrMaster, err)
	}
	return m, nil
}

// aead returns AES-256-GCM under a 32-byte key.
func aead(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic("seal: a key of this package has 32 bytes: " + err.Error())
	}
	g, err := cipher.NewGCM(block)
	if err != nil {
		panic("seal: AES has GCM's block size: " + err.Error())
	}
	return g
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	return err
}
