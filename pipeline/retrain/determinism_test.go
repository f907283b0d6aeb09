package retrain

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"livelab/pipeline/dataset"
	"livelab/pipeline/features"
	"livelab/pipeline/train"
)

// frozenVariable names the dataset that a run of this test's binary as a
// program of its own trains on and judges.
const frozenVariable = "LIVELAB_TEST_FROZEN"

// answer is what a training and its verdict come to.
type answer struct {
	Digest  string
	Verdict string // gate.json
}

// TestAnswerAsProgram is that program: it prints the answer. Without a dataset
// to work on it has nothing to do.
func TestAnswerAsProgram(t *testing.T) {
	dir := os.Getenv(frozenVariable)
	if dir == "" {
		return
	}
	d, err := dataset.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	w := newWay(t)
	trained, err := w.Train(t.Context(), d, features.NetworkShortage(), train.Config{})
	if err != nil {
		t.Fatal(err)
	}
	verdict, err := w.Gate(t.Context(), trained.Model, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	j, err := verdict.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(answer{trained.Digest, string(j)}); err != nil {
		t.Fatal(err)
	}
}

// TestSameBytesEverywhere trains and judges the same frozen dataset with 1, 2
// and 8 cores, in folders of their own, and built for arm64. The digest and the
// verdict must be the same bytes.
func TestSameBytesEverywhere(t *testing.T) {
	t.Parallel()
	frozen := filepath.Join(t.TempDir(), "frozen")
	if err := simulated(t, 1, 40).Write(frozen); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	want := askProgram(t, frozen, "1", self)
	for _, procs := range []string{"2", "8"} {
		if got := askProgram(t, frozen, procs, self); got != want {
			t.Errorf("with GOMAXPROCS=%s the answer is\n%+v\nwith 1 it is\n%+v", procs, got, want)
		}
	}

	qemu, err := exec.LookPath("qemu-aarch64-static")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("qemu-aarch64-static is not installed: install qemu-user-static")
		}
		t.Skip("qemu-aarch64-static is not installed, so arm64 is not tried; it is in Debian's qemu-user-static")
	}
	arm64 := filepath.Join(t.TempDir(), "retrain-arm64.test")
	build := exec.Command("go", "test", "-c", "-o", arm64, ".")
	build.Env = append(os.Environ(), "GOARCH=arm64", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build for arm64: %v\n%s", err, out)
	}
	if got := askProgram(t, frozen, "2", qemu, arm64); got != want {
		t.Errorf("on arm64 the answer is\n%+v\non this machine it is\n%+v", got, want)
	}
}

func askProgram(t *testing.T, frozen, procs string, program ...string) answer {
	t.Helper()
	cmd := exec.Command(program[0], append(program[1:], "-test.run=^TestAnswerAsProgram$")...)
	cmd.Env = append(os.Environ(), frozenVariable+"="+frozen, "GOMAXPROCS="+procs)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s%s", program, err, out, stderr.String())
	}
	line, _, _ := strings.Cut(string(out), "\n")
	var a answer
	if err := json.Unmarshal([]byte(line), &a); err != nil {
		t.Fatalf("%v said %q: %v", program, out, err)
	}
	return a
}
