package catalogue

import (
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestOnlyPlugins(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, name := range []string{".hidden.wasm", "calendar.wasm.tmp", "calendar.WASM", "readme.md", "wasm", ".wasm"} {
		b.write(name, "calendar 1")
	}
	b.must(os.Mkdir(b.path("below"), 0o700))
	b.write("below/deep.wasm", "deep 1")
	b.settle()
	if got := b.Entries(); len(got) != 0 {
		t.Errorf("listed %+v", got)
	}
	b.write("calendar.wasm", "calendar 1")
	b.settle()
	b.is("calendar.wasm", Offered, "")
	b.resolves("calendar", "calendar 1")
}

// TestNothingElseIsOpened holds that what is no regular file is refused, and
// does not block.
func TestNothingElseIsOpened(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.must(os.Mkdir(b.path("folder.wasm"), 0o700))
	b.must(syscall.Mkfifo(b.path("pipe.wasm"), 0o600))
	l, err := net.Listen("unix", b.path("socket.wasm"))
	b.must(err)
	defer l.Close()
	b.must(os.Symlink("pipe.wasm", b.path("link.wasm")))
	b.must(os.Symlink("nothing", b.path("dangling.wasm")))
	b.write("plain.wasm", "plain 1")
	b.settle()
	b.is("folder.wasm", Refused, "it is a folder, must be a regular file")
	b.is("pipe.wasm", Refused, "named pipe")
	b.is("socket.wasm", Refused, "socket")
	b.is("link.wasm", Refused, "named pipe")
	b.is("dangling.wasm", Refused, "no such file")
	b.is("plain.wasm", Offered, "")

	b.must(os.Remove(b.path("pipe.wasm")))
	b.write("pipe.wasm", "pipe 1")
	b.settle()
	b.is("pipe.wasm", Offered, "")
}

func TestSymlinks(t *testing.T) {
	t.Parallel()
	b := setup(t)
	outside := filepath.Join(t.TempDir(), "secret.wasm")
	b.must(os.WriteFile(outside, []byte("secret 1"), 0o600))
	up, err := filepath.Rel(b.dir, outside)
	b.must(err)
	b.must(os.Symlink(outside, b.path("absolute.wasm")))
	b.must(os.Symlink(up, b.path("relative.wasm")))
	b.must(os.Symlink(filepath.Dir(outside), b.path("out")))
	b.must(os.Symlink("out/secret.wasm", b.path("through.wasm")))
	b.must(os.Symlink("loop.wasm", b.path("loop.wasm")))
	// As a mounted folder of an orchestrator looks.
	b.must(os.Mkdir(b.path("..v1"), 0o700))
	b.write("..v1/inside.wasm", "inside 1")
	b.must(os.Symlink("..v1", b.path("..data")))
	b.must(os.Symlink("..data/inside.wasm", b.path("inside.wasm")))
	b.settle()
	for _, name := range []string{"absolute.wasm", "relative.wasm", "through.wasm"} {
		b.is(name, Refused, "a symlink that cannot be followed inside the folder (path escapes from parent)")
	}
	b.is("loop.wasm", Refused, "symlink")
	b.resolves("inside", "inside 1")
	if n := b.judge.times("secret 1"); n != 0 {
		t.Errorf("a file outside of the folder was judged %d times", n)
	}

	b.must(os.Mkdir(b.path("..v2"), 0o700))
	b.write("..v2/inside.wasm", "inside 2")
	b.must(os.Symlink("..v2", b.path("..next")))
	b.must(os.Rename(b.path("..next"), b.path("..data")))
	b.settle()
	b.resolves("inside", "inside 2")
}

func TestHalfWritten(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.write("calendar.wasm", "cal")
	b.scan()
	b.check()
	b.is("calendar.wasm", Waiting, "being written")
	b.fails("calendar", "not offered yet", "calendar.wasm is waiting")
	for _, more := range []string{"calen", "calendar", "calendar 1"} {
		b.write("calendar.wasm", more)
		b.scan()
		b.check()
		b.is("calendar.wasm", Waiting, "being written")
	}
	b.scan()
	b.is("calendar.wasm", Checking, "")
	b.fails("calendar", "calendar.wasm is checking")
	b.check()
	b.is("calendar.wasm", Offered, "")
	if len(b.judge.judged) != 1 {
		t.Errorf("judged %q, want the whole file alone", b.judge.judged)
	}
}

// TestSameSizeAndTime holds that a file put in the place of another by a
// rename is seen, even one of its size and time.
func TestSameSizeAndTime(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.write("calendar.wasm", "calendar 1")
	b.settle()
	info, err := os.Stat(b.path("calendar.wasm"))
	b.must(err)
	b.write("calendar.tmp", "calendar 2")
	b.must(os.Chtimes(b.path("calendar.tmp"), info.ModTime(), info.ModTime()))
	b.must(os.Rename(b.path("calendar.tmp"), b.path("calendar.wasm")))
	b.settle()
	b.resolves("calendar", "calendar 2")
}

// TestSameTime holds that a file which grows within one tick of its
// filesystem's clock is still being written.
func TestSameTime(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, content := range []string{"calen", "calendar", "calendar 1"} {
		b.must(os.WriteFile(b.path("calendar.wasm"), []byte(content), 0o600))
		b.must(os.Chtimes(b.path("calendar.wasm"), noon, noon))
		b.scan()
		b.check()
		b.is("calendar.wasm", Waiting, "being written")
	}
	b.settle()
	b.resolves("calendar", "calendar 1")
}

func TestSizes(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *Config) { c.MaxSize = 10 })
	b.write("fits.wasm", "fits 67890")
	b.write("large.wasm", "large 78901")
	b.write("empty.wasm", "")
	b.must(os.WriteFile(b.path("huge.wasm"), nil, 0o600))
	b.must(os.Truncate(b.path("huge.wasm"), 1<<40))
	b.settle()
	b.is("fits.wasm", Offered, "")
	b.is("large.wasm", Refused, "it has 11 bytes, must have at most 10")
	b.is("huge.wasm", Refused, "must have at most 10")
	b.is("empty.wasm", Refused, "it is empty")
}

