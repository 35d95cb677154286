package demo

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// kept is what the demo remembers over restarts, in a file of its directory.
type kept struct {
	Ports   map[string]int    `json:"ports"`   // of a customer's receiver, by tenant
	Secrets map[string]string `json:"secrets"` // of an endpoint, by tenant/hook
}

const keptFile = "demo.json"

func loadKept(dir string) (*kept, error) {
	k := &kept{}
	b, err := os.ReadFile(filepath.Join(dir, keptFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("demo: %w", err)
	default:
		if err := json.Unmarshal(b, k); err != nil {
			return nil, fmt.Errorf("demo: %s: %w; delete it: the demo makes a new one", filepath.Join(dir, keptFile), err)
		}
	}
	if k.Ports == nil {
		k.Ports = map[string]int{}
	}
	if k.Secrets == nil {
		k.Secrets = map[string]string{}
	}
	return k, nil
}

// save replaces the file whole: 0600, as it holds secrets.
func (k *kept) save(dir string) error {
	b, err := json.MarshalIndent(k, "", "  ")
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	path := filepath.Join(dir, keptFile)
	if err := os.WriteFile(path+".new", append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	return nil
}

// secret is the endpoint's, made at the first call.
func (k *kept) secret(key string) string {
	if k.Secrets[key] == "" {
		k.Secrets[key] = "whsec_" + rand.Text()
	}
	return k.Secrets[key]
}
