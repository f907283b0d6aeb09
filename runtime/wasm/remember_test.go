package wasm

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"livelab/pipeline/features"
	w "livelab/runtime/wasm/wasmtest"
)

// lie is put into what is kept of a refusal: who is told it has not judged.
const lie = "as was said before: "

// badAt are modules that are refused at a step.
func badAt() map[Step][]byte {
	return map[Step][]byte{
		StepParse:    []byte("no module at all"),
		StepDescribe: w.Transform{Describe: "nothing"}.Bytes(),
		StepProbe:    w.Transform{Row: w.Loop(w.Empty, w.Br(0))}.Bytes(),
	}
}

func in(folder string) func(*Config) { return func(c *Config) { c.CacheFolder = folder } }

// refusal that a new host gives to a module.
func refusal(t *testing.T, change func(*Config), code []byte) *Refusal {
	t.Helper()
	_, err := newHost(t, change).Admit(t.Context(), code, nil)
	r := (*Refusal)(nil)
	if !errors.As(err, &r) {
		t.Fatalf("got %v, want a refusal", err)
	}
	return r
}

func TestRefusalsAreRemembered(t *testing.T) {
	t.Parallel()
	for step, code := range badAt() {
		t.Run(string(step), func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			first := refusal(t, in(folder), code)
			if again := refusal(t, in(folder), code); first.Step != step || *again != *first {
				t.Errorf("got %+v, then %+v, want it at %s", first, again, step)
			}
			editRecord(t, folder, `"reason":"`, `"reason":"`+lie)
			if told := refusal(t, in(folder), code); told.Step != step || told.Reason != lie+first.Reason {
				t.Errorf("judged again: %+v", told)
			}
			var judged *Refusal
			if err := newHost(t, in(folder)).Check(t.Context(), code).Err(); !errors.As(err, &judged) || *judged != *first {
				t.Errorf("Check says %v, want what it found itself", err)
			}
			other := func(c *Config) {
				c.CacheFolder, c.Budget = folder, features.Budget{Call: 1 << 20, Row: 1 << 10, Pages: 64}
			}
			if judged := refusal(t, other, code); strings.HasPrefix(judged.Reason, lie) {
				t.Error("a refusal under another budget is believed")
			}
		})
	}
}

// A refusal that cannot be read is as if it had not been there.
func TestBrokenRefusalsAreJudgedAnew(t *testing.T) {
	t.Parallel()
	code := badAt()[StepDescribe]
	folder := t.TempDir()
	first := refusal(t, in(folder), code)
	for _, broken := range []string{"", "{", digest([]byte("{}")) + "\n{}", digest([]byte("x")) + "\nx"} {
		files, err := filepath.Glob(filepath.Join(folder, "*", recordFile))
		if err != nil || len(files) != 1 {
			t.Fatal(files, err)
		}
		if err := os.WriteFile(files[0], []byte(broken), 0o600); err != nil {
			t.Fatal(err)
		}
		if again := refusal(t, in(folder), code); *again != *first {
			t.Errorf("%q: got %+v, want %+v", broken, again, first)
		}
	}
}

// What hangs on more than the key is not kept, nor what was not judged.
func TestNotRemembered(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	code := w.Transform{}.Bytes()
	unknown := func(c *Config) { c.CacheFolder, c.Columns = folder, func(string) bool { return false } }
	if r := refusal(t, unknown, code); r.Step != StepInputs {
		t.Errorf("refused at %s, want %s", r.Step, StepInputs)
	}
	failing := newHost(t, func(c *Config) { c.CacheFolder, c.Compiler = folder, []string{"/nonexistent"} })
	if _, err := failing.Admit(t.Context(), code, nil); err == nil {
		t.Error("compiled with nothing")
	}
	if r := newHost(t, in(folder)).Check(t.Context(), badAt()[StepParse]); r.Accepted {
		t.Error("it was accepted")
	}
	if list, _ := os.ReadDir(folder); len(list) != 0 {
		t.Errorf("%v is kept", list)
	}
	admit(t, newHost(t, in(folder)), code)
}

// A refusal to compile hangs on the machine, and is believed for a while.
func TestRefusalToCompileEnds(t *testing.T) {
	t.Parallel()
	s := newHost(t, nil).store
	key := digest(nil)
	if err := s.refuse(key, Refusal{StepCompile, "too long"}); err != nil {
		t.Fatal(err)
	}
	r, _, ok := s.find(key)
	if !ok || r.Refused == nil {
		t.Fatalf("found %+v", r)
	}
	left := time.Until(r.Refused.Until)
	if left <= 0 || left > compileRefusal || r.Refused.over(time.Now()) || !r.Refused.over(r.Refused.Until) {
		t.Errorf("it holds for %v, want at most %v", left, compileRefusal)
	}
	text := r.Refused.Until.Format(time.RFC3339Nano)
	editRecord(t, s.folder, text, time.Now().Add(-time.Second).Format(time.RFC3339Nano))
	if r, _, ok := s.find(key); ok {
		t.Errorf("found %+v after its end", r)
	}
	if list, _ := os.ReadDir(s.folder); len(list) != 0 {
		t.Errorf("%v is left", list)
	}
}

func TestRefusalsArePruned(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	h := newHost(t, func(c *Config) { c.CacheFolder, c.CacheEntries = folder, 2 })
	for i := range 4 {
		if _, err := h.Admit(t.Context(), []byte{byte(i)}, nil); err == nil {
			t.Error("it was admitted")
		}
	}
	if list, _ := os.ReadDir(folder); len(list) != 2 {
		t.Errorf("%d entries are kept, want 2", len(list))
	}
}
