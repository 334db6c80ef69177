// Package command is the edge on a checkout: plan, diff, apply and check.
package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	"migrate-to-flux-operator/fn/checkout"
	"migrate-to-flux-operator/fn/checkout/edit"
	"migrate-to-flux-operator/fn/checkout/split"
	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/limit"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/printable"
	"migrate-to-flux-operator/fn/reason"
	"migrate-to-flux-operator/fn/shell"
)

// repository is a checkout as a set of objects.
type repository struct {
	dir  string
	tree *checkout.Tree
	set  *object.Set
	// broken are documents that look like objects and are not YAML, or cost too much to look at.
	broken []broken
}

// broken is a document, or a file, that was not looked at.
type broken struct {
	file  string
	index int
	// line is where its text starts.
	line int
	err  error
	// flux tells that it names an API of Flux, and so could hide something that the migration needs.
	flux bool
}

// message says where the document is broken, by the line in its file.
func (b broken) message() string {
	line, said := b.line, b.err.Error()
	if why := new(reason.Error); errors.As(b.err, &why) {
		line, said = line+max(why.Line-1, 0), why.Words
	}
	if limit.Is(b.err) {
		return printable.Line(fmt.Sprintf("line %d was not looked at: %s", line, said))
	}
	return printable.Line(fmt.Sprintf("line %d is not YAML, so it was not looked at; correct it: %s", line, said))
}

// open reads the objects of a checkout. A file that holds none is not kept, a document is parsed when it is looked
// into.
func open(ctx context.Context, dir string, subfolder bool) (*repository, error) {
	tree, err := openTree(ctx, dir, subfolder)
	if err != nil {
		return nil, err
	}
	r := &repository{dir: dir, tree: tree}
	r.set, r.broken = setOf(tree.Files(), tree.Kept)
	readFrom(r.set, tree)
	r.set.Tree = func() (fs.FS, error) {
		changes, err := r.changes()
		return tree.With(changes), err
	}
	return r, nil
}

// readFrom lets a set look at what is in the files around it.
func readFrom(set *object.Set, tree fs.FS) {
	set.Read = func(file string) ([]byte, bool) {
		content, err := fs.ReadFile(tree, file)
		return content, err == nil
	}
	set.Files = func(dir string) []string { return below(tree, dir) }
}

// setOf are the objects of some files, and the documents that are none.
func setOf(files []string, content func(file string) []byte) (*object.Set, []broken) {
	read := make([]contents, len(files))
	inParallel(len(files), func(i int) { read[i].read(files[i], content(files[i])) })
	objects := make([]*object.Object, 0, len(read))
	var broken []broken
	for _, c := range read {
		objects, broken = append(objects, c.objects...), append(broken, c.broken...)
	}
	return object.NewSet(objects), broken
}

// read is the content of a file, to read and not to change.
func (r *repository) read(file string) ([]byte, error) {
	if kept := r.tree.Kept(file); kept != nil {
		return kept, nil
	}
	return r.tree.ReadFile(file)
}

// below lists the files in a folder and below it, as far as they can be listed.
func below(tree fs.FS, dir string) []string {
	var all []string
	_ = fs.WalkDir(tree, dir, func(file string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			all = append(all, file)
		}
		return nil
	})
	return all
}

// openTree opens a checkout, which has to be a whole one unless it is said that a part is meant.
func openTree(ctx context.Context, dir string, subfolder bool) (*checkout.Tree, error) {
	if err := checkDir(dir); err != nil {
		return nil, err
	}
	tree, err := checkout.Open(ctx, dir, checkout.Options{Keep: mayHoldObjects})
	if err != nil {
		return nil, err
	}
	if err := checkWhole(tree, dir); err != nil && !subfolder {
		return nil, errors.Join(err, tree.Close())
	}
	return tree, nil
}

// checkWhole refuses a part of a checkout: what Flux reads in the rest would be missed, and so would be what depends on
// it.
func checkWhole(tree *checkout.Tree, dir string) error {
	repo := tree.Repository()
	if repo == nil {
		return nil
	}
	if len(repo.Prefix) > 0 {
		return fmt.Errorf("%s is a folder of the checkout %s, and what Flux reads outside of it would be missed. "+
			"Run on %[2]s, or add --subfolder where only this folder is meant", shell.Word(dir), shell.Word(repo.Top))
	}
	missing := tree.Index().LeftOut()
	missing = slices.DeleteFunc(missing, func(file string) bool { _, err := tree.Stat(file); return err == nil })
	if len(missing) > 0 {
		return fmt.Errorf("%s is a sparse checkout, and what Flux reads of the %d files that it leaves out, such as "+
			"%s, would be missed. Run git sparse-checkout disable, or add --subfolder where only the rest is meant",
			shell.Word(dir), len(missing), printable.Line(missing[0]))
	}
	return nil
}

// checkDir refuses what is no directory in words of its own.
func checkDir(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: there is no such directory", printable.Line(dir))
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s: not a directory; name the root of the repository", printable.Line(dir))
	}
	return nil
}

// mayHoldObjects keeps what names an API version, and every kustomization.yaml, which may leave it out.
func mayHoldObjects(file string, raw []byte) bool {
	return bytes.Contains(raw, []byte("apiVersion")) || isKustomizationFile(file)
}

func isKustomizationFile(file string) bool {
	return slices.Contains(classic.KustomizationFiles, path.Base(file))
}

