package publish

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"

	"livelab/pipeline/model"
)

// Amend gives a version its verdict: gate.json, gate.md or both, in the place
// of what it had of them. The version verifies at every moment: its manifest
// first forgets the old verdict, then the files change, then the manifest
// learns of the new ones.
func (d *Dir) Amend(ctx context.Context, name, version string, files map[string][]byte) error {
	if err := d.amend(ctx, name, version, files); err != nil {
		return fmt.Errorf("amend %s %s: %w", name, version, err)
	}
	return nil
}

func (d *Dir) amend(ctx context.Context, name, version string, files map[string][]byte) error {
	if err := checkAmendment(name, version, files); err != nil {
		return err
	}
	unlock, err := d.lockVersion(ctx, name, version)
	if err != nil {
		return err
	}
	defer unlock()
	old, err := d.Read(ctx, name, version)
	if err != nil {
		return err
	}
	kept := maps.Clone(old.Files)
	delete(kept, model.ManifestFile)
	delete(kept, model.GateFile)
	delete(kept, model.GateTable)
	full := maps.Clone(kept)
	maps.Copy(full, files)
	if err := checkVerdict(name, full); err != nil {
		return err
	}
	if maps.Equal(model.NewManifest(full).Files, model.NewManifest(old.Files).Files) {
		return nil
	}
	if len(kept)+1 < len(old.Files) { // the manifest lists a verdict
		if err := d.writeManifest(name, version, kept); err != nil {
			return err
		}
	}
	for _, f := range sortedKeys(files) {
		if err := d.replaceFile(name, filepath.Join(d.versionPath(name, version), f), files[f]); err != nil {
			return err
		}
	}
	return d.writeManifest(name, version, full)
}

func checkAmendment(name, version string, files map[string][]byte) error {
	if err := checkVersion(name, version); err != nil {
		return err
	}
	if len(files) == 0 {
		return errors.New("no files are given")
	}
	for _, f := range sortedKeys(files) {
		if f != model.GateFile && f != model.GateTable {
			return fmt.Errorf("%q cannot be added to a version: only %s and %s can, the rest never changes", f, model.GateFile, model.GateTable)
		}
	}
	return checkFiles(files)
}

func (d *Dir) writeManifest(name, version string, files map[string][]byte) error {
	b, err := model.NewManifest(files).Encode()
	if err != nil {
		return err
	}
	return d.replaceFile(name, filepath.Join(d.versionPath(name, version), model.ManifestFile), b)
}
