// Package publish keeps trained models: versions that never change, and
// aliases that say which of them serves. A registry is a directory:
//
//	<model>/versions/<version>/…   a version's files with manifest.json
//	<model>/aliases/<alias>        one small JSON file
//	<model>/.lock                  held while something is changed
//	<model>/.staging/              what is being written
//
// Everything that is read has arrived by a rename: it is written beside, synced
// to the disk and moved into place. So a reader, who takes no lock, finds the
// old or the new state whole, and a writer that is killed leaves nothing behind
// but its staging folder, which the next one clears.
package publish

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"livelab/pipeline/model"
)

// ErrNotFound is wrapped by errors about a model, version, alias or verdict
// that is not there.
var ErrNotFound = errors.New("not found")

// Dir is a registry in a directory. It is safe for concurrent use, by several
// processes too.
type Dir struct {
	// Log is told of promotions, rollbacks and versions that were passed over.
	// Nil discards.
	Log *slog.Logger

	// LockWait is how long a change waits for another one to end; 0 is 10
	// seconds.
	LockWait time.Duration

	root string

	// step is called before each change of the disk, where tests die.
	step func(string)
}

// OpenDir gives the registry in root. The folder is made by the first Add.
func OpenDir(root string) *Dir {
	return &Dir{root: root}
}

const (
	versionsDir = "versions"
	aliasesDir  = "aliases"
	stagingDir  = ".staging"
	lockFile    = ".lock"

	timeLayout = "20060102T150405Z"
)

func (d *Dir) modelPath(name string) string   { return filepath.Join(d.root, name) }
func (d *Dir) stagingPath(name string) string { return filepath.Join(d.root, name, stagingDir) }
func (d *Dir) versionPath(name, version string) string {
	return filepath.Join(d.root, name, versionsDir, version)
}
func (d *Dir) aliasPath(name, alias string) string {
	return filepath.Join(d.root, name, aliasesDir, alias)
}

func (d *Dir) log() *slog.Logger {
	if d.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return d.Log
}

// VersionName is the name of a version: its time, in whole seconds, and the
// first 8 digits of its digest.
func VersionName(at time.Time, digest string) string {
	return at.UTC().Format(timeLayout) + "-" + digest[:8]
}

// Names become paths, so they are held to a plain alphabet: nothing can point
// outside its folder.
var (
	modelName   = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)
	versionName = regexp.MustCompile(`^[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}$`)
	fileName    = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9._-]{0,99}/)?[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)
	hexDigest   = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// CheckName says what is wrong with the name of a model and, unless that is
// empty, of a version.
func CheckName(name, version string) error {
	if version == "" {
		return checkModel(name)
	}
	return checkVersion(name, version)
}

func checkModel(name string) error {
	if !modelName.MatchString(name) {
		return fmt.Errorf("%q is no name for a model: use lower-case letters, digits, dots, dashes and underscores", name)
	}
	return nil
}

func checkVersion(name, version string) error {
	if err := checkModel(name); err != nil {
		return err
	}
	if !versionName.MatchString(version) {
		return fmt.Errorf("%q is no version: one looks like 20261123T124243Z-1a2b3c4d", version)
	}
	return nil
}

// createdAt is the time in a version's name.
func createdAt(version string) (time.Time, error) {
	at, err := time.Parse(timeLayout, strings.SplitN(version, "-", 2)[0])
	if err != nil {
		return time.Time{}, fmt.Errorf("the version %s has no time in its name: %w", version, err)
	}
	return at, nil
}

// What Add would refuse to write is not read either: a file that grew beyond
// these sizes is not ours.
const (
	maxFileBytes     = 64 << 20
	maxVersionBytes  = 256 << 20
	maxManifestBytes = 1 << 20
	maxAliasBytes    = 1 << 20
)

func checkFiles(files map[string][]byte) error {
	total := 0
	for _, name := range sortedKeys(files) {
		if !fileName.MatchString(name) || name == model.ManifestFile {
			return fmt.Errorf("%q is no name for a file of a version", name)
		}
		if len(files[name]) > maxFileBytes {
			return fmt.Errorf("%s has %d bytes, at most %d are kept", name, len(files[name]), maxFileBytes)
		}
		total += len(files[name])
	}
	if total > maxVersionBytes {
		return fmt.Errorf("the files have %d bytes together, at most %d are kept", total, maxVersionBytes)
	}
	return nil
}

// notFound turns "no such file" into ErrNotFound and leaves other errors.
func notFound(err error, what string) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", what, ErrNotFound)
	}
	return fmt.Errorf("%s: %w", what, err)
}

func exists(path string) (bool, error) {
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
