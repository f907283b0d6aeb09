package predlog

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"livelab/runtime/predlog/spool"
)

// smallDisk is a disk with little room, as its options say. Only a root that
// may mount disks can have one, which that of most containers may not: there
// the test is skipped, on CI as well, and says so.
func smallDisk(t *testing.T, options string) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skipf("not tested here: it takes a small disk, which only root can mount, and this is user %d", os.Geteuid())
	}
	dir := t.TempDir()
	err := syscall.Mount("livelab", dir, "tmpfs", 0, options)
	if errors.Is(err, syscall.EPERM) {
		t.Skip("not tested here: it takes a small disk, and this root may not mount one; run the container with the capability SYS_ADMIN")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unmount(dir); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return dir
}

// unmount waits for the processes that tests beside this one start: from fork
// to exec each holds all files that are open here.
func unmount(dir string) error {
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		err := syscall.Unmount(dir, 0)
		if !errors.Is(err, syscall.EBUSY) || time.Now().After(end) {
			return err
		}
	}
}

// TestDiskFull fills the disk under the log, with the store there and with the
// store away, and gives the room back.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t, "size=256k")
	var log strings.Builder
	m := &fakeStore{away: true}
	w := setup(t, Config{
		Store: m, Rest: -1, MaxBackoff: 200 * time.Millisecond, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		Spool: spool.Config{Dir: filepath.Join(dir, "spool"), MaxBytes: 10 << 20, SegmentBytes: 50_000},
	})
	w.Start()
	named(w, 0, 2000)
	start := time.Now()
	named(w, 2000, 9000) // some 80 bytes each: more than the disk takes
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("7000 predictions took %v on a full disk", took)
	}
	undurable := testutil.ToFloat64(w.metrics.undurable)
	if undurable == 0 || testutil.ToFloat64(w.metrics.spoolFailures) == 0 {
		t.Fatal("the disk was not filled")
	}
	m.set(false)
	waitFor(t, "what waited to be stored", func() bool { return m.count() == 9000 })
	time.Sleep(diskRetry)
	named(w, 9000, 9001)
	before := testutil.ToFloat64(w.metrics.undurable)
	named(w, 9001, 10_000)
	if after := testutil.ToFloat64(w.metrics.undurable); after != before {
		t.Errorf("with room again %v predictions went by memory", after-before)
	}
	if err := w.Stop(within(time.Minute)); err != nil {
		t.Error(err)
	}
	wantStored(t, m, 0, 10_000)
	if n := dropped(w); n != 0 {
		t.Errorf("%v dropped", n)
	}
	for _, said := range []string{"no space left", "is written again"} {
		if !strings.Contains(log.String(), said) {
			t.Errorf("the log does not say %q: %s", said, &log)
		}
	}
	t.Logf("%v of 10000 waited in memory", undurable)
}

// TestFullDiskAtTheStart begins on a disk without any room, which comes later.
func TestFullDiskAtTheStart(t *testing.T) {
	t.Parallel()
	const inodes = 12
	dir := smallDisk(t, fmt.Sprintf("size=64k,nr_inodes=%d", inodes))
	filler := filepath.Join(dir, "filler")
	for i := range inodes - 1 { // the root has one
		if err := os.WriteFile(fmt.Sprintf("%s-%d", filler, i), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	m := &fakeStore{away: true}
	w := setup(t, Config{Store: m, MaxBackoff: 200 * time.Millisecond, Spool: spool.Config{Dir: filepath.Join(dir, "spool")}})
	w.Start()
	named(w, 0, 10)
	if n := testutil.ToFloat64(w.metrics.undurable); n != 10 {
		t.Errorf("%v waited in memory, want all 10", n)
	}
	for i := range 8 {
		if err := os.Remove(fmt.Sprintf("%s-%d", filler, i)); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(diskRetry + 50*time.Millisecond)
	named(w, 10, 20)
	if n := testutil.ToFloat64(w.metrics.undurable); n != 10 {
		t.Errorf("%v waited in memory with room again", n-10)
	}
	m.set(false)
	if err := w.Stop(within(time.Minute)); err != nil {
		t.Error(err)
	}
	wantStored(t, m, 0, 20)
}

func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
