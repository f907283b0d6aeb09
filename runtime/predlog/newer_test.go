package predlog

import (
	"path/filepath"
	"testing"
	"time"

	"livelab/runtime/predlog/spool"
)

// TestNewerRecords finds among its own the records of a program that writes
// them in another way, as after a step back to an older version: what it can
// read it stores, and the file is kept for who can read the rest.
func TestNewerRecords(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	m := &fakeStore{away: true}
	w := setup(t, Config{Store: m, Spool: spool.Config{Dir: dir}})
	w.Start()
	named(w, 0, 2)
	newer := append(spool.Reserve(nil), recordVersion+1, 2, 3, 4)
	spool.Seal(newer, 0)
	if _, err := w.spool.Load().Append(newer, 1); err != nil {
		t.Fatal(err)
	}
	named(w, 2, 3)
	m.set(false)
	if err := w.Stop(within(time.Minute)); err != nil {
		t.Error(err)
	}
	wantStored(t, m, 0, 3)
	if dropped(w, dropDamaged) != 1 || dropped(w) != 1 {
		t.Errorf("%v dropped, want the one", dropped(w))
	}
	if aside, err := filepath.Glob(filepath.Join(dir, "1", "*.damaged")); err != nil || len(aside) != 1 {
		t.Errorf("kept aside: %v, %v", aside, err)
	}
}
