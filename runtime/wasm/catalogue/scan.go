package catalogue

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of what is taken in from the folder.
const (
	maxNames  = 1 << 14 // entries of the folder that are read
	maxReason = 512     // bytes
)

// sighting is a file as a scan saw it.
type sighting struct {
	name    string
	info    fs.FileInfo // of what is read, behind a symlink
	refusal string      // where it is never read
}

// isPlugin reports whether a file of the folder is looked at.
func isPlugin(name string) bool {
	return strings.HasSuffix(name, ".wasm") && !strings.HasPrefix(name, ".")
}

// Scan looks at the folder once: it withdraws what is gone, and has judged what
// stands as it did in the scan before. It judges nothing itself and does not
// wait for that. A folder that is missing is an empty one; one that cannot be
// read is an error, and what was known stays.
func (c *Catalogue) Scan(ctx context.Context) error {
	c.scanning.Lock()
	defer c.scanning.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	seen, skipped, err := c.look()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.shipped {
		c.retry(p)
	}
	c.note(err)
	if err != nil {
		return fmt.Errorf("read the plugins folder: %w", err)
	}
	c.withdraw(seen, skipped)
	for _, s := range seen {
		c.sight(s)
	}
	if len(skipped) > c.skipped {
		c.log.Warn("the plugins folder holds more files than are looked at", "looked_at", len(seen), "skipped", len(skipped))
	}
	c.skipped = len(skipped)
	return nil
}

// note keeps what is wrong with the folder, without its path, and logs it when
// it begins.
func (c *Catalogue) note(err error) {
	if err == nil {
		c.problem = ""
		return
	}
	cause := err
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		cause = p.Err
	}
	problem := clean("the plugins folder cannot be read: " + cause.Error())
	if problem != c.problem {
		c.log.Warn("the plugins folder cannot be read; what is offered stays", "folder", c.cfg.Dir, "error", err)
	}
	c.problem = problem
}

// look lists the folder's plugins, sorted by name, and names those that are too
// many.
func (c *Catalogue) look() (seen []sighting, skipped []string, err error) {
	if c.cfg.Dir == "" {
		return nil, nil, nil
	}
	root, err := openFolder(c.cfg.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	defer root.Close()
	names, err := pluginNames(root)
	if err != nil {
		return nil, nil, err
	}
	var total int64
	for i, name := range names {
		s, ok := stat(root, name)
		if !ok {
			continue
		}
		if s.refusal == "" && s.info.Size() <= c.cfg.MaxSize { // what is larger is never read
			total += s.info.Size()
		}
		if len(seen) == c.cfg.MaxFiles || total > c.cfg.MaxTotal {
			return seen, names[i:], nil
		}
		seen = append(seen, s)
	}
	return seen, nil, nil
}

// openFolder opens a folder, and does not hang on what is none.
func openFolder(dir string) (*os.Root, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("it is not a folder but a %s", kind(info.Mode()))
	}
	return os.OpenRoot(dir)
}

func pluginNames(root *os.Root) ([]string, error) {
	dir, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	entries, err := dir.ReadDir(maxNames)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if isPlugin(e.Name()) {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// stat sees what a name stands for. It is false where that has just gone.
func stat(root *os.Root, name string) (sighting, bool) {
	s := sighting{name: name}
	link, err := root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return s, false
	}
	if err == nil {
		s.info, err = root.Stat(name)
	}
	switch {
	case err != nil && link != nil && link.Mode()&fs.ModeSymlink != 0:
		s.refusal = fmt.Sprintf("it is a symlink that cannot be followed inside the folder (%v): copy the file into the folder", cause(err))
	case err != nil:
		s.refusal = fmt.Sprintf("it cannot be looked at: %v", cause(err))
	case !s.info.Mode().IsRegular():
		s.refusal = fmt.Sprintf("it is a %s, must be a regular file", kind(s.info.Mode()))
	}
	return s, true
}

// cause drops operation and path, which the reader of a reason knows.
func cause(err error) error {
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		return p.Err
	}
	return err
}

func kind(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "folder"
	case m&fs.ModeNamedPipe != 0:
		return "named pipe"
	case m&fs.ModeSocket != 0:
		return "socket"
	case m&fs.ModeDevice != 0:
		return "device"
	case m.IsRegular():
		return "file"
	}
	return "special file"
}

// clean makes a text that a plugin may have a say in fit for a line of a
// terminal, and short.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
	if len(s) <= maxReason {
		return s
	}
	end := maxReason
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "..."
}
