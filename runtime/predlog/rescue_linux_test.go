package predlog

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"livelab/runtime/predlog/spool"
)

// TestMemoryGoesToTheDisk gives the disk its room back while the store is
// away: what waits in memory goes there, with no request to prompt it, and at
// the latest when the writer stops.
func TestMemoryGoesToTheDisk(t *testing.T) {
	t.Parallel()
	for name, sync := range map[string]time.Duration{"by itself": 10 * time.Millisecond, "at the end": -1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := smallDisk(t, "size=64k,nr_inodes=10")
			for i := range 9 { // the root has one
				if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			m := &fakeStore{away: true}
			cfg := Config{Store: m, Sync: sync, Spool: spool.Config{Dir: filepath.Join(dir, "spool")}}
			w := setup(t, cfg)
			w.Start()
			named(w, 0, 10)
			named(w, 10, 20)
			if n := testutil.ToFloat64(w.metrics.undurable); n != 20 {
				t.Fatalf("%v waited in memory, want all 20", n)
			}
			for i := range 9 {
				if err := os.Remove(filepath.Join(dir, fmt.Sprint(i))); err != nil {
					t.Fatal(err)
				}
			}
			if sync > 0 {
				waitFor(t, "the disk to take it", func() bool { return w.memory.waiting() == 0 })
			}
			if err := w.Stop(within(time.Minute)); err != nil {
				t.Error(err)
			}
			w = setup(t, cfg)
			w.Start()
			m.set(false)
			if err := w.Stop(within(time.Minute)); err != nil {
				t.Error(err)
			}
			wantStored(t, m, 0, 20)
		})
	}
}
