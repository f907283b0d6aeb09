package publish

import (
	"encoding/json"
	"fmt"
	"strings"

	"livelab/pipeline/gate"
	"livelab/pipeline/model"
)

// coherent checks that the files are about this version of this model. A
// manifest says that files did not change; this says that they belong together.
func coherent(name, version string, files map[string][]byte) error {
	b, ok := files[model.ModelFile]
	if !ok {
		return fmt.Errorf("%s is missing", model.ModelFile)
	}
	digest := model.Digest(b)
	if !strings.HasSuffix(version, "-"+digest[:8]) {
		return fmt.Errorf("%s has digest %s, which is not that of version %s: it belongs to another version",
			model.ModelFile, digest, version)
	}
	m, err := model.Decode(b)
	if err != nil {
		return fmt.Errorf("%s: %w", model.ModelFile, err)
	}
	if m.Name != name {
		return fmt.Errorf("%s is the model %q, not %q", model.ModelFile, m.Name, name)
	}
	if err := checkMetadata(name, version, digest, files); err != nil {
		return err
	}
	return checkTransforms(m, files)
}

func checkMetadata(name, version, digest string, files map[string][]byte) error {
	m, err := metadata(files)
	if err != nil || m.ModelVersion == "" {
		return err
	}
	if m.Model != name || m.ModelVersion != version || m.Digest != digest {
		return fmt.Errorf("%s is about %s %s with digest %s, not about %s %s with digest %s",
			model.MetadataFile, m.Model, m.ModelVersion, m.Digest, name, version, digest)
	}
	return nil
}

// metadata is empty for a version without metadata.json.
func metadata(files map[string][]byte) (model.Metadata, error) {
	var m model.Metadata
	b, ok := files[model.MetadataFile]
	if !ok {
		return m, nil
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return m, fmt.Errorf("%s: %w", model.MetadataFile, err)
	}
	if m.ModelVersion == "" {
		return m, fmt.Errorf("%s names no version", model.MetadataFile)
	}
	return m, nil
}

// checkTransforms wants the code of each transform that the model pins, each
// under its own digest.
func checkTransforms(m *model.Model, files map[string][]byte) error {
	for _, spec := range m.Transforms {
		if _, ok := files[model.TransformFile(spec.Digest)]; !ok {
			return fmt.Errorf("the transform %s with digest %s, which the model pins, is missing", spec.Name, spec.Digest)
		}
	}
	for _, f := range sortedKeys(files) {
		if strings.HasPrefix(f, model.TransformsDir) && f != model.TransformFile(model.Digest(files[f])) {
			return fmt.Errorf("%s has digest %s, which is not its name", f, model.Digest(files[f]))
		}
	}
	return nil
}

// checkVerdict wants a verdict, where there is one, to be about this model. It
// is asked where a verdict comes in and where one is needed; a version serves
// whether or not this program understands its verdict.
func checkVerdict(name string, files map[string][]byte) error {
	b, ok := files[model.GateFile]
	if !ok {
		return nil
	}
	v, err := gate.ParseVerdict(b)
	if err != nil {
		return fmt.Errorf("%s: %w", model.GateFile, err)
	}
	if digest := model.Digest(files[model.ModelFile]); v.Model != name || v.Digest != digest {
		return fmt.Errorf("%s is about %s with digest %s, not about %s with digest %s: judge this version",
			model.GateFile, v.Model, v.Digest, name, digest)
	}
	return nil
}
