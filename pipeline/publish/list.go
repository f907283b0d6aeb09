package publish

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"livelab/pipeline/gate"
	"livelab/pipeline/model"
)

// Info is a line of a list of versions.
type Info struct {
	Version   string
	Digest    string
	CreatedAt time.Time
	Bytes     int64          // of all files
	Metadata  model.Metadata // empty where the version has none

	// Result is the gate's, empty where the version was never judged.
	Result gate.Result

	// Err says why the version, or its verdict, cannot be used.
	Err error
}

// Models lists the models by name. An empty or absent registry has none.
func (d *Dir) Models(ctx context.Context) ([]string, error) {
	entries, err := readDir(ctx, d.root)
	if err != nil {
		return nil, fmt.Errorf("list models: %w", err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && modelName.MatchString(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// VersionNames lists the names of a model's versions, the newest first, and
// looks into none: a version that is listed may be broken. A model that is not
// there has none.
func (d *Dir) VersionNames(ctx context.Context, name string) ([]string, error) {
	if err := checkModel(name); err != nil {
		return nil, fmt.Errorf("list versions: %w", err)
	}
	entries, err := readDir(ctx, d.versionPath(name, ""))
	if err != nil {
		return nil, fmt.Errorf("list versions of %s: %w", name, err)
	}
	var names []string
	for _, e := range slices.Backward(entries) {
		if e.IsDir() && versionName.MatchString(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// Versions lists a model's versions, the newest first, each read and verified.
// What is broken is listed with its error. A model that is not there has none.
func (d *Dir) Versions(ctx context.Context, name string) ([]Info, error) {
	if err := checkModel(name); err != nil {
		return nil, fmt.Errorf("list versions: %w", err)
	}
	entries, err := readDir(ctx, d.versionPath(name, ""))
	if err != nil {
		return nil, fmt.Errorf("list versions of %s: %w", name, err)
	}
	infos := make([]Info, 0, len(entries))
	for _, e := range entries {
		infos = append(infos, d.info(ctx, name, e.Name()))
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("list versions of %s: %w", name, err)
		}
	}
	slices.SortFunc(infos, func(a, b Info) int { return strings.Compare(b.Version, a.Version) })
	return infos, nil
}

func (d *Dir) info(ctx context.Context, name, version string) Info {
	v, err := d.Read(ctx, name, version)
	if err != nil {
		return Info{Version: version, Err: err}
	}
	i := Info{Version: version, Digest: v.Digest, CreatedAt: v.CreatedAt}
	for _, b := range v.Files {
		i.Bytes += int64(len(b))
	}
	if i.Metadata, i.Err = metadata(v.Files); i.Err != nil {
		return i
	}
	verdict, err := v.Verdict()
	if err != nil && !errors.Is(err, ErrNotFound) {
		i.Err = err
	}
	i.Result = verdict.Result
	return i
}

// readDir lists a folder by name; one that is not there is empty.
func readDir(ctx context.Context, path string) ([]fs.DirEntry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return entries, err
}
