//go:build unix

package publish

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"livelab/pipeline/gate"
)

// The tests below run this binary again as a writer of its own, and kill it.
const (
	childEnv = "PUBLISH_TEST_CHILD" // what the child does
	rootEnv  = "PUBLISH_TEST_ROOT"  // on which registry
	argEnv   = "PUBLISH_TEST_ARG"   // a number

	started = "started"
)

var children = map[string]func(d *Dir, arg int) error{
	"write without end": writeWithoutEnd,
	"die at a step":     dieAtStep,
}

func TestMain(m *testing.M) {
	child, ok := children[os.Getenv(childEnv)]
	if !ok {
		os.Exit(m.Run())
	}
	arg, err := strconv.Atoi(os.Getenv(argEnv))
	if err == nil {
		err = child(OpenDir(os.Getenv(rootEnv)), arg)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func startChild(t *testing.T, what, root string, arg int) (*exec.Cmd, io.Reader, *bytes.Buffer) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+what, rootEnv+"="+root, argEnv+"="+strconv.Itoa(arg))
	stderr := new(bytes.Buffer)
	cmd.Stderr = stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, stdout, stderr
}

// killed waits and tells a death by our signal from any other end.
func killed(cmd *exec.Cmd) bool {
	var exit *exec.ExitError
	if !errors.As(cmd.Wait(), &exit) {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// work is what a life of versions looks like: added, judged, promoted, judged
// again, sometimes rolled back, and then tried as a challenger for a while.
func work(d *Dir, n int) error {
	at := t0.Add(time.Duration(n) * time.Second)
	files := demoFiles(n, at)
	version, err := d.Add(ctx, demo, files, at)
	if err != nil {
		return err
	}
	if err := d.Amend(ctx, demo, version, verdictFiles(files, gate.Pass, "a")); err != nil {
		return err
	}
	if err := d.Promote(ctx, demo, version, PromoteOptions{At: at}); err != nil {
		return err
	}
	if err := d.Amend(ctx, demo, version, verdictFiles(files, gate.Pass, "b")); err != nil {
		return err
	}
	if n%3 != 0 {
		return nil
	}
	if _, _, err := d.Rollback(ctx, demo, at); err != nil {
		return err
	}
	if err := d.Challenge(ctx, demo, version, ChallengeOptions{At: at}); err != nil {
		return err
	}
	return d.EndChallenge(ctx, demo, ChallengeOptions{At: at})
}

func writeWithoutEnd(d *Dir, round int) error {
	fmt.Println(started)
	for n := range 1000 {
		if err := work(d, round*1000+n+1); err != nil {
			return err
		}
	}
	return errors.New("nobody killed me")
}

// TestKilledAtRandom kills a writer sixty times while a reader reads on.
func TestKilledAtRandom(t *testing.T) {
	const rounds = 60
	d := OpenDir(t.TempDir())
	promote(t, d, addJudged(t, d, 0, gate.Pass))
	stop := make(chan struct{})
	var reader sync.WaitGroup
	reads := 0
	reader.Go(func() {
		for ; ; reads++ {
			select {
			case <-stop:
				return
			default:
			}
			for _, alias := range []string{Champion, Latest} {
				if _, err := d.Resolve(ctx, demo, alias); err != nil {
					t.Errorf("read while others write: %v", err)
				}
			}
		}
	})
	leftOver := 0
	for round := range rounds {
		cmd, stdout, stderr := startChild(t, "write without end", d.root, round+1)
		if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
			t.Fatalf("the writer said %q (%v): %s", line, err, stderr)
		}
		time.Sleep(rand.N(100 * time.Millisecond))
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if !killed(cmd) {
			t.Fatalf("the writer ended by itself: %s", stderr)
		}
		if entries, _ := os.ReadDir(d.stagingPath(demo)); len(entries) > 0 {
			leftOver++
		}
		wantWhole(t, d)
		if t.Failed() {
			t.Fatalf("after kill %d", round+1)
		}
	}
	close(stop)
	reader.Wait()
	infos, err := d.Versions(ctx, demo)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d kills, %d of them in the middle of a file or folder; %d versions written, %d reads meanwhile",
		rounds, leftOver, len(infos), 2*reads)
	addJudged(t, d, (rounds+1)*1000, gate.Pass)
	wantNoStaging(t, d)
}

// errAlive is how the child ends that did all of its work and was not killed.
var errAlive = errors.New("there are fewer steps")

func dieAtStep(d *Dir, at int) error {
	n := 0
	d.step = func(string) {
		if n++; n == at {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // until the signal is there
		}
	}
	if err := work(d, 3); err != nil {
		return err
	}
	return errAlive
}

// TestKilledAtEachStep kills a writer before each single change of the disk,
// from the first to the last, and lets the next writer do the same work.
func TestKilledAtEachStep(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	d := OpenDir(base)
	first := addJudged(t, d, 1, gate.Pass)
	promote(t, d, first)
	for step := 1; ; step++ {
		root := t.TempDir()
		if err := os.CopyFS(root, os.DirFS(base)); err != nil {
			t.Fatal(err)
		}
		cmd, _, stderr := startChild(t, "die at a step", root, step)
		if !killed(cmd) {
			if stderr.String() != errAlive.Error()+"\n" {
				t.Fatalf("step %d: %s", step, stderr)
			}
			t.Logf("killed before each of %d steps", step-1)
			if step < 40 {
				t.Fatalf("only %d steps: the writer is not killed everywhere", step-1)
			}
			return
		}
		d := OpenDir(root)
		wantWhole(t, d)
		if err := work(d, 3); err != nil {
			t.Fatalf("after a kill before step %d, the next writer cannot go on: %v", step, err)
		}
		wantWhole(t, d)
		wantChampion(t, d, first) // the work ends with a rollback
		wantNoStaging(t, d)
		if t.Failed() {
			t.Fatalf("at step %d", step)
		}
	}
}
