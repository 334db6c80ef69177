package checkout

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"migrate-to-flux-operator/fn/regular"
)

// errForeign is the error of writing where somebody else's file is.
var errForeign = errors.New("the file is not one that this program wrote: remove it, or name another one")

// WriteOwn puts a file below a directory in one step, in the place of none or of one that own knows by its content. It
// writes through no link, and not into `.git`.
func WriteOwn(dir, name string, content []byte, own func(old []byte) bool) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	if inGit(name) {
		return errOutside
	}
	if err := regular.NoLinkAbove(root, name); err != nil {
		return err
	}
	if err := replaceable(root, name, own); err != nil {
		return err
	}
	perm := fs.FileMode(0o644)
	if info, err := root.Lstat(filepath.FromSlash(name)); err == nil {
		perm = info.Mode().Perm()
	}
	beside := path.Join(path.Dir(name), "."+path.Base(name)+".new~")
	if err := removeOwn(root, beside, own); err != nil {
		return err
	}
	if err := writeFile(root, beside, content, perm); err != nil {
		return err
	}
	if err := root.Rename(filepath.FromSlash(beside), filepath.FromSlash(name)); err != nil {
		return errors.Join(err, root.Remove(filepath.FromSlash(beside)))
	}
	return nil
}

// replaceable refuses what is at a path, unless that is nothing or a file of one's own.
func replaceable(root *os.Root, name string, own func([]byte) bool) error {
	old, err := regular.Read(root, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !own(old):
		return errForeign
	}
	return nil
}

// removeOwn removes what a run that was killed has left beside a file.
func removeOwn(root *os.Root, name string, own func([]byte) bool) error {
	if err := replaceable(root, name, func(old []byte) bool { return len(old) == 0 || own(old) }); err != nil {
		return err
	}
	return missingIsFine(root.Remove(filepath.FromSlash(name)))
}
