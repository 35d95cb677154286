package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/hookline/hookline/eventlog/seal"
)

// masterKey returns the key given, or the directory's own, or a new one (made is true then). It makes none where a
// keyring is: that one was sealed under another, and a new key would only hide that it is missing.
func (d *dataDir) masterKey(given *seal.Master) (key seal.Master, made bool, err error) {
	if given != nil {
		return *given, false, nil
	}
	path := d.join(masterKeyFile)
	switch {
	case d.exists(masterKeyFile):
		key, err = seal.LoadMaster(path)
		return key, false, err
	case d.exists(keyringFile):
		return key, false, fmt.Errorf("%s is missing, and %s was sealed under it: put it back, or give the key by HOOKLINE_MASTER_KEY or --master-key-file",
			path, d.join(keyringFile))
	}
	key, err = seal.GenerateMaster(path)
	return key, true, err
}

// adminKey returns the key to put into the log: the one given; else the one that was made before and may not have
// reached the log; else, at the first start, a new one (made is true then). "" keeps the one in the log. A file with a key
// that the given one replaces is removed: it opens nothing any more.
func (d *dataDir) adminKey(given string, firstStart bool) (key string, made bool, err error) {
	path := d.join(adminKeyFile)
	raw, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", false, err
	}
	kept := strings.TrimSpace(string(raw))
	switch {
	case given != "" && kept != "" && kept != given:
		return given, false, os.Remove(path)
	case given != "":
		return given, false, nil
	case kept != "" || !firstStart:
		return kept, false, nil
	}
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails
	key = "hk_" + base64.RawURLEncoding.EncodeToString(random)
	return key, true, writeNew(path, key+"\n")
}
