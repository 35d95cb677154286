package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	copyChunk = 256 << 10
	// syncEvery keeps the disk from having to write a whole table at once, which would hold up the log's own syncs.
	syncEvery = 4 << 20
	// spare is what must stay free on the disk that is written to.
	spare = 64 << 20
)

// pace holds copying to a rate. The zero rate is none. It belongs to one goroutine.
type pace struct {
	rate  int64 // bytes a second
	began time.Time
	done  int64
}

// spent counts n bytes and waits until the rate allows more.
func (p *pace) spent(ctx context.Context, n int) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if p.rate <= 0 {
		return nil
	}
	if p.began.IsZero() {
		p.began = time.Now()
	}
	p.done += int64(n)
	ahead := time.Duration(float64(p.done)/float64(p.rate)*float64(time.Second)) - time.Since(p.began)
	if ahead <= 0 {
		return nil
	}
	t := time.NewTimer(ahead)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// copyFile writes what from holds to a new file, durable on return, and returns length and SHA-256. The file is removed
// when it fails.
func copyFile(ctx context.Context, from io.Reader, to string, p *pace, progress func(n int)) (n int64, sum string, err error) {
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return 0, "", err
	}
	h := sha256.New()
	n, err = copyInto(ctx, f, from, h, p, progress)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return 0, "", errors.Join(err, os.Remove(to))
	}
	return n, hex.EncodeToString(h.Sum(nil)), nil
}

func copyInto(ctx context.Context, f *os.File, from io.Reader, h hash.Hash, p *pace, progress func(int)) (n int64, err error) {
	buf := make([]byte, copyChunk)
	unsynced := 0
	for {
		k, rerr := io.ReadFull(from, buf)
		if k > 0 {
			h.Write(buf[:k])
			if _, err := f.Write(buf[:k]); err != nil {
				return n, err
			}
			n += int64(k)
			if unsynced += k; unsynced >= syncEvery {
				unsynced = 0
				if err := f.Sync(); err != nil {
					return n, err
				}
			}
			if progress != nil {
				progress(k)
			}
			if err := p.spent(ctx, k); err != nil {
				return n, err
			}
		}
		if rerr == io.EOF || rerr == io.ErrUnexpectedEOF {
			return n, nil
		}
		if rerr != nil {
			return n, rerr
		}
	}
}

// writeFile puts a small file in place, whole and durable on return.
func writeFile(path string, content []byte) error {
	part := path + unfinished
	f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(part))
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// roomFor refuses to begin what would fill the disk. What cannot be asked is tried.
func roomFor(dir string, bytes int64) error {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return nil
	}
	if free := int64(st.Bavail) * int64(st.Bsize); free < bytes+spare {
		return fmt.Errorf("backup: %s has %d MiB free, %d MiB are needed: %w: free space, or take another disk",
			dir, free>>20, (bytes+spare)>>20, syscall.ENOSPC)
	}
	return nil
}
