package publish

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"livelab/pipeline/model"
)

// Add keeps a new version made of the files, by their slash-separated names,
// and points the alias latest to it. The files must hold model.json and the
// transforms that it pins; metadata.json and gate.json, where there are, must
// be about this version. The same files at the same second are the same
// version: adding it again changes nothing.
func (d *Dir) Add(ctx context.Context, name string, files map[string][]byte, at time.Time) (version string, err error) {
	if version, err = admit(name, files, at); err != nil {
		return "", fmt.Errorf("add a version of %s: %w", name, err)
	}
	if err := d.add(ctx, name, version, files, at); err != nil {
		return "", fmt.Errorf("add %s %s: %w", name, version, err)
	}
	return version, nil
}

func (d *Dir) add(ctx context.Context, name, version string, files map[string][]byte, at time.Time) error {
	for _, sub := range []string{versionsDir, aliasesDir} {
		if err := d.makeDir(filepath.Join(d.modelPath(name), sub)); err != nil {
			return err
		}
	}
	unlock, err := d.lock(ctx, name)
	if err != nil {
		return err
	}
	defer unlock()
	there, err := exists(d.versionPath(name, version))
	if err != nil {
		return err
	}
	if there {
		err = d.sameAsBefore(ctx, name, version, files)
	} else {
		err = d.addNew(ctx, name, version, files)
	}
	if err != nil {
		return err
	}
	return d.writeAlias(name, Latest, Alias{Step: Step{
		Version: version, Digest: model.Digest(files[model.ModelFile]), At: at.UTC().Truncate(time.Second),
	}})
}

// admit checks the files and gives the name of their version.
func admit(name string, files map[string][]byte, at time.Time) (string, error) {
	if err := checkModel(name); err != nil {
		return "", err
	}
	if at.IsZero() {
		return "", errors.New("the version has no time")
	}
	if err := checkFiles(files); err != nil {
		return "", err
	}
	version := VersionName(at, model.Digest(files[model.ModelFile]))
	if err := coherent(name, version, files); err != nil {
		return "", err
	}
	return version, checkVerdict(name, files)
}

// sameAsBefore checks that a version that is there already holds these files.
// A verdict may have come to it since, and a report with the verdict.
func (d *Dir) sameAsBefore(ctx context.Context, name, version string, files map[string][]byte) error {
	old, err := d.Read(ctx, name, version)
	if err != nil {
		return fmt.Errorf("it is there already, broken; remove its folder and add it again: %w", err)
	}
	for _, f := range sortedKeys(files) {
		if !slices.Contains(amendable, f) && !bytes.Equal(files[f], old.Files[f]) {
			return fmt.Errorf("it is there already with another %s: add it a second later", f)
		}
	}
	return nil
}

func (d *Dir) addNew(ctx context.Context, name, version string, files map[string][]byte) error {
	manifest, err := model.NewManifest(files).Encode()
	if err != nil {
		return err
	}
	all := maps.Clone(files)
	all[model.ManifestFile] = manifest
	staged, err := d.stage(name)
	if err != nil {
		return err
	}
	if err := d.writeFolder(ctx, staged, all); err != nil {
		return errors.Join(err, os.RemoveAll(staged))
	}
	return d.move(staged, d.versionPath(name, version))
}

func (d *Dir) writeFolder(ctx context.Context, dir string, files map[string][]byte) error {
	if err := d.makeDir(dir); err != nil {
		return err
	}
	dirs := map[string]bool{dir: true}
	for _, f := range sortedKeys(files) {
		if err := ctx.Err(); err != nil {
			return err
		}
		path := filepath.Join(dir, filepath.FromSlash(f))
		dirs[filepath.Dir(path)] = true
		if err := d.makeDir(filepath.Dir(path)); err != nil {
			return err
		}
		if err := d.writeFile(path, files[f]); err != nil {
			return err
		}
	}
	for _, path := range sortedKeys(dirs) {
		if err := d.syncDir(path); err != nil {
			return err
		}
	}
	return nil
}
