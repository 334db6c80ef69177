// Package git answers what the product asks of Git, from the files of a repository alone. It starts no program, fetches
// nothing and writes nothing, so that nothing that a repository configures is ever run: no filter, hook, helper or
// command.
//
// Whose repository it is does not matter for that reason. Git itself refuses to look into somebody else's ("dubious
// ownership").
package git

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/format/config"

	"migrate-to-flux-operator/fn/limit"
	"migrate-to-flux-operator/fn/regular"
)

// Repository is the Git repository around a folder.
type Repository struct {
	// Top is the folder that `.git` is in.
	Top string
	// Prefix is the way from there to the folder that was asked for; empty where it is the same.
	Prefix []string

	dir    string // what this working tree has of its own: HEAD and the index
	common string // what all working trees share: config, refs and objects
	config *config.Config
	stores []*store
	loaded bool // the stores are there
}

// Find looks for a repository from a folder upwards. Only `.git` makes one: a bare repository that lies in a tree is
// files like others. It is nil where there is none; what cannot be read is an error.
func Find(dir string) (*Repository, error) {
	at, err := filepath.Abs(dir)
	if err == nil {
		at, err = filepath.EvalSymlinks(at)
	}
	if err != nil {
		return nil, err
	}
	var below []string
	for {
		name := filepath.Join(at, ".git")
		switch _, err := os.Lstat(name); {
		case err == nil:
			r := &Repository{Top: at, Prefix: below}
			if err := r.open(name); err != nil {
				return nil, fmt.Errorf("the Git repository at %s cannot be read: %w", name, err)
			}
			return r, nil
		case !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("no Git repository can be looked for: %w", err)
		}
		if filepath.Dir(at) == at {
			return nil, nil
		}
		below = append([]string{filepath.Base(at)}, below...)
		at = filepath.Dir(at)
	}
}

// Close lets go of what is open.
func (r *Repository) Close() error {
	var all error
	for _, s := range r.stores {
		all = errors.Join(all, s.close())
	}
	return all
}

// Excludes is the list of what is ignored in this clone alone; nil where there is none.
func (r *Repository) Excludes() ([]byte, error) {
	text, err := readFile(filepath.Join(r.common, "info", "exclude"), limit.Size)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return text, err
}

// open finds the folders of the repository behind `.git` and sees that it can be read.
func (r *Repository) open(name string) error {
	var err error
	if r.dir, err = gitDir(name); err != nil {
		return err
	}
	r.common = r.dir
	switch to, err := readFile(filepath.Join(r.dir, "commondir"), limit.Size); {
	case err == nil:
		r.common = from(r.dir, strings.TrimSpace(string(to)))
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := r.readConfig(); err != nil {
		return err
	}
	if _, _, err := r.head(); err != nil {
		return err
	}
	if info, err := os.Stat(r.objects()); err != nil || !info.IsDir() {
		return errors.New("it has no folder of objects: run git fsck, and repair it or clone it again")
	}
	return nil
}

// objects is the folder of the repository's own objects.
func (r *Repository) objects() string { return filepath.Join(r.common, "objects") }

// gitDir is the folder that `.git` is, or that it names as it does in a linked working tree and in a submodule.
func gitDir(name string) (string, error) {
	info, err := os.Stat(name)
	if err != nil {
		return "", err
	}
	if info.IsDir() {
		return name, nil
	}
	text, err := readFile(name, limit.Size)
	if err != nil {
		return "", err
	}
	to, named := strings.CutPrefix(strings.TrimRight(string(text), "\r\n"), "gitdir: ")
	if !named {
		return "", errors.New("the file does not name a folder behind `gitdir: `")
	}
	dir := from(filepath.Dir(name), to)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return "", fmt.Errorf("the file names the folder %s, which is not there: run git worktree repair where the "+
			"repository is, or clone it again", dir)
	}
	return dir, nil
}

// from is a path that may be relative to a folder.
func from(dir, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}

// readConfig reads the repository's own config. Nothing that it includes is read, nor are the configs of the user and
// the system: no answer depends on them.
func (r *Repository) readConfig() error {
	r.config = config.New()
	text, err := readFile(filepath.Join(r.common, "config"), limit.Size)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	// What the library says may quote the file, which may hold a password.
	if safely(func() error { return config.NewDecoder(bytes.NewReader(text)).Decode(r.config) }) != nil {
		return errors.New("its config cannot be parsed: see git config --local --list")
	}
	return r.checkFormat()
}

// checkFormat refuses a repository that has its objects, branches or index in another form than is read here.
func (r *Repository) checkFormat() error {
	if version := r.config.Section("core").Option("repositoryformatversion"); !slices.Contains([]string{"", "0", "1"},
		version) {
		return fmt.Errorf("its core.repositoryFormatVersion is %q, and 0 and 1 are known", version)
	}
	for _, option := range r.config.Section("extensions").Options {
		switch extension, value := strings.ToLower(option.Key), strings.ToLower(option.Value); {
		case slices.Contains([]string{"noop", "noop-v1", "partialclone", "preciousobjects", "worktreeconfig",
			"relativeworktrees"}, extension),
			extension == "objectformat" && value == "sha1", extension == "refstorage" && value == "files":
		case extension == "objectformat":
			return fmt.Errorf("its extensions.objectFormat is %q, and only sha1 is read, by this program as by Flux",
				value)
		case extension == "refstorage":
			return fmt.Errorf("its extensions.refStorage is %q, and only files is read: run git refs migrate "+
				"--ref-format=files", value)
		default:
			return fmt.Errorf("its extensions.%s is not known", extension)
		}
	}
	return nil
}

// isPartial reports whether objects may be missing because the clone left them out.
func (r *Repository) isPartial() bool {
	if r.config.Section("extensions").HasOption("partialclone") {
		return true
	}
	return slices.ContainsFunc(r.config.Section("remote").Subsections, func(remote *config.Subsection) bool {
		return remote.HasOption("promisor")
	})
}

// openFile opens a regular file: a device or a pipe would never end. A link to one is followed, as Git does in its own
// folder.
func openFile(name string) (*os.File, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: %w", name, regular.ErrNotAFile)
	}
	return os.Open(name)
}

// readFile reads a regular file of at most so many bytes.
func readFile(name string, most int64) ([]byte, error) {
	f, err := openFile(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := limit.Read(f, most)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return text, nil
}

// safely makes an error of a panic: what reads a format may stumble over a broken file.
func safely(work func() error) (err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = errBroken
		}
	}()
	return work()
}

// errBroken is the error of what cannot be read by the form that it should have.
var errBroken = errors.New("it is damaged: run git fsck, and clone it again")
