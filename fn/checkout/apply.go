package checkout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/printable"

	"migrate-to-flux-operator/fn/regular"
)

// Apply writes changes into a directory, all or none. It first checks that every file still holds what was read and
// that every new file is still missing; then it writes the new contents beside their targets, and renames them at the
// end. On an error, or when the context is cancelled, the directory is as it was. A directory whose last file was
// deleted is removed, as Git does. Nothing is written through a symbolic link, outside of dir or into `.git`.
func Apply(ctx context.Context, dir string, changes []Change) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	a := &applier{root: root}
	for _, c := range sorted(changes) {
		a.files = append(a.files, &target{Change: c})
	}
	steps := []func(*target) error{a.check, a.stage, a.commit}
	for _, step := range steps {
		for _, f := range a.files {
			err := ctx.Err()
			if err == nil {
				err = step(f)
			}
			if err != nil {
				return a.undo(fmt.Errorf("%s: %w; nothing was changed", printable.Line(f.Path), err))
			}
		}
	}
	return a.finish()
}

// applier is the state of one Apply.
type applier struct {
	root  *os.Root
	files []*target
	made  []string // directories that were created, outermost first
}

// target is one file of an Apply.
type target struct {
	Change
	perm   fs.FileMode
	staged string // the new content beside the target
	backup string // the old file beside the target
	done   bool
}

// Errors of Apply.
var (
	errOutside   = errors.New("the path leads out of the directory or into .git")
	errTwice     = errors.New("the file is changed twice")
	errExists    = errors.New("refusing to overwrite a file that was not there")
	errReadOnly  = errors.New("the file is read-only")
	errNoContent = errors.New("the change has neither an old nor a new content")
)

// check looks whether a change can be made, and writes nothing.
func (a *applier) check(f *target) error {
	if !fs.ValidPath(f.Path) || f.Path == "." || strings.ContainsAny(f.Path, "\\\x00") || inGit(f.Path) {
		return errOutside
	}
	if f.Before == nil && f.After == nil {
		return errNoContent
	}
	if i := slices.Index(a.files, f); i > 0 && a.files[i-1].Path == f.Path {
		return errTwice
	}
	if err := regular.NoLinkAbove(a.root, f.Path); err != nil {
		return err
	}
	return a.unchanged(f)
}

// inGit reports whether a path is in a `.git`, in any case of letters, as some file systems see it.
func inGit(name string) bool {
	return slices.ContainsFunc(strings.Split(name, "/"), func(s string) bool { return strings.EqualFold(s, ".git") })
}

// unchanged checks that a file is as it was read.
func (a *applier) unchanged(f *target) error {
	info, err := a.root.Lstat(f.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && f.Before == nil:
		f.perm = f.mode()
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return regular.ErrChanged
	case err != nil:
		return err
	case f.Before == nil:
		return errExists
	case info.Mode().IsRegular() && info.Mode()&0o200 == 0:
		return errReadOnly
	}
	f.perm = info.Mode().Perm()
	raw, err := regular.Read(a.root, f.Path)
	if err == nil && !bytes.Equal(raw, f.Before) {
		err = regular.ErrChanged
	}
	return err
}

// stage writes the new content beside the target, and gives the old one a second name.
func (a *applier) stage(f *target) error {
	if f.Before != nil {
		name, err := a.beside(f.Path, "old", func(name string) error { return a.keep(f, name) })
		if err != nil {
			return err
		}
		f.backup = name
	}
	if f.After == nil {
		return nil
	}
	if err := a.mkdir(path.Dir(f.Path)); err != nil {
		return err
	}
	name, err := a.beside(f.Path, "new", func(name string) error { return writeFile(a.root, name, f.After, f.perm) })
	f.staged = name
	return err
}

// keep gives a file a second name, by a link where the file system has them and by a copy elsewhere.
func (a *applier) keep(f *target, name string) error {
	err := a.root.Link(f.Path, name)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	return writeFile(a.root, name, f.Before, f.perm)
}

// beside finds a free name beside a file for create.
func (a *applier) beside(name, kind string, create func(string) error) (string, error) {
	dir, base := path.Split(name)
	if len(base) > 200 {
		base = base[:200]
	}
	for i := range 1000 {
		free := fmt.Sprintf("%s.%s.%s%d~", dir, base, kind, i)
		err := create(free)
		if !errors.Is(err, fs.ErrExist) {
			return free, err
		}
	}
	return "", fmt.Errorf("no free name for a temporary file: %w", fs.ErrExist)
}

// mkdir creates a directory and its parents, and remembers which ones were missing.
func (a *applier) mkdir(dir string) error {
	if dir == "." {
		return nil
	}
	if info, err := a.root.Lstat(dir); err == nil && info.IsDir() {
		return nil
	}
	if err := a.mkdir(path.Dir(dir)); err != nil {
		return err
	}
	if err := a.root.Mkdir(dir, 0o755); err != nil {
		return err
	}
	a.made = append(a.made, dir)
	return nil
}

// writeFile creates a file and brings it to the disk; a file that cannot be written in full is removed again.
func writeFile(root *os.Root, name string, content []byte, perm fs.FileMode) error {
	f, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Chmod(perm)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, root.Remove(name))
	}
	return nil
}

// commit puts a file in its place, or takes it away, if it is still as it was read.
func (a *applier) commit(f *target) error {
	if err := a.unchanged(f); err != nil {
		return err
	}
	var err error
	switch {
	case f.After == nil:
		err = a.root.Remove(f.Path)
	case f.Before == nil:
		err = a.create(f)
	default:
		err = a.root.Rename(f.staged, f.Path)
	}
	f.done = err == nil
	return err
}

// create puts a new file in its place without overwriting one that someone else put there just now, where the file
// system has links.
func (a *applier) create(f *target) error {
	err := a.root.Link(f.staged, f.Path)
	switch {
	case errors.Is(err, fs.ErrExist):
		return errExists
	case err != nil:
		return a.root.Rename(f.staged, f.Path)
	}
	f.done = true
	return a.root.Remove(f.staged)
}

// undo puts everything back and returns cause, with what went wrong on the way.
func (a *applier) undo(cause error) error {
	errs := []error{cause}
	for _, f := range slices.Backward(a.files) {
		errs = append(errs, a.restore(f))
	}
	for _, dir := range slices.Backward(a.made) {
		errs = append(errs, missingIsFine(a.root.Remove(dir)))
	}
	return errors.Join(errs...)
}

// restore puts one file back.
func (a *applier) restore(f *target) error {
	var errs []error
	if f.done && f.Before == nil {
		errs = append(errs, missingIsFine(a.root.Remove(f.Path)))
	}
	if f.done && f.backup != "" {
		errs = append(errs, a.root.Rename(f.backup, f.Path))
	} else if f.backup != "" {
		errs = append(errs, missingIsFine(a.root.Remove(f.backup)))
	}
	if f.staged != "" {
		errs = append(errs, missingIsFine(a.root.Remove(f.staged)))
	}
	return errors.Join(errs...)
}

// missingIsFine drops the error of removing what is not there.
func missingIsFine(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// finish removes the old files, and the directories that lost their last file. Everything is in its place by now.
func (a *applier) finish() error {
	var errs []error
	for _, f := range a.files {
		if f.backup != "" {
			errs = append(errs, a.root.Remove(f.backup))
		}
	}
	for _, f := range a.files {
		for dir := path.Dir(f.Path); f.After == nil && dir != "."; dir = path.Dir(dir) {
			if a.root.Remove(dir) != nil {
				break // not empty
			}
		}
	}
	return errors.Join(errs...)
}
