package host

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/hashicorp/go-plugin"
	"golang.org/x/sys/unix"
)

// ErrPin: the plugin's file is not the one that was pinned.
var ErrPin = errors.New("host: plugin does not match its pin")

// image is a private, unchangeable copy of a plugin's file, ready to be executed any number of times.
type image struct {
	name string // for argv and logs
	path string // what to execute
	sum  []byte // SHA-256
	memo *os.File
	file string // to be removed on close
}

// Sum is the SHA-256 of a file, in hex: what a pin holds.
func Sum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("host: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("host: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// newImage copies the plugin and compares its hash with the pin. The source is opened once, so that what is hashed is what
// is kept.
func newImage(c *Config) (*image, error) {
	source := c.Command
	if c.Self {
		source = "/proc/self/exe"
	}
	src, err := os.Open(source)
	if err != nil {
		return nil, fmt.Errorf("host: plugin %s: %w", c.Name, err)
	}
	defer src.Close()
	im := &image{name: "hookline-plugin-" + c.Name}
	script := false
	if !c.Self {
		im.name = filepath.Base(c.Command)
		var magic [2]byte
		n, err := src.ReadAt(magic[:], 0)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("host: plugin %s: %w", c.Name, err)
		}
		script = bytes.Equal(magic[:n], []byte("#!"))
	}
	// An interpreter opens a script by its path after the descriptor has closed, so a script needs a file.
	if script || im.toMemory(src) != nil {
		if _, err := src.Seek(0, io.SeekStart); err != nil {
			return nil, fmt.Errorf("host: plugin %s: %w", c.Name, err)
		}
		if err := im.toFile(src, filepath.Join(c.Dir, "plugins")); err != nil {
			return nil, fmt.Errorf("host: private copy of plugin %s: %w", c.Name, err)
		}
	}
	if got := hex.EncodeToString(im.sum); c.Pin != "" && got != c.Pin {
		im.close()
		return nil, fmt.Errorf("%w: %s has SHA-256 %s, pinned is %s: install the pinned version or pin this one", ErrPin, source, got, c.Pin)
	}
	return im, nil
}

// toMemory copies to a memory file and seals it: nobody can write, shrink or grow it, the seals included.
func (im *image) toMemory(src io.Reader) error {
	fd, err := unix.MemfdCreate(im.name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING|unix.MFD_EXEC)
	if errors.Is(err, unix.EINVAL) { // before Linux 6.3 there is no MFD_EXEC
		fd, err = unix.MemfdCreate(im.name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	}
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), im.name)
	if err := im.copy(f, src); err != nil {
		_ = f.Close()
		return err
	}
	if _, err := unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, seals); err != nil {
		_ = f.Close()
		return err
	}
	im.memo, im.path = f, fmt.Sprintf("/proc/self/fd/%d", fd)
	return nil
}

const seals = unix.F_SEAL_WRITE | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL

// check makes sure before an execution that the copy is still what was hashed: the kernel vouches for sealed memory, a
// file is hashed anew.
func (im *image) check() error {
	if im.memo != nil {
		if got, err := unix.FcntlInt(im.memo.Fd(), unix.F_GET_SEALS, 0); err != nil || got&seals != seals {
			return fmt.Errorf("%w: its copy in memory is not sealed (%v)", ErrPin, err)
		}
		return nil
	}
	secure := plugin.SecureConfig{Checksum: im.sum, Hash: sha256.New()} // its hash is never reset: one a start
	if ok, err := secure.Check(im.path); err != nil {
		return fmt.Errorf("host: checking the plugin's hash: %w", err)
	} else if !ok {
		return fmt.Errorf("%w: its private copy %s has changed", ErrPin, im.path)
	}
	return nil
}

// toFile copies to a file that only this user may read and execute.
func (im *image) toFile(src io.Reader, dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, im.name+"-*")
	if err != nil {
		return err
	}
	err = im.copy(f, src)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		_ = os.Remove(f.Name())
		return err
	}
	im.file = f.Name()
	im.path = im.file
	return nil
}

func (im *image) copy(f *os.File, src io.Reader) error {
	h := sha256.New()
	if _, err := io.Copy(io.MultiWriter(f, h), src); err != nil {
		return err
	}
	im.sum = h.Sum(nil)
	return f.Chmod(0o500)
}

func (im *image) close() {
	if im.memo != nil {
		_ = im.memo.Close()
	}
	if im.file != "" {
		_ = os.Remove(im.file)
	}
}
