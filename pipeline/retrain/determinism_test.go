package retrain

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"livelab/pipeline/dataset"
	"livelab/pipeline/features"
	"livelab/pipeline/features/featurestest"
	"livelab/pipeline/model"
	"livelab/pipeline/train"
	"livelab/runtime/wasm"
)

// A run of this test's binary as a program of its own trains on a dataset and
// judges, with a transform, whose machine code it keeps in a folder.
const (
	frozenVariable    = "LIVELAB_TEST_FROZEN"
	transformVariable = "LIVELAB_TEST_TRANSFORM"
	cacheVariable     = "LIVELAB_TEST_CACHE"
	emulatorVariable  = "LIVELAB_TEST_EMULATOR" // where the binary is another machine's
)

func TestMain(m *testing.M) {
	wasm.CompileIfChild()
	os.Exit(m.Run())
}

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
	withTransform(t, w)
	trained, err := w.Train(t.Context(), d, features.NetworkShortage(), train.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if len(trained.Transforms) != 1 {
		t.Fatalf("trained with the transforms %v", trained.Transforms)
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

// withTransform has a way train with the transform that the environment names,
// and open versions with it.
func withTransform(t *testing.T, w *Way) {
	t.Helper()
	cfg := wasm.Config{CacheFolder: os.Getenv(cacheVariable)}
	if emulator := os.Getenv(emulatorVariable); emulator != "" {
		cfg.Compiler = []string{emulator, os.Args[0]}
		cfg.Compile.CPU = time.Hour // emulated, all takes longer
	}
	host, err := wasm.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := host.Close(); err != nil {
			t.Error(err)
		}
	})
	code, err := os.ReadFile(os.Getenv(transformVariable))
	if err != nil {
		t.Fatal(err)
	}
	transform, err := host.Admit(t.Context(), code, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.Transforms = []features.Transform{transform}
	w.Open = func(ctx context.Context, files map[string][]byte) ([]features.Transform, error) {
		spec := transform.Spec()
		opened, err := host.Admit(ctx, files[model.TransformFile(spec.Digest)], &spec.Budget)
		return []features.Transform{opened}, err
	}
}

// TestSameBytesEverywhere trains and judges the same frozen dataset with the
// same transform, with 1, 2 and 8 cores, in folders of their own, and built for
// arm64. The digest and the verdict must be the same bytes.
func TestSameBytesEverywhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	frozen := filepath.Join(dir, "frozen")
	if err := simulated(t, 1, 40).Write(frozen); err != nil {
		t.Fatal(err)
	}
	featurestest.BuildSkewed(t, "1.0", filepath.Join(dir, "skewed.wasm"))
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	want := askProgram(t, dir, "1", self)
	for _, procs := range []string{"2", "8"} {
		if got := askProgram(t, dir, procs, self); got != want {
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
	if got := askProgram(t, dir, "2", qemu, arm64); got != want {
		t.Errorf("on arm64 the answer is\n%+v\non this machine it is\n%+v", got, want)
	}
}

func askProgram(t *testing.T, dir, procs string, program ...string) answer {
	t.Helper()
	cmd := exec.Command(program[0], append(program[1:], "-test.run=^TestAnswerAsProgram$")...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS="+procs, frozenVariable+"="+filepath.Join(dir, "frozen"),
		transformVariable+"="+filepath.Join(dir, "skewed.wasm"), cacheVariable+"="+filepath.Join(dir, "cache-"+procs))
	if len(program) > 1 {
		cmd.Env = append(cmd.Env, emulatorVariable+"="+program[0])
	}
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
