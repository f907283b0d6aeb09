package boost

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"livelab/pipeline/train/traintest"
)

// A run of this test's binary as a program of its own fits and prints a digest.
const programVariable = "LIVELAB_TEST_BOOST"

// golden is the digest of that fit. It changes with the algorithm, and only
// then: models that were trained before can no longer be trained again.
const golden = "65c298f2321ece616acccfc7296448c9d008893609ec17dfaa5fa477fd2d18a6"

func digest(ctx context.Context, workers int) (string, error) {
	x, y := traintest.Curved(11).Matrix(30_000)
	f, err := Fit(ctx, coded(x, MostEdges), y, rowsOf(0, 24_000), rowsOf(24_000, 30_000), Options{Trees: 15, Columns: 0.7, MinRows: 20, Workers: workers})
	if err != nil {
		return "", err
	}
	j, err := json.Marshal(f)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", sha256.Sum256(j)), nil
}

func TestFitAsProgram(t *testing.T) {
	if os.Getenv(programVariable) == "" {
		return
	}
	d, err := digest(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(d)
}

func TestSameForAnyWorkers(t *testing.T) {
	t.Parallel()
	for _, workers := range []int{1, 2, 3, 8} {
		got, err := digest(t.Context(), workers)
		if err != nil {
			t.Fatal(err)
		}
		if got != golden {
			t.Errorf("with %d workers the digest is %s, want %s", workers, got, golden)
		}
	}
}

// TestSameBitsEverywhere fits with 1, 2 and 8 cores, and built for arm64.
func TestSameBitsEverywhere(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, procs := range []string{"1", "2", "8"} {
		if got := askProgram(t, procs, self); got != golden {
			t.Errorf("with GOMAXPROCS=%s the digest is %s, want %s", procs, got, golden)
		}
	}
	qemu, err := exec.LookPath("qemu-aarch64-static")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("qemu-aarch64-static is not installed: install qemu-user-static")
		}
		t.Skip("qemu-aarch64-static is not installed, so arm64 is not tried; it is in Debian's qemu-user-static")
	}
	arm64 := filepath.Join(t.TempDir(), "boost-arm64.test")
	build := exec.Command("go", "test", "-c", "-o", arm64, ".")
	build.Env = append(os.Environ(), "GOARCH=arm64", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build for arm64: %v\n%s", err, out)
	}
	if got := askProgram(t, "2", qemu, arm64); got != golden {
		t.Errorf("on arm64 the digest is %s, want %s", got, golden)
	}
}

func askProgram(t *testing.T, procs string, program ...string) string {
	t.Helper()
	cmd := exec.Command(program[0], append(program[1:], "-test.run=^TestFitAsProgram$")...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS="+procs, programVariable+"=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s%s", program, err, out, stderr.String())
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return line
}
