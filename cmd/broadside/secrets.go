package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// secretBytes is the entropy of a secret that is made at random.
const secretBytes = 24

// keptSecret returns the secret in the file name under dir, which it makes at random, readable by its owner alone, when
// there is none. The program never runs with a known default.
func keptSecret(dir, name string) (secret, file string, err error) {
	file = filepath.Join(dir, name)
	text, err := os.ReadFile(file)
	if err == nil {
		secret = strings.TrimSpace(string(text))
		if secret == "" {
			return "", file, fmt.Errorf("%s is empty; remove it to have a new one made", file)
		}
		return secret, file, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", file, err
	}
	random := make([]byte, secretBytes)
	rand.Read(random)
	secret = base64.RawURLEncoding.EncodeToString(random)
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", file, err
	}
	_, err = f.WriteString(secret + "\n")
	return secret, file, errors.Join(err, f.Sync(), f.Close())
}
