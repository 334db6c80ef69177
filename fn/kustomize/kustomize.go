// Package kustomize is the one place where kustomize runs. It builds as kustomize-controller and Flux Operator do,
// without plugins, charts and programs, from a tree in memory; one build at a time, for its schema is global; and each
// build, on what a repository may hold, only within bounds.
package kustomize

import (
	"fmt"
	"io"
	"log"
	"os"
	"sync"
	"sync/atomic"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/kustomize/kyaml/openapi"

	"migrate-to-flux-operator/fn/reason"
)

// The bounds on what one build reads: bases that are listed twice, each of which lists others twice, are read for
// hours.
const (
	maxReads = 10_000
	maxBytes = 200 << 20
)

// Tree is what a build reads.
type Tree interface {
	filesys.FileSystem
	// ChangesSchema reports, after a build, whether what it read changes kustomize's global schema, which is as it was
	// for the next one.
	ChangesSchema() bool
}

// Memory is a tree that changes no schema.
type Memory struct{ filesys.FileSystem }

// ChangesSchema implements Tree.
func (Memory) ChangesSchema() bool { return false }

// Over says that a build took more than it may: which one, and what of.
type Over struct{ What, Bound string }

// Error implements error.
func (o *Over) Error() string {
	return fmt.Sprintf("%s takes more than %s: nothing was changed. No repository that is meant to be applied comes "+
		"near that: look for what is large there, or multiplies: files, YAML aliases, bases that are listed several "+
		"times, replacements, patches and variables", o.What, o.Bound)
}

// Build is a build that runs.
type Build struct{ What string }

var (
	building sync.Mutex
	running  atomic.Pointer[Build]
	over     atomic.Pointer[Over]
)

// Running is the build that runs now; nil where none does. It cannot be stopped: whoever finds that it takes too much
// gives it up, and ends the process.
func Running() *Build { return running.Load() }

// Exceeded is the first build of this process that took more than it may; nil where none did. None is started after it.
func Exceeded() error {
	if first := over.Load(); first != nil {
		return first
	}
	return nil
}

// Run builds a directory of a tree, which what names for people. kustomize panics on some malformed objects: that is an
// error.
func Run(tree Tree, dir, what string) (built resmap.ResMap, err error) {
	building.Lock()
	defer building.Unlock()
	if err := Exceeded(); err != nil {
		return nil, err
	}
	running.Store(&Build{what})
	defer running.Store(nil)
	defer silence()()
	meter := &meter{Tree: tree}
	defer func() {
		if r := recover(); r != nil {
			err = reason.Panic(r)
		}
		if meter.over != "" {
			over.CompareAndSwap(nil, &Over{what, meter.over})
			built, err = nil, Exceeded()
		}
		if tree.ChangesSchema() {
			openapi.ResetOpenAPI()
		}
	}()
	return reason.With(krusty.MakeKustomizer(&krusty.Options{
		LoadRestrictions: types.LoadRestrictionsNone,
		PluginConfig:     types.DisabledPluginConfig(),
	}).Run(meter, dir))
}

// meter counts what a build reads.
type meter struct {
	Tree
	reads, bytes int
	over         string // which bound was passed
}

// errOver is what a build reads beyond its bounds.
var errOver = reason.New("too much was read")

// ReadFile implements filesys.FileSystem.
func (m *meter) ReadFile(name string) ([]byte, error) {
	if m.over != "" {
		return nil, errOver
	}
	data, err := reason.With(m.Tree.ReadFile(name))
	m.reads, m.bytes = m.reads+1, m.bytes+len(data)
	switch {
	case m.reads > maxReads:
		m.over = fmt.Sprintf("%d reads of files", maxReads)
	case m.bytes > maxBytes:
		m.over = fmt.Sprintf("%d MB of files", maxBytes>>20)
	default:
		return data, err
	}
	return nil, errOver
}

// silence drops kustomize's deprecation notices, which it prints to the process's standard error, and returns what ends
// that.
func silence() func() {
	stderr, logger := os.Stderr, log.Writer()
	os.Stderr = nil // a nil file refuses writes
	log.SetOutput(io.Discard)
	return func() {
		os.Stderr = stderr
		log.SetOutput(logger)
	}
}
