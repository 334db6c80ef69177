// Package regular reads files that somebody else has put there: regular ones only, within a limit, and without waiting
// for any.
package regular

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"syscall"

	"migrate-to-flux-operator/fn/limit"
)

// The reasons not to read a file.
var (
	ErrNotAFile = errors.New("not a regular file")
	ErrLink     = errors.New("refusing to follow a symbolic link")
	ErrChanged  = errors.New("the file has changed since it was read")
)

// Read reads a regular file below a directory, of at most limit.Size bytes. It follows no link, in the place of the
// file or above it, because source-controller takes none to a cluster either; and it does not wait, as it would at a
// pipe.
func Read(root *os.Root, name string) ([]byte, error) {
	if err := NoLinkAbove(root, name); err != nil {
		return nil, err
	}
	name = filepath.FromSlash(name)
	listed, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if err := Check(listed); err != nil {
		return nil, err
	}
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if opened, err := f.Stat(); err != nil || !os.SameFile(listed, opened) {
		return nil, errors.Join(err, ErrChanged)
	}
	return limit.Read(f, limit.Size)
}

// Check refuses what is not a regular file.
func Check(info fs.FileInfo) error {
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		return ErrLink
	case !info.Mode().IsRegular():
		return ErrNotAFile
	}
	return nil
}

// NoLinkAbove refuses a path below a link or below a file. A folder that is not there yet is fine.
func NoLinkAbove(root *os.Root, name string) error {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		info, err := root.Lstat(filepath.FromSlash(dir))
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return err
		case info.Mode()&fs.ModeSymlink != 0:
			return ErrLink
		case !info.IsDir():
			return ErrNotAFile
		}
	}
	return nil
}

// ReadIn is Read below a directory that is given by its path.
func ReadIn(dir, name string) ([]byte, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return Read(root, name)
}

// ReadGiven reads what a person names on the command line, of at most size bytes: it may be reached by a link, and be a
// pipe, but no folder.
func ReadGiven(file string, size int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := limit.Read(f, size)
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: file, Err: reason(err)}
	}
	return raw, nil
}

// reason is an error without the path that it names.
func reason(err error) error {
	if at := (*fs.PathError)(nil); errors.As(err, &at) {
		return at.Err
	}
	return err
}
