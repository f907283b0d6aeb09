package model

import (
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestEncodingStays holds the bytes that versions in registries have: a model
// that encodes otherwise than it did has another digest, and is not decoded.
func TestEncodingStays(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]*Model{"logistic.json": testModel(), "trees.json": treesModel()} {
		got, err := Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("%s: the encoding has changed:\n%s", name, got)
		}
		if _, err := Decode(want); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTreesFileIsSmall bounds what 400 trees of 31 leaves take on a disk, in
// memory and of the time until a server answers.
func TestTreesFileIsSmall(t *testing.T) {
	m := randomModel(rand.New(rand.NewPCG(15, 16)), 40, 400, 31)
	b, err := Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if _, err := Decode(b); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes, decoded in %v", len(b), time.Since(start))
	if len(b) > 1<<20 {
		t.Errorf("model.json has %d bytes", len(b))
	}
}
