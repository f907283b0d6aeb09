package loader

import (
	"encoding/json"
	"fmt"

	"livelab/pipeline/model"
	"livelab/pipeline/publish"
)

// open decodes a version's files after it has checked that they are those that
// the training left and the alias was set to. It leaves out the last where no
// digest is given.
func open(v publish.Version, name, digest string) (*Loaded, error) {
	var manifest model.Manifest
	if err := read(v, model.ManifestFile, &manifest); err != nil {
		return nil, err
	}
	if err := manifest.Verify(v.Files); err != nil {
		return nil, err
	}
	for _, name := range []string{model.ModelFile, model.MetricsFile, model.MetadataFile} {
		if _, ok := manifest.Files[name]; !ok {
			return nil, fmt.Errorf("%s is not in the manifest, so nothing vouches for it: publish the version again", name)
		}
	}
	l := &Loaded{Version: v.Version, Digest: model.Digest(v.Files[model.ModelFile])}
	if digest != "" && l.Digest != digest {
		return nil, fmt.Errorf("%s has digest %s, the alias was set to %s: another model took its place", model.ModelFile, l.Digest, digest)
	}
	var err error
	if l.Model, err = model.Decode(v.Files[model.ModelFile]); err != nil {
		return nil, err
	}
	if l.Model.Name != name {
		return nil, fmt.Errorf("%s is the model %q, not %q", model.ModelFile, l.Model.Name, name)
	}
	if err := checkTransforms(l.Model, manifest); err != nil {
		return nil, err
	}
	if err := read(v, model.MetricsFile, &l.Report); err != nil {
		return nil, err
	}
	if err := read(v, model.MetadataFile, &l.Metadata); err != nil {
		return nil, err
	}
	l.Verdict = verdict(v, l.Digest)
	return l, nil
}

// checkTransforms wants the manifest, which was compared with the files, to
// vouch for the code of each transform that the model pins.
func checkTransforms(m *model.Model, manifest model.Manifest) error {
	for _, pinned := range m.Transforms {
		file := model.TransformFile(pinned.Digest)
		switch digest, ok := manifest.Files[file]; {
		case !ok:
			return fmt.Errorf("%s, the code of the transform %s, is not in the manifest, so nothing vouches for it: publish the version again", file, pinned.Name)
		case digest != pinned.Digest:
			return fmt.Errorf("%s has digest %s, which is not its name: the transform %s was changed after training", file, digest, pinned.Name)
		}
	}
	return nil
}

func read(v publish.Version, name string, into any) error {
	b, ok := v.Files[name]
	if !ok {
		return fmt.Errorf("%s is missing: the version is incomplete, train or publish it again", name)
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}

// verdict reads what the gate said of this very model. One that cannot be read
// or is of another model is none: it is shown, and decides nothing here.
func verdict(v publish.Version, digest string) Verdict {
	var gate struct {
		Verdict
		Digest string `json:"digest"`
	}
	if err := read(v, model.GateFile, &gate); err != nil || gate.Digest != digest {
		return Verdict{}
	}
	return gate.Verdict
}
