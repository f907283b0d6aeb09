package dataset

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/observation"
)

const (
	manifestFile  = "manifest.json"
	snapshotsFile = "snapshots.parquet"
	weatherFile   = "weather.parquet"
	stationsFile  = "stations.parquet"
	changesFile   = "changes.parquet"

	// A dataset without stations is written in the format that knows none, so
	// that older programs read it too.
	networkFormat  = 2
	stationsFormat = 3
)

// manifest is manifest.json of a frozen dataset.
type manifest struct {
	Format  int               `json:"format"`
	Digest  string            `json:"digest"`                   // see Dataset.Digest
	Part    string            `json:"network_digest,omitempty"` // that of the network alone, where there are stations
	Network manifestNetwork   `json:"network"`
	Origin  string            `json:"origin"`
	From    string            `json:"from,omitempty"` // RFC 3339, the first snapshot
	To      string            `json:"to,omitempty"`   // the last
	Rows    map[string]int    `json:"rows"`
	Files   map[string]string `json:"files"` // lower-case hex SHA-256 of the bytes
}

type manifestNetwork struct {
	ID        string   `json:"id"`
	Name      string   `json:"name,omitempty"`
	City      string   `json:"city,omitempty"`
	Country   string   `json:"country,omitempty"`
	Latitude  *float64 `json:"latitude,omitempty"`
	Longitude *float64 `json:"longitude,omitempty"`
}

// Write freezes the dataset into a folder that does not exist yet, whole or
// not at all. Where the folder holds this very dataset already, it is left as
// it is.
func (d *Dataset) Write(dir string) error {
	_, err := os.Stat(dir)
	switch {
	case err == nil && d.heldBy(dir):
		return nil
	case err == nil:
		return fmt.Errorf("write dataset: %s is there already and holds something else; name a new folder", dir)
	case !errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("write dataset: %w", err)
	}
	return d.write(dir)
}

// Keep freezes the dataset under its digest in a folder of datasets, and puts
// it in the place of a copy that was damaged.
func (d *Dataset) Keep(datasets string) error {
	dir := filepath.Join(datasets, d.Digest())
	if d.heldBy(dir) {
		return nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("remove a damaged dataset: %w", err)
	}
	err := d.write(dir)
	if err != nil && d.heldBy(dir) {
		return nil // another process was faster
	}
	return err
}

// heldBy reports whether a folder holds this dataset, undamaged. A folder of
// another digest is not read whole to tell.
func (d *Dataset) heldBy(dir string) bool {
	m, err := readManifest(dir)
	if err != nil || m.Digest != d.Digest() {
		return false
	}
	_, err = m.open(dir, true)
	return err == nil
}

func (d *Dataset) write(dir string) error {
	parent := filepath.Dir(filepath.Clean(dir))
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return fmt.Errorf("write dataset: %w", err)
	}
	staged, err := os.MkdirTemp(parent, ".dataset-*")
	if err != nil {
		return fmt.Errorf("write dataset: %w", err)
	}
	defer os.RemoveAll(staged)
	if err := d.writeFiles(staged); err != nil {
		return fmt.Errorf("write dataset: %w", err)
	}
	if err := os.Chmod(staged, 0o755); err != nil {
		return fmt.Errorf("write dataset: %w", err)
	}
	if err := os.Rename(staged, dir); err != nil {
		return fmt.Errorf("write dataset: %w", err)
	}
	return nil
}

func (d *Dataset) writeFiles(dir string) error {
	if err := writeSeries(dir, d.Series); err != nil {
		return err
	}
	if d.Stations != nil {
		if err := writeStations(dir, d.Stations); err != nil {
			return err
		}
	}
	m, err := d.manifest(dir)
	if err != nil {
		return err
	}
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, manifestFile), append(b, '\n'), 0o644)
}