func TestTooMany(t *testing.T) {
	t.Parallel()
	for name, limit := range map[string]func(*Config){
		"files": func(c *Config) { c.MaxFiles = 3 },
		"bytes": func(c *Config) { c.MaxTotal = 4 * 3 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, limit)
			for i := range 5 {
				b.write(fmt.Sprintf("p%d.wasm", i), fmt.Sprintf("p%d 1", i))
			}
			b.settle()
			l := b.List()
			if len(l.Plugins) != 3 || l.Skipped != 2 || l.Plugins[2].File != "p2.wasm" {
				t.Errorf("got %+v, want the first three and two skipped", l)
			}
			b.must(os.Remove(b.path("p0.wasm")))
			b.settle()
			b.resolves("p3", "p3 1")
			b.fails("p0", "there is no transform")
		})
	}
}

func TestFolderComesAndGoes(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *Config) { c.Dir = filepath.Join(c.Dir, "plugins") })
	b.settle()
	if l := b.List(); l.Problem != "" || len(l.Plugins) != 0 {
		t.Errorf("a missing folder gives %+v", l)
	}
	b.must(os.Mkdir(b.dir, 0o700))
	b.write("calendar.wasm", "calendar 1")
	b.settle()
	b.resolves("calendar", "calendar 1")

	// What is no folder cannot be read: what is known stays, and that is said.
	aside := b.dir + ".aside"
	b.must(os.Rename(b.dir, aside))
	b.must(syscall.Mkfifo(b.dir, 0o600))
	if err := b.Scan(t.Context()); err == nil || !strings.Contains(err.Error(), "not a folder but a named pipe") {
		t.Errorf("scan of a pipe: %v", err)
	}
	if p := b.List().Problem; !strings.Contains(p, "cannot be read") || strings.Contains(p, b.dir) {
		t.Errorf("problem is %q", p)
	}
	b.resolves("calendar", "calendar 1")

	b.must(os.Remove(b.dir))
	b.settle()
	if l := b.List(); l.Problem != "" || len(l.Plugins) != 0 {
		t.Errorf("after the folder was removed: %+v", l)
	}
	b.must(os.Rename(aside, b.dir))
	b.settle()
	b.resolves("calendar", "calendar 1")
}

func TestUnreadableFolder(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.write("calendar.wasm", "calendar 1")
	b.settle()
	b.must(os.Chmod(b.dir, 0))
	defer os.Chmod(b.dir, 0o700)
	if _, err := os.ReadDir(b.dir); err == nil {
		t.Skip("this user may read every folder")
	}
	if err := b.Scan(t.Context()); err == nil {
		t.Error("no error")
	}
	if p := b.List().Problem; !strings.Contains(p, "permission denied") {
		t.Errorf("problem is %q", p)
	}
	b.resolves("calendar", "calendar 1")
	b.must(os.Chmod(b.dir, 0o700))
	b.settle()
	b.is("calendar.wasm", Offered, "")
}

func TestHostileNames(t *testing.T) {
	t.Parallel()
	b := setup(t)
	name := "a\n\x1b[31m\xff.wasm"
	b.write(name, "bad "+strings.Repeat("\x1b[2Jé", 600))
	b.settle()
	e := b.entry(name)
	if e.State != Refused || len(e.Reason) > maxReason+3 || strings.Contains(e.Reason, "\x1b") {
		t.Errorf("reason of %d bytes: %q", len(e.Reason), e.Reason)
	}
	b.must(os.Chmod(b.path(name), fs.FileMode(0o640)))
	b.settle()
	if n := len(b.judge.judged); n != 2 {
		t.Errorf("judged %d times, want again after chmod", n)
	}
}