// inParallel calls work for each number below n, on all processors. A panic of work becomes one of the caller.
func inParallel(n int, work func(int)) {
	var next atomic.Int64
	panics := make(chan any, runtime.GOMAXPROCS(0))
	for range cap(panics) {
		go func() {
			defer func() { panics <- recover() }()
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				work(int(i - 1))
			}
		}()
	}
	for range cap(panics) {
		if broken := <-panics; broken != nil {
			panic(broken)
		}
	}
}

// contents are the documents of a file.
type contents struct {
	objects []*object.Object
	broken  []broken
}

func (c *contents) read(file string, raw []byte) {
	if err := limit.Check(raw); err != nil {
		c.broken = append(c.broken, broken{file, 0, 1, err, namesFlux(raw)})
		return
	}
	for _, doc := range split.Split(raw) {
		if doc.Index < 0 {
			continue
		}
		o, err := objectOf(file, doc.Index, raw[doc.Body:doc.End])
		if err != nil {
			line := 1 + bytes.Count(raw[:doc.Body], []byte("\n"))
			c.broken = append(c.broken, broken{file, doc.Index, line, err, namesFlux(raw[doc.Body:doc.End])})
		}
		if o != nil {
			c.objects = append(c.objects, o)
		}
	}
}

// namesFlux reports whether a text names an API of Flux.
func namesFlux(text []byte) bool { return bytes.Contains(text, []byte("toolkit.fluxcd.io/")) }

// objectOf reads a document, nil when it is no object. What it holds is read again when the migration looks into it.
func objectOf(file string, index int, text []byte) (*object.Object, error) {
	o, err := object.Parse(string(text), file, index)
	if err != nil {
		return nil, err
	}
	return named(o), nil
}

// named gives a kustomization.yaml without apiVersion or kind those that it has, as kustomize does, and leaves out what
// is no object.
func named(o *object.Object) *object.Object {
	if isKustomizationFile(o.File) && (o.Kind == "" || o.APIVersion == "" && o.Kind == "Kustomization") {
		o.ID = object.ID{APIVersion: classic.ConfigGroup + "/v1beta1", Kind: "Kustomization"}
	}
	if o.Kind == "" || o.APIVersion == "" {
		return nil
	}
	return o
}

// changes are the edits of the set as edits of files.
//
// It fails where an object cannot be edited byte-exactly; nothing is written then.
func (r *repository) changes() ([]checkout.Change, error) {
	var changes []checkout.Change
	for _, file := range r.touched() {
		before, err := r.tree.ReadFile(file)
		if err != nil {
			return nil, err
		}
		after, err := r.edited(file, before)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		change := checkout.Change{Path: file, Before: before, After: after}
		if info, err := r.tree.Stat(file); err == nil {
			change.Mode = info.Mode()
		}
		changes = append(changes, change)
	}
	created, err := r.created()
	if err != nil {
		return nil, err
	}
	changes = append(changes, created...)
	slices.SortFunc(changes, func(a, b checkout.Change) int { return strings.Compare(a.Path, b.Path) })
	return changes, nil
}

// touched are the files of the checkout in which an object was edited or removed, and those without objects that go.
func (r *repository) touched() []string {
	var files []string
	for _, o := range r.set.Input() {
		if r.set.Removed(o) || o.Changed() {
			files = append(files, o.File)
		}
	}
	files = append(files, r.set.RemovedFiles()...)
	slices.Sort(files)
	return slices.Compact(files)
}

// edited is the new content of a file, nil when nothing is left in it. Documents are removed from the last one up, so
// that the indexes of the others hold.
func (r *repository) edited(file string, content []byte) ([]byte, error) {
	if slices.Contains(r.set.RemovedFiles(), file) {
		return nil, nil
	}
	var removed []int
	var err error
	for _, o := range r.set.Input() {
		if o.File != file {
			continue
		}
		if r.set.Removed(o) {
			removed = append(removed, o.Index)
		} else if o.Changed() {
			if content, err = edit.EditDocument(content, o.Index, []byte(o.Text())); err != nil {
				return nil, fmt.Errorf("%s: %w", o.ID, err)
			}
		}
	}
	slices.Sort(removed)
	for _, index := range slices.Backward(removed) {
		var empty bool
		if content, empty, err = edit.RemoveDocument(content, index); err != nil {
			return nil, err
		}
		if empty {
			return nil, nil
		}
	}
	return content, nil
}

// created are the new files.
func (r *repository) created() ([]checkout.Change, error) {
	style := r.style()
	var files []string
	contents := map[string][]byte{}
	for _, o := range r.set.Added() {
		if _, seen := contents[o.File]; !seen {
			files = append(files, o.File)
		} else {
			contents[o.File] = append(contents[o.File], style.separator...)
		}
		contents[o.File] = append(contents[o.File], style.document(o, len(contents[o.File]) == 0)...)
	}
	var changes []checkout.Change
	for _, file := range files {
		if r.tree.Exists(file) {
			return nil, fmt.Errorf("%s exists already: move it, or set outputDir", file)
		}
		if link, found := r.tree.LinkAbove(file); found {
			return nil, fmt.Errorf("%s is a symbolic link, and nothing is written through one: set outputDir", link)
		}
		changes = append(changes, checkout.Change{Path: file, After: contents[file]})
	}
	return changes, nil
}
