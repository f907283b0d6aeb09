package model

import (
	"encoding/json"
	"fmt"
	"sort"
)

// The files of a version.
const (
	ModelFile    = "model.json"
	MetricsFile  = "metrics.json"
	MetadataFile = "metadata.json"
	GateFile     = "gate.json"
	GateTable    = "gate.md"
	ReportFile   = "report.html" // for people: plots and tables
	CardFile     = "card.md"     // the model card
	ManifestFile = "manifest.json"
)

// TransformsDir holds the code of a version's transforms.
const TransformsDir = "transforms/"

// TransformFile is where a version keeps the code of a transform.
func TransformFile(digest string) string { return TransformsDir + digest + ".wasm" }

// Metadata says where a version comes from; metadata.json.
type Metadata struct {
	ModelVersion string            `json:"model_version"`
	Model        string            `json:"model"`
	Digest       string            `json:"digest"`
	TrainedAt    string            `json:"trained_at"` // RFC 3339
	Features     []string          `json:"features"`
	F1           float64           `json:"f1"`
	TargetRule   string            `json:"target_rule"`
	Horizon      int               `json:"horizon_minutes"`
	Network      string            `json:"network"`
	Origin       string            `json:"origin"`
	Dataset      string            `json:"dataset"`
	DataFrom     string            `json:"data_from"`
	DataTo       string            `json:"data_to"`
	Code         string            `json:"code"` // version of the program that trained
	Transforms   map[string]string `json:"transforms,omitempty"`
}

// Data says what the version was trained on: "sim-city (simulated data)".
func (m Metadata) Data() string {
	if m.Network == "" {
		return ""
	}
	return fmt.Sprintf("%s (%s data)", m.Network, m.Origin)
}

// Manifest lists a version's files with the lower-case hex SHA-256 of each.
type Manifest struct {
	Files map[string]string `json:"files"`
}

// NewManifest sums up files by their slash-separated names.
func NewManifest(files map[string][]byte) Manifest {
	m := Manifest{Files: make(map[string]string, len(files))}
	for name, b := range files {
		if name != ManifestFile {
			m.Files[name] = Digest(b)
		}
	}
	return m
}

// Encode gives manifest.json.
func (m Manifest) Encode() ([]byte, error) {
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode manifest: %w", err)
	}
	return append(b, '\n'), nil
}

// Verify checks the files against the manifest: each there, each as it was.
// Files that the manifest does not list are not looked at.
func (m Manifest) Verify(files map[string][]byte) error {
	names := make([]string, 0, len(m.Files))
	for name := range m.Files {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		b, ok := files[name]
		if !ok {
			return fmt.Errorf("%s is missing: the version is incomplete, train or publish it again", name)
		}
		if got := Digest(b); got != m.Files[name] {
			return fmt.Errorf("%s has digest %s, the manifest says %s: it was changed after training", name, got, m.Files[name])
		}
	}
	return nil
}
