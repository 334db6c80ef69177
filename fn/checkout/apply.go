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
// that every new file is still missing. Then it puts the new contents, and second names of the old files, into a folder
// of its own at the top, with a journal of what it is going to do; at the end it renames them, and removes the folder.
// On an error, or when the context is cancelled, the directory is as it was; when the process is killed, Recover puts
// it right. A directory whose last file was deleted is removed, as Git does. Nothing is written through a symbolic
// link, outside of dir or into `.git`.
func Apply(ctx context.Context, dir string, changes []Change) error {
	if len(changes) == 0 {
		return nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	unlock, err := lock(root)
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := root.Lstat(folder); err == nil {
		return unchanged(errKilled)
	}
	a := &applier{root: root}
	for i, c := range sorted(changes) {
		a.files = append(a.files, &target{Change: c, index: i})
	}
	if err := a.each(ctx, a.check); err != nil {
		return unchanged(err)
	}
	err = a.begin()
	if err == nil {
		err = a.each(ctx, a.stage)
	}
	if err == nil {
		err = a.plan()
	}
	if err == nil {
		err = a.each(ctx, a.commit)
	}
	if err != nil {
		return a.undo(err)
	}
	return a.finish()
}

// unchanged is the error of a run that has put everything back.
func unchanged(err error) error { return fmt.Errorf("%w; nothing was changed", err) }

// applier is the state of one Apply.
type applier struct {
	root  *os.Root
	files []*target
	made  []string // the directories that are missing, outermost first
}

// target is one file of an Apply.
type target struct {
	Change
	index int
	perm  fs.FileMode
	done  bool
}

// Errors of Apply.
var (
	errOutside   = errors.New("the path leads out of the directory or into .git")
	errTwice     = errors.New("the file is changed twice")
	errExists    = errors.New("refusing to overwrite a file that was not there")
	errReadOnly  = errors.New("the file is read-only: make it writable, and run again")
	errNoContent = errors.New("the change has neither an old nor a new content")
)

// each takes a step with every file.
func (a *applier) each(ctx context.Context, step func(*target) error) error {
	for _, f := range a.files {
		err := ctx.Err()
		if err == nil {
			err = step(f)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", printable.Line(f.Path), err)
		}
	}
	return nil
}

// check looks whether a change can be made, and writes nothing.
func (a *applier) check(f *target) error {
	if err := checkPath(a.root, f.Path); err != nil {
		return err
	}
	if f.Before == nil && f.After == nil {
		return errNoContent
	}
	if f.index > 0 && a.files[f.index-1].Path == f.Path {
		return errTwice
	}
	if f.After != nil {
		a.made = append(a.made, a.missing(path.Dir(f.Path))...)
	}
	return a.asRead(f)
}

// checkPath refuses a path that is not one of a file below the directory, outside of `.git`.
func checkPath(root *os.Root, name string) error {
	if !fs.ValidPath(name) || name == "." || strings.ContainsAny(name, "\\\x00") || inGit(name) ||
		within(name, folder) {
		return errOutside
	}
	return regular.NoLinkAbove(root, name)
}

// within reports whether a path is that of a directory or below it.
func within(name, dir string) bool { return name == dir || strings.HasPrefix(name, dir+"/") }

// inGit reports whether a path is in a `.git`, in any case of letters, as some file systems see it.
func inGit(name string) bool {
	return slices.ContainsFunc(strings.Split(name, "/"), func(s string) bool { return strings.EqualFold(s, ".git") })
}

// missing are a directory and those above it that are not there and not known to be missing, outermost first.
func (a *applier) missing(dir string) []string {
	if dir == "." || slices.Contains(a.made, dir) {
		return nil
	}
	if _, err := a.root.Lstat(dir); err == nil {
		return nil
	}
	return append(a.missing(path.Dir(dir)), dir)
}

// asRead checks that a file is as it was read.
func (a *applier) asRead(f *target) error {
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

// stage writes the new content of a file into the folder, and gives the old file a second name there, by a link where
// the file system has them and by a copy elsewhere.
func (a *applier) stage(f *target) error {
	if f.Before != nil {
		if err := a.root.Link(f.Path, oldOf(f.index)); err != nil {
			if err := writeFile(a.root, oldOf(f.index), f.Before, f.perm); err != nil {
				return err
			}
		}
	}
	if f.After == nil {
		return nil
	}
	return writeFile(a.root, newOf(f.index), f.After, f.perm)
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
	if err := a.asRead(f); err != nil {
		return err
	}
	var err error
	switch {
	case f.After == nil:
		err = a.root.Remove(f.Path)
	case f.Before == nil:
		err = a.create(f)
	default:
		err = a.root.Rename(newOf(f.index), f.Path)
	}
	f.done = err == nil
	return err
}

// create puts a new file in its place without overwriting one that someone else put there just now, where the file
// system has links.
func (a *applier) create(f *target) error {
	if err := a.root.MkdirAll(path.Dir(f.Path), 0o755); err != nil {
		return err
	}
	err := a.root.Link(newOf(f.index), f.Path)
	switch {
	case errors.Is(err, fs.ErrExist):
		return errExists
	case err != nil:
		return a.root.Rename(newOf(f.index), f.Path)
	}
	return nil
}

// undo puts everything back and returns cause, with what went wrong on the way: the folder stays then.
func (a *applier) undo(cause error) error {
	var errs []error
	for _, f := range slices.Backward(a.files) {
		if f.done {
			errs = append(errs, putBack(a.root, f.index, f.Path, f.Before == nil))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%w; not everything could be put back: %w", cause, err)
	}
	if err := errors.Join(removeEmpty(a.root, a.made), removeFolder(a.root)); err != nil {
		return fmt.Errorf("%w; nothing was changed, but something is left: %w", cause, err)
	}
	return unchanged(cause)
}

// finish removes the folder, and the directories that lost their last file. Everything is in its place by now.
func (a *applier) finish() error {
	if err := removeFolder(a.root); err != nil {
		return fmt.Errorf("the files were changed, but %s could not be removed: %w", folder, err)
	}
	for _, f := range a.files {
		for dir := path.Dir(f.Path); f.After == nil && dir != "."; dir = path.Dir(dir) {
			if a.root.Remove(dir) != nil {
				break // not empty
			}
		}
	}
	return nil
}
