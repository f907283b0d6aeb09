package publish

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"livelab/pipeline/gate"
	"livelab/pipeline/model"
)

func wantChallenger(t testing.TB, d *Dir, version string) {
	t.Helper()
	v, err := d.Resolve(ctx, demo, Challenger)
	if version == "" {
		if !errors.Is(err, ErrNotFound) {
			t.Errorf("the challenger is %q (%v), want none", v.Version, err)
		}
		return
	}
	if err != nil || v.Version != version {
		t.Errorf("the challenger is %q (%v), want %q", v.Version, err, version)
	}
}

func TestChallenge(t *testing.T) {
	t.Parallel()
	d := OpenDir(t.TempDir())
	first, second, third := addJudged(t, d, 1, gate.Pass), addJudged(t, d, 2, gate.Fail), addJudged(t, d, 3, gate.Inconclusive)
	promote(t, d, first)
	if err := d.EndChallenge(ctx, demo, ChallengeOptions{At: t0}); !errors.Is(err, ErrNotFound) {
		t.Errorf("ended what never began: %v", err)
	}
	hour := func(n int, by string) ChallengeOptions {
		return ChallengeOptions{At: t0.Add(time.Duration(n) * time.Hour), By: by}
	}
	for n, version := range []string{second, third, third} {
		if err := d.Challenge(ctx, demo, version, hour(n, "test")); err != nil {
			t.Fatal(err)
		}
		wantChallenger(t, d, version)
	}
	if err := d.EndChallenge(ctx, demo, hour(4, "someone")); err != nil {
		t.Fatal(err)
	}
	wantChallenger(t, d, "")
	if err := d.EndChallenge(ctx, demo, hour(5, "test")); !errors.Is(err, ErrNotFound) {
		t.Errorf("ended twice: %v", err)
	}
	if err := d.Challenge(ctx, demo, second, hour(6, "test")); err != nil {
		t.Fatal(err)
	}
	wantChallenger(t, d, second)
	wantChampion(t, d, first)
	wantNoStaging(t, d)

	a := must(d.Alias(ctx, demo, Challenger))
	var record []string
	for _, s := range append([]Step{a.Step}, a.History...) {
		record = append(record, s.At.Format("15 ")+s.By+" "+s.Version)
	}
	want := []string{"18 test " + second, "16 someone ", "13 test " + third, "12 test " + second}
	if strings.Join(record, "\n") != strings.Join(want, "\n") {
		t.Errorf("recorded\n%s\nwant\n%s", strings.Join(record, "\n"), strings.Join(want, "\n"))
	}
}

func TestChallengeRefuses(t *testing.T) {
	t.Parallel()
	d := OpenDir(t.TempDir())
	first, second, broken := addJudged(t, d, 1, gate.Pass), addJudged(t, d, 2, gate.Pass), addJudged(t, d, 3, gate.Pass)
	promote(t, d, first)
	if err := d.Challenge(ctx, demo, second, ChallengeOptions{At: t0}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(d.versionPath(demo, broken), model.MetricsFile), []byte("{ }"), 0o600); err != nil {
		t.Fatal(err)
	}
	for version, want := range map[string]string{
		first:                       "is the champion; name another version",
		broken:                      "changed after training",
		"20200101T000000Z-deadbeef": "not found",
		"../x":                      "is no version",
	} {
		if err := d.Challenge(ctx, demo, version, ChallengeOptions{At: t0}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("challenge %s: %v, want %q", version, err, want)
		}
		wantChallenger(t, d, second)
	}
}

// Only a challenge can end: a champion that names no version is broken.
func TestOnlyAChallengeEnds(t *testing.T) {
	t.Parallel()
	const ended = `{"version":"","digest":"","at":"2026-11-23T12:42:43Z","forced":false}`
	for alias, ok := range map[string]bool{Challenger: true, Champion: false, Latest: false} {
		if _, err := parseAlias([]byte(ended), alias); (err == nil) != ok {
			t.Errorf("%s: %v", alias, err)
		}
	}
	for _, half := range []string{`{"version":"20261123T124243Z-1a2b3c4d","digest":""}`, `{"version":"","digest":"1a"}`} {
		if a, err := parseAlias([]byte(half), Challenger); err == nil {
			t.Errorf("%s was taken for %+v", half, a)
		}
	}
}

func TestVersionNames(t *testing.T) {
	t.Parallel()
	d := OpenDir(t.TempDir())
	if names, err := d.VersionNames(ctx, demo); err != nil || len(names) > 0 {
		t.Errorf("of nothing: %v, %v", names, err)
	}
	first, second := addJudged(t, d, 1, gate.Pass), addJudged(t, d, 2, gate.Pass)
	for _, stray := range []string{"x", ".20261123T124243Z-1a2b3c4d"} {
		if err := os.Mkdir(d.versionPath(demo, stray), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(d.versionPath(demo, "20301123T124243Z-1a2b3c4d"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(d.versionPath(demo, first), model.ManifestFile)); err != nil {
		t.Fatal(err)
	}
	if names, err := d.VersionNames(ctx, demo); err != nil || len(names) != 2 || names[0] != second || names[1] != first {
		t.Errorf("names %v, %v, want %s and %s", names, err, second, first)
	}
	if _, err := d.VersionNames(ctx, "../x"); err == nil {
		t.Error("a name that climbs out was taken")
	}
	for reference, ok := range map[[2]string]bool{{demo, ""}: true, {demo, first}: true, {demo, "latest"}: false, {"../x", ""}: false, {"", first}: false} {
		if err := CheckName(reference[0], reference[1]); (err == nil) != ok {
			t.Errorf("%q: %v", reference, err)
		}
	}
}
