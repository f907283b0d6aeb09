package wasm

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"livelab/plugins/abi"
)

// A store keeps what admission found out about modules, one folder for each:
//
//	<key>/outline.wasm   what the engine is told beside machine code
//	<key>/native/...     machine code, as the engine keeps it
//	<key>/record.json    the rest, with the digests of all files; its first
//	                     line is the digest of those that follow
//
// Of a module that was refused there is the record alone. A folder appears in one step. One that is broken is removed, and as if it
// had never been there.
type store struct {
	folder  string
	entries int
	log     *slog.Logger
	before  *folderError // of the folder that this one is in the place of
}

// A record is what need not be found out again.
type record struct {
	Description abi.Description   `json:"description"`
	Golden      string            `json:"golden"`
	Files       map[string]string `json:"files"` // path in the entry -> hex SHA-256
	Refused     *refused          `json:"refused,omitempty"`
}

// refused is why a module is not admitted.
type refused struct {
	Step   Step      `json:"step"`
	Reason string    `json:"reason"`
	Until  time.Time `json:"until,omitzero"` // to be judged anew from then on
}

// compileRefusal is how long a refusal to compile is believed. It hangs on the
// machine too: how busy it was, and how much memory it had.
const compileRefusal = time.Hour

const (
	outlineFile = "outline.wasm"
	nativeDir   = "native"
	recordFile  = "record.json"
	draftPrefix = "draft-"
)

// draft is a new folder, to be filled and then kept or removed.
func (s *store) draft() (string, error) {
	folder, err := os.MkdirTemp(s.folder, draftPrefix)
	if err != nil {
		return "", s.trouble(err)
	}
	if err := os.Mkdir(native(folder), 0o700); err != nil {
		_ = os.RemoveAll(folder)
		return "", s.trouble(err)
	}
	return folder, nil
}

// keep a draft under a key. Losing a race for it to another process is fine.
func (s *store) keep(draft, key string, r record) error {
	if err := s.seal(draft, r); err != nil {
		return s.trouble(err)
	}
	if err := os.Rename(draft, s.path(key)); err != nil && !errors.Is(err, fs.ErrExist) {
		return s.trouble(err)
	}
	s.prune()
	return nil
}

// refuse a key from now on. What hangs on more than the key is not kept: the
// known columns, which whoever makes a host says.
func (s *store) refuse(key string, r Refusal) error {
	kept := refused{Step: r.Step, Reason: r.Reason}
	switch r.Step {
	case StepInputs, "":
		return nil
	case StepCompile:
		kept.Until = time.Now().Add(compileRefusal)
	}
	draft, err := s.draft()
	if err != nil {
		return err
	}
	defer os.RemoveAll(draft)
	return s.keep(draft, key, record{Refused: &kept})
}

// seal a draft with a record of all its files.
func (s *store) seal(draft string, r record) error {
	r.Files = map[string]string{}
	err := filepath.WalkDir(draft, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(draft, path)
		if err != nil {
			return err
		}
		r.Files[name], err = digestFile(path)
		return err
	})
	if err != nil {
		return err
	}
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	text = append([]byte(digest(text)+"\n"), text...)
	return os.WriteFile(filepath.Join(draft, recordFile), text, 0o600)
}

// trouble of this folder, where that is what an error tells of.
func (s *store) trouble(err error) error {
	if unwritable(err) {
		return &folderError{folder: s.folder, err: err, before: s.before}
	}
	return err
}

// find what is kept under a key, with the outline.
func (s *store) find(key string) (r record, outline []byte, ok bool) {
	r, outline, err := s.read(key)
	if err == nil && r.Refused != nil && r.Refused.over(time.Now()) {
		_ = os.RemoveAll(s.path(key))
		return record{}, nil, false
	}
	if err == nil {
		now := time.Now()
		_ = os.Chtimes(s.path(key), now, now)
		return r, outline, true
	}
	if !errors.Is(err, fs.ErrNotExist) {
		s.drop(key, err)
	}
	return record{}, nil, false
}

func (r *refused) over(now time.Time) bool { return !r.Until.IsZero() && !now.Before(r.Until) }

// drop an entry that cannot be used.
func (s *store) drop(key string, why error) {
	s.log.Warn("an entry in the cache of transforms is broken, and made anew", "folder", s.path(key), "error", why)
	_ = os.RemoveAll(s.path(key))
}

func (s *store) read(key string) (r record, outline []byte, err error) {
	text, err := os.ReadFile(filepath.Join(s.path(key), recordFile))
	if err != nil {
		if _, statErr := os.Stat(s.path(key)); statErr == nil {
			err = errors.New("it has no record")
		}
		return r, nil, err
	}
	sum, text, _ := bytes.Cut(text, []byte("\n"))
	if string(sum) != digest(text) {
		return r, nil, errors.New("its record is damaged")
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, nil, err
	}
	for name, want := range r.Files {
		var got string
		path := filepath.Join(s.path(key), name)
		if name == outlineFile {
			outline, err = os.ReadFile(path)
			got = digest(outline)
		} else {
			got, err = digestFile(path)
		}
		if err != nil {
			return r, nil, errors.New("a file of it is gone")
		}
		if got != want {
			return r, nil, fmt.Errorf("its file %s is damaged", name)
		}
	}
	return r, outline, nil
}

func (s *store) path(key string) string { return filepath.Join(s.folder, key) }

// native is where the machine code of an entry or a draft is.
func native(entry string) string { return filepath.Join(entry, nativeDir) }

// prune removes the entries that were not used for longest, and drafts that a
// process left when it ended.
func (s *store) prune() {
	list, err := os.ReadDir(s.folder)
	if err != nil {
		return
	}
	type entry struct {
		name string
		used time.Time
	}
	var kept []entry
	for _, d := range list {
		info, err := d.Info()
		switch {
		case err != nil || !d.IsDir():
		case strings.HasPrefix(d.Name(), draftPrefix):
			if time.Since(info.ModTime()) > time.Hour {
				_ = os.RemoveAll(s.path(d.Name()))
			}
		case len(d.Name()) == hex.EncodedLen(sha256.Size):
			kept = append(kept, entry{d.Name(), info.ModTime()})
		}
	}
	slices.SortFunc(kept, func(a, b entry) int { return b.used.Compare(a.used) })
	for _, e := range kept[min(len(kept), s.entries):] {
		_ = os.RemoveAll(s.path(e.name))
	}
}

// digestFile holds no more than a piece of the file, as machine code is large.
func digestFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.CopyBuffer(h, struct{ io.Reader }{f}, make([]byte, 256<<10)); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func digest(p []byte) string {
	sum := sha256.Sum256(p)
	return hex.EncodeToString(sum[:])
}
