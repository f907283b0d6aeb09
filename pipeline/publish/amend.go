package publish

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"livelab/pipeline/model"
)

// amendable are the files that may come to a version after its training: the
// verdict, and what shows the version to people, with the verdict in it.
var amendable = []string{model.GateFile, model.GateTable, model.ReportFile, model.CardFile}

// Amend gives a version its verdict (gate.json, gate.md or both, in the place
// of what it had of them), its report and its card. The version verifies at
// every moment: its manifest first forgets what is replaced, then the files
// change, then the manifest learns of the new ones. All of it is written before
// the first of these steps, so that a full disk leaves the version as it is.
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
	for name := range files {
		delete(kept, name)
		if name == model.GateFile || name == model.GateTable { // a verdict is replaced as a whole
			delete(kept, model.GateFile)
			delete(kept, model.GateTable)
		}
	}
	full := maps.Clone(kept)
	maps.Copy(full, files)
	if err := checkVerdict(name, full); err != nil {
		return err
	}
	if maps.Equal(model.NewManifest(full).Files, model.NewManifest(old.Files).Files) {
		return nil
	}
	steps, err := d.amendment(name, version, kept, files, full)
	if err != nil {
		return err
	}
	if len(kept)+1 == len(old.Files) { // the manifest lists nothing that is replaced
		steps = steps[1:]
	}
	return d.replaceFiles(name, steps...)
}

// amendment lists what changes, in this order: a manifest of the kept files
// alone, the new files, and a manifest of the full version.
func (d *Dir) amendment(name, version string, kept, files, full map[string][]byte) ([]replacement, error) {
	dir := d.versionPath(name, version)
	without, err := model.NewManifest(kept).Encode()
	if err != nil {
		return nil, err
	}
	with, err := model.NewManifest(full).Encode()
	if err != nil {
		return nil, err
	}
	manifest := filepath.Join(dir, model.ManifestFile)
	steps := []replacement{{manifest, without}}
	for _, f := range sortedKeys(files) {
		steps = append(steps, replacement{filepath.Join(dir, f), files[f]})
	}
	return append(steps, replacement{manifest, with}), nil
}

func checkAmendment(name, version string, files map[string][]byte) error {
	if err := checkVersion(name, version); err != nil {
		return err
	}
	if len(files) == 0 {
		return errors.New("no files are given")
	}
	for _, f := range sortedKeys(files) {
		if !slices.Contains(amendable, f) {
			return fmt.Errorf("%q cannot be added to a version: only %s can, the rest never changes", f, strings.Join(amendable, ", "))
		}
	}
	return checkFiles(files)
}
