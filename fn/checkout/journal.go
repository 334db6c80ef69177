package checkout

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/printable"
	"migrate-to-flux-operator/fn/regular"
)

// folder is where Apply keeps what it writes, and what it replaces, until all is in its place. Git ignores it by a file
// of its own in it.
const folder = ".migrate-to-flux-operator~"

// The files in the folder. The journal is there from when all is prepared until all is in its place.
const (
	ignoreName  = folder + "/.gitignore"
	journalName = folder + "/journal"
	draftName   = folder + "/draft" // the journal while it is written
)

// oldOf and newOf are where the old and the new content of a file are.
func oldOf(index int) string { return fmt.Sprintf("%s/old%d", folder, index) }
func newOf(index int) string { return fmt.Sprintf("%s/new%d", folder, index) }

// ownName are the names that Apply gives to files in the folder.
var ownName = regexp.MustCompile(`^(\.gitignore|journal|draft|(old|new)[0-9]+)$`)

// journal is what an Apply is going to do.
type journal struct {
	Files []step   `json:"files"`
	Made  []string `json:"made"` // the directories that it makes, outermost first
}

// step is what becomes of one file: the sums of its contents, empty where there is no file.
type step struct {
	Path   string `json:"path"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// sum tells contents apart.
func sum(content []byte) string {
	if content == nil {
		return ""
	}
	of := sha256.Sum256(content)
	return hex.EncodeToString(of[:])
}

// Errors of what another run has to do with.
var (
	errBusy     = errors.New("another apply is at work in this directory")
	errKilled   = fmt.Errorf("%s is there: an apply that was killed has left it", folder)
	errNotOwn   = fmt.Errorf("%s holds what no apply has written: look what it is, and move it away", folder)
	errTracked  = fmt.Errorf("%s is in Git, where no apply puts it: remove it", folder)
	errNoBackup = errors.New("its old content is gone or was changed")
)

// begin makes the folder.
func (a *applier) begin() error {
	if err := a.root.Mkdir(folder, 0o700); err != nil {
		return err
	}
	return writeFile(a.root, ignoreName, []byte("*\n"), 0o600)
}

// plan writes the journal: from now on Recover puts back what was done.
func (a *applier) plan() error {
	j := journal{Made: a.made}
	for _, f := range a.files {
		j.Files = append(j.Files, step{f.Path, sum(f.Before), sum(f.After)})
	}
	text, err := json.MarshalIndent(j, "", "  ")
	if err != nil {
		return err
	}
	if err := writeFile(a.root, draftName, text, 0o600); err != nil {
		return err
	}
	return a.root.Rename(draftName, journalName)
}

// removeFolder removes what an Apply has put into its folder, and the folder; the journal first, so that a folder
// without one holds nothing that anybody needs.
func removeFolder(root *os.Root) error {
	if err := missingIsFine(root.Remove(journalName)); err != nil {
		return err
	}
	names, err := ownFiles(root)
	if err != nil {
		return missingIsFine(err)
	}
	for _, name := range slices.Backward(names) { // what makes Git ignore the others comes last
		if err := root.Remove(path.Join(folder, name)); err != nil {
			return err
		}
	}
	return root.Remove(folder)
}

// ownFiles are the files in the folder. It fails where there is anything else.
func ownFiles(root *os.Root) ([]string, error) {
	info, err := root.Lstat(folder)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, errNotOwn
	}
	list, err := fs.ReadDir(root.FS(), folder) // sorted
	var names []string
	for _, e := range list {
		if !e.Type().IsRegular() || !ownName.MatchString(e.Name()) {
			return nil, errNotOwn
		}
		names = append(names, e.Name())
	}
	return names, err
}

// putBack undoes what was done to a file.
func putBack(root *os.Root, index int, name string, created bool) error {
	if created {
		return missingIsFine(root.Remove(name))
	}
	return root.Rename(oldOf(index), name)
}

// removeEmpty removes directories that were made, as far as they are empty.
func removeEmpty(root *os.Root, made []string) error {
	for _, dir := range slices.Backward(made) {
		if list, err := fs.ReadDir(root.FS(), dir); err != nil || len(list) > 0 {
			continue
		}
		if err := root.Remove(dir); err != nil {
			return err
		}
	}
	return nil
}

// missingIsFine drops the error of what is not there.
func missingIsFine(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Leftover is what an Apply that was killed has left in a directory.
type Leftover struct {
	// Folder is where it kept its files, empty where nothing is left.
	Folder string
	// Changed are the files that it changed before it was killed. Where it changed all, there are none: nothing has to
	// be put back.
	Changed []string

	journal journal
}

// Leftover looks for what an Apply that was killed has left.
//
// It fails where that cannot be put right without a person: the error says how they do.
func (t *Tree) Leftover() (Leftover, error) { return leftoverIn(t.root, t.tracked[folder]) }

// leftoverIn is Leftover in a directory.
func leftoverIn(root *os.Root, isTracked bool) (Leftover, error) {
	names, err := ownFiles(root)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Leftover{}, nil
	case err != nil:
		return Leftover{}, err
	case isTracked:
		return Leftover{}, errTracked
	}
	left := Leftover{Folder: folder}
	if !slices.Contains(names, path.Base(journalName)) {
		return left, nil
	}
	text, err := regular.Read(root, journalName)
	if err != nil {
		return Leftover{}, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if decoder.Decode(&left.journal) != nil {
		return Leftover{}, errNotOwn
	}
	return left.changed(root)
}

// changed fills in which files were changed.
func (l Leftover) changed(root *os.Root) (Leftover, error) {
	var edited []string
	for _, s := range l.journal.Files {
		if err := checkPath(root, s.Path); err != nil {
			return Leftover{}, fmt.Errorf("%s: %s: %w", journalName, printable.Line(s.Path), err)
		}
		switch now, err := sumOf(root, s.Path); {
		case err != nil:
			return Leftover{}, fmt.Errorf("%s: %w", printable.Line(s.Path), err)
		case now == s.After:
			l.Changed = append(l.Changed, s.Path)
		case now != s.Before:
			edited = append(edited, printable.Line(s.Path))
		}
	}
	if len(edited) > 0 {
		return Leftover{}, fmt.Errorf("an apply was killed, and these were edited since: %s; what they held before "+
			"is in %s, as the journal there says: put them right by hand, then remove %[2]s",
			strings.Join(edited, ", "), folder)
	}
	if len(l.Changed) == len(l.journal.Files) {
		l.Changed = nil
	}
	return l, nil
}

// sumOf is the sum of a file, empty where there is none.
func sumOf(root *os.Root, name string) (string, error) {
	content, err := regular.Read(root, name)
	if err != nil {
		return "", missingIsFine(err)
	}
	return sum(append([]byte{}, content...)), nil
}

// Recover puts right what an Apply that was killed has left in a directory, and tells what that was: the files that it
// had changed are as they were before, unless it had changed all, and its folder is gone.
func Recover(dir string) (Leftover, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Leftover{}, err
	}
	defer root.Close()
	unlock, err := lock(root)
	if err != nil {
		return Leftover{}, err
	}
	defer unlock()
	tracked, err := trackedBelow(dir)
	if err != nil {
		return Leftover{}, err
	}
	left, err := leftoverIn(root, tracked[folder])
	if err != nil || left.Folder == "" {
		return left, err
	}
	if err := left.putBack(root); err != nil {
		return left, err
	}
	return left, removeFolder(root)
}

// putBack puts the changed files back, once the old content of each is seen to be there.
func (l Leftover) putBack(root *os.Root) error {
	changed := func(s step) bool { return slices.Contains(l.Changed, s.Path) }
	for i, s := range l.journal.Files {
		if old, err := sumOf(root, oldOf(i)); changed(s) && s.Before != "" && (err != nil || old != s.Before) {
			return fmt.Errorf("%s: %w", printable.Line(s.Path), errNoBackup)
		}
	}
	for i, s := range slices.Backward(l.journal.Files) {
		if !changed(s) {
			continue
		}
		if err := putBack(root, i, s.Path, s.Before == ""); err != nil {
			return err
		}
	}
	return removeEmpty(root, slices.DeleteFunc(slices.Clone(l.journal.Made),
		func(dir string) bool { return checkPath(root, dir) != nil }))
}
