package publish

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"livelab/pipeline/gate"
	"livelab/pipeline/model"
)

// Version is a version's files, verified.
type Version struct {
	Model     string
	Version   string
	Digest    string    // of model.json
	CreatedAt time.Time // UTC, whole seconds

	// Files are those that the manifest lists, and the manifest, by their
	// slash-separated names.
	Files map[string][]byte
}

// Verdict reads the version's gate.json, which must be about its digest. It
// wraps ErrNotFound where the version was never judged.
func (v Version) Verdict() (gate.Verdict, error) {
	b, ok := v.Files[model.GateFile]
	if !ok {
		return gate.Verdict{}, fmt.Errorf("verdict of %s %s: %w", v.Model, v.Version, ErrNotFound)
	}
	if err := checkVerdict(v.Model, v.Files); err != nil {
		return gate.Verdict{}, err
	}
	return gate.ParseVerdict(b)
}

// Read gives a version whose files are as its manifest says, and belong
// together. It takes no lock. It wraps ErrNotFound where there is none.
func (d *Dir) Read(ctx context.Context, name, version string) (Version, error) {
	if err := checkVersion(name, version); err != nil {
		return Version{}, fmt.Errorf("read version: %w", err)
	}
	v, err := d.read(ctx, name, version)
	if err != nil {
		return Version{}, fmt.Errorf("read %s %s: %w", name, version, err)
	}
	return v, nil
}

func (d *Dir) read(ctx context.Context, name, version string) (Version, error) {
	path := d.versionPath(name, version)
	switch info, err := os.Lstat(path); {
	case err != nil:
		return Version{}, notFound(err, "open its folder")
	case !info.IsDir():
		return Version{}, fmt.Errorf("%s is not a folder", path)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return Version{}, err
	}
	defer root.Close()
	if err := refuseLinks(root); err != nil {
		return Version{}, err
	}
	files, err := readStable(ctx, root)
	if err != nil {
		return Version{}, err
	}
	if err := coherent(name, version, files); err != nil {
		return Version{}, err
	}
	at, err := createdAt(version)
	return Version{
		Model: name, Version: version, Digest: model.Digest(files[model.ModelFile]), CreatedAt: at, Files: files,
	}, err
}

// refuseLinks wants a version to be plain files: a link could change what it
// points to without a trace here.
func refuseLinks(root *os.Root) error {
	return fs.WalkDir(root.FS(), ".", func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && !e.Type().IsRegular() {
			err = fmt.Errorf("%s is not a regular file (%s): a version holds nothing else", path, e.Type())
		}
		return err
	})
}

// readStable reads the files by the manifest. Where they do not fit while an
// Amend goes on, the manifest is a new file by then, and it reads again. The
// old one is held open until that is known, so that the new one is never taken
// for it.
func readStable(ctx context.Context, root *os.Root) (map[string][]byte, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		files, changed, err := readOnce(root)
		if err == nil || !changed {
			return files, err
		}
	}
}

func readOnce(root *os.Root) (files map[string][]byte, changed bool, err error) {
	f, b, err := openRegular(root, model.ManifestFile, maxManifestBytes)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	files, err = readListed(root, b)
	if err == nil {
		return files, false, nil
	}
	held, statErr := f.Stat()
	if statErr != nil {
		return nil, false, errors.Join(err, statErr)
	}
	now, statErr := root.Lstat(model.ManifestFile)
	return nil, statErr == nil && !os.SameFile(held, now), err
}

func readListed(root *os.Root, manifestJSON []byte) (map[string][]byte, error) {
	manifest, err := parseManifest(manifestJSON)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{model.ManifestFile: manifestJSON}
	left := int64(maxVersionBytes)
	for _, name := range sortedKeys(manifest.Files) {
		f, b, err := openRegular(root, name, min(left, maxFileBytes))
		if err != nil {
			return nil, err
		}
		if err := f.Close(); err != nil {
			return nil, err
		}
		files[name] = b
		left -= int64(len(b))
	}
	return files, manifest.Verify(files)
}

// parseManifest reads manifest.json.
func parseManifest(b []byte) (model.Manifest, error) {
	var m model.Manifest
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return m, fmt.Errorf("%s: %w", model.ManifestFile, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return m, fmt.Errorf("%s: there is more after the manifest", model.ManifestFile)
	}
	for _, name := range sortedKeys(m.Files) {
		if !fileName.MatchString(name) || name == model.ManifestFile || !hexDigest.MatchString(m.Files[name]) {
			return m, fmt.Errorf("%s lists %q with digest %q: no version has such a file", model.ManifestFile, name, m.Files[name])
		}
	}
	return m, nil
}

// openRegular reads a regular file of at most limit bytes and leaves it open.
func openRegular(root *os.Root, name string, limit int64) (*os.File, []byte, error) {
	// Asked before opening: to open a pipe waits for its other end.
	info, err := root.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, fmt.Errorf("%s is missing: the version is incomplete, train or publish it again", name)
	case err != nil:
		return nil, nil, err
	case !info.Mode().IsRegular():
		return nil, nil, fmt.Errorf("%s is not a regular file", name)
	case info.Size() > limit:
		return nil, nil, fmt.Errorf("%s has %d bytes, at most %d are read: it is not ours", name, info.Size(), limit)
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, nil, err
	}
	var b bytes.Buffer
	b.Grow(int(info.Size()) + bytes.MinRead) // at once, as transforms are large
	if _, err := b.ReadFrom(io.LimitReader(f, limit)); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("read %s: %w", name, err), f.Close())
	}
	return f, b.Bytes(), nil
}
