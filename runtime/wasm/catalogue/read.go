package catalogue

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// errChanged says that a file was not the same before and after reading it.
var errChanged = errors.New("it changed while it was read")

// file is one that is open.
type file interface {
	io.ReadCloser
	Stat() (fs.FileInfo, error)
}

// openFile opens a file of the folder. A pipe may have taken its place since it
// was seen: opening one must not wait for a writer.
func openFile(root *os.Root, name string) (file, error) {
	return root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}

// read gives the bytes of a file that must be the one that was seen, from
// before the first byte until after the last.
func (c *Catalogue) read(name string, seen fs.FileInfo) ([]byte, error) {
	root, err := openFolder(c.cfg.Dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	f, err := c.open(root, name)
	if err != nil {
		return nil, fmt.Errorf("it cannot be opened: %w", err)
	}
	defer f.Close()
	if err := unchanged(f.Stat, seen); err != nil {
		return nil, err
	}
	size := seen.Size()
	if size == 0 {
		return nil, errors.New("it is empty")
	}
	if size > c.cfg.MaxSize {
		return nil, fmt.Errorf("it has %d bytes, must have at most %d: build it without debug information, or strip it", size, c.cfg.MaxSize)
	}
	code := make([]byte, size)
	if _, err := io.ReadFull(f, code); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, errChanged
	} else if err != nil {
		return nil, fmt.Errorf("it cannot be read: %w", err)
	}
	return code, unchanged(func() (fs.FileInfo, error) { return root.Stat(name) }, seen)
}

func unchanged(stat func() (fs.FileInfo, error), seen fs.FileInfo) error {
	now, err := stat()
	if err != nil {
		return fmt.Errorf("it cannot be looked at: %w", err)
	}
	if !now.Mode().IsRegular() || !same(now, seen) {
		return errChanged
	}
	return nil
}