func (d *Dataset) manifest(dir string) (manifest, error) {
	n := d.Network
	m := manifest{
		Format: networkFormat,
		Digest: d.Digest(),
		Network: manifestNetwork{
			ID: n.ID, Name: n.Name, City: n.City, Country: n.Country,
			Latitude: known(n.Latitude), Longitude: known(n.Longitude),
		},
		Origin: string(d.Origin),
		Rows:   map[string]int{snapshotsFile: len(d.Series.Points), weatherFile: len(d.Series.Weather)},
		Files:  make(map[string]string),
	}
	if p := d.Series.Points; len(p) > 0 {
		m.From, m.To = p[0].At.Format(time.RFC3339), p[len(p)-1].At.Format(time.RFC3339)
	}
	if d.Stations != nil {
		part := *d
		part.Stations = nil
		m.Format, m.Part = stationsFormat, part.Digest()
		m.Rows[stationsFile], m.Rows[changesFile] = len(d.Stations.List), d.Changes()
	}
	for name := range m.Rows {
		sum, err := fileDigest(filepath.Join(dir, name))
		if err != nil {
			return manifest{}, err
		}
		m.Files[name] = sum
	}
	return m, nil
}

// Open reads a frozen dataset and verifies it against its manifest.
func Open(dir string) (*Dataset, error) {
	m, err := readManifest(dir)
	if err != nil {
		return nil, err
	}
	return m.open(dir, true)
}

// OpenFor reads and verifies the part of a frozen dataset that a task reads,
// see [Dataset.For]. For a network the stations are not read, nor verified.
func OpenFor(dir string, task features.Task) (*Dataset, error) {
	m, err := readManifest(dir)
	if err != nil {
		return nil, err
	}
	return m.open(dir, task.Entity == features.EntityStation)
}

func readManifest(dir string) (manifest, error) {
	var m manifest
	b, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if err != nil {
		return m, fmt.Errorf("open dataset: %w; a dataset is a folder that `livelab dataset --out` made", err)
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return m, fmt.Errorf("open dataset %s: decode manifest: %w", dir, err)
	}
	if m.Format != networkFormat && m.Format != stationsFormat {
		return m, fmt.Errorf("open dataset %s: its format is %d, this program reads %d and %d; freeze it again", dir, m.Format, networkFormat, stationsFormat)
	}
	return m, nil
}

// open reads what the manifest lists, and the stations only where they are
// asked for.
func (m manifest) open(dir string, stations bool) (*Dataset, error) {
	if !stations && m.Format == stationsFormat {
		m = m.network()
	}
	for _, name := range m.files() {
		sum, err := fileDigest(filepath.Join(dir, name))
		if err != nil {
			return nil, fmt.Errorf("open dataset: %w", err)
		}
		if sum != m.Files[name] {
			return nil, fmt.Errorf("open dataset %s: %s has digest %s, the manifest says %q: it was changed after it was frozen", dir, name, sum, m.Files[name])
		}
	}
	d, err := m.read(dir)
	if err != nil {
		return nil, fmt.Errorf("open dataset %s: %w", dir, err)
	}
	want, err := d.manifest(dir)
	if err != nil {
		return nil, fmt.Errorf("open dataset: %w", err)
	}
	if !reflect.DeepEqual(m, want) {
		return nil, fmt.Errorf("open dataset %s: the manifest does not say what the files hold (digest %s, the manifest says %q): it was changed after it was frozen", dir, want.Digest, m.Digest)
	}
	return d, nil
}

// network is what the manifest would be without stations.
func (m manifest) network() manifest {
	m.Format, m.Digest, m.Part = networkFormat, m.Part, ""
	m.Rows, m.Files = maps.Clone(m.Rows), maps.Clone(m.Files)
	for _, name := range []string{stationsFile, changesFile} {
		delete(m.Rows, name)
		delete(m.Files, name)
	}
	return m
}

func (m manifest) files() []string {
	names := []string{snapshotsFile, weatherFile}
	if m.Format == stationsFormat {
		names = append(names, stationsFile, changesFile)
	}
	return names
}

func (m manifest) read(dir string) (*Dataset, error) {
	d := &Dataset{
		Network: observation.Network{
			ID: m.Network.ID, Name: m.Network.Name, City: m.Network.City, Country: m.Network.Country,
			Latitude: orNaN(m.Network.Latitude), Longitude: orNaN(m.Network.Longitude),
		},
		Origin: observation.Origin(m.Origin),
	}
	var err error
	if d.Series, err = readSeries(dir); err != nil {
		return nil, err
	}
	if m.Format == stationsFormat {
		d.Stations, err = readFrozenStations(dir)
	}
	return d, err
}

// fileDigest hashes a file of any size.
func fileDigest(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
