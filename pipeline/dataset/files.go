package dataset

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"time"

	"github.com/parquet-go/parquet-go"

	"livelab/pipeline/features"
	"livelab/pipeline/observation"
)

const (
	manifestFile  = "manifest.json"
	snapshotsFile = "snapshots.parquet"
	weatherFile   = "weather.parquet"
	formatVersion = 2
)

// manifest is manifest.json of a frozen dataset.
type manifest struct {
	Format  int               `json:"format"`
	Digest  string            `json:"digest"` // see Dataset.Digest
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

type snapshotRow struct {
	TS         int64 `parquet:"ts,delta"` // Unix seconds
	Stations   int32 `parquet:"stations_count"`
	FreeBikes  int32 `parquet:"free_bikes"`
	EmptySlots int32 `parquet:"empty_slots"`
}

type weatherRow struct {
	TS            int64    `parquet:"ts,delta"` // Unix seconds
	Temperature   *float64 `parquet:"temp_2m,optional"`
	Precipitation *float64 `parquet:"precipitation,optional"`
	WindSpeed     *float64 `parquet:"wind_speed_10m,optional"`
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

func (d *Dataset) heldBy(dir string) bool {
	held, err := Open(dir)
	return err == nil && held.Digest() == d.Digest()
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
	snapshots := make([]snapshotRow, len(d.Series.Points))
	for i, p := range d.Series.Points {
		snapshots[i] = snapshotRow{TS: p.At.Unix(), Stations: p.Stations, FreeBikes: p.FreeBikes, EmptySlots: p.EmptySlots}
	}
	weather := make([]weatherRow, len(d.Series.Weather))
	for i, w := range d.Series.Weather {
		weather[i] = weatherRow{TS: w.At.Unix(), Temperature: known(w.Temperature), Precipitation: known(w.Precipitation), WindSpeed: known(w.WindSpeed)}
	}
	if err := parquet.WriteFile(filepath.Join(dir, snapshotsFile), snapshots, parquet.Compression(&parquet.Zstd)); err != nil {
		return err
	}
	if err := parquet.WriteFile(filepath.Join(dir, weatherFile), weather, parquet.Compression(&parquet.Zstd)); err != nil {
		return err
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
		Format: formatVersion,
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
	for _, name := range []string{snapshotsFile, weatherFile} {
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
	b, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if err != nil {
		return nil, fmt.Errorf("open dataset: %w; a dataset is a folder that `livelab dataset --out` made", err)
	}
	var m manifest
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, fmt.Errorf("open dataset %s: decode manifest: %w", dir, err)
	}
	if m.Format != formatVersion {
		return nil, fmt.Errorf("open dataset %s: its format is %d, this program reads %d; freeze it again", dir, m.Format, formatVersion)
	}
	for _, name := range []string{snapshotsFile, weatherFile} {
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

func (m manifest) read(dir string) (*Dataset, error) {
	snapshots, err := parquet.ReadFile[snapshotRow](filepath.Join(dir, snapshotsFile))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", snapshotsFile, err)
	}
	weather, err := parquet.ReadFile[weatherRow](filepath.Join(dir, weatherFile))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", weatherFile, err)
	}
	d := &Dataset{
		Network: observation.Network{
			ID: m.Network.ID, Name: m.Network.Name, City: m.Network.City, Country: m.Network.Country,
			Latitude: orNaN(m.Network.Latitude), Longitude: orNaN(m.Network.Longitude),
		},
		Origin: observation.Origin(m.Origin),
		Series: features.Series{
			Points:  make([]observation.Totals, len(snapshots)),
			Weather: make([]observation.Weather, len(weather)),
		},
	}
	for i, r := range snapshots {
		d.Series.Points[i] = observation.Totals{At: time.Unix(r.TS, 0).UTC(), Stations: r.Stations, FreeBikes: r.FreeBikes, EmptySlots: r.EmptySlots}
	}
	for i, r := range weather {
		d.Series.Weather[i] = observation.Weather{
			At: time.Unix(r.TS, 0).UTC(), Temperature: orNaN(r.Temperature), Precipitation: orNaN(r.Precipitation), WindSpeed: orNaN(r.WindSpeed),
		}
	}
	return d, nil
}

func fileDigest(path string) (string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

func known(v float64) *float64 {
	if math.IsNaN(v) {
		return nil
	}
	return &v
}

func orNaN(v *float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return *v
}
