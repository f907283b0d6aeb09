package retrain

import (
	"encoding/json"
	"fmt"

	"livelab/pipeline/features"
	"livelab/pipeline/metrics"
	"livelab/pipeline/model"
	"livelab/pipeline/publish"
	"livelab/pipeline/train"
)

// versionFiles are what a training puts into the registry.
func versionFiles(modelJSON []byte, result *train.Result, meta model.Metadata, ts []features.Transform) (map[string][]byte, error) {
	files := map[string][]byte{model.ModelFile: modelJSON}
	for _, t := range ts {
		files[model.TransformFile(t.Spec().Digest)] = t.Code()
	}
	for name, v := range map[string]any{model.MetricsFile: result.Report, model.MetadataFile: meta} {
		b, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", name, err)
		}
		files[name] = append(b, '\n')
	}
	return files, nil
}

// decode reads the model of a version and how it was measured.
func decode(v publish.Version) (*model.Model, metrics.Report, error) {
	var report metrics.Report
	m, err := model.Decode(v.Files[model.ModelFile])
	if err != nil {
		return nil, report, err
	}
	if err := json.Unmarshal(v.Files[model.MetricsFile], &report); err != nil {
		return nil, report, fmt.Errorf("decode %s: %w", model.MetricsFile, err)
	}
	return m, report, nil
}
