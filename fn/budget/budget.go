// Package budget bounds what a run computes, and the memory that it takes. kustomize and the YAML libraries cannot be
// stopped: what takes too much is given up, and the process is to end.
package budget

import (
	"context"
	"fmt"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
	"time"

	"migrate-to-flux-operator/fn/kustomize"
)

// The bounds. The largest repository that is known, of 16 clusters and 1700 files, takes a quarter of what it may; what
// is written to harm is small.
const (
	// OfBuild is how long one build may compute.
	OfBuild = 10 * time.Second
	// OfRun is how long a run may compute, and what each file or item of the input adds.
	OfRun, PerFile = 15 * time.Second, 100 * time.Millisecond
	// Memory is how much a run may take, and what each file or item adds; Growth, how much more than it had when it
	// began. A text that is doubled again and again is seen when it has come to twice of this.
	Memory, MemoryPerFile, Growth = 450 << 20, 256 << 10, 300 << 20
)

// interval is how often a run is looked at. In that time it can fill some ten megabytes.
const interval = 5 * time.Millisecond

// The states of a run.
const (
	working int32 = iota
	givenUp
	committed
)

var (
	enforced atomic.Bool
	state    atomic.Int32
	files    atomic.Int64
)

// Enforce makes the bounds those of this process, which is one run.
func Enforce() {
	enforced.Store(true)
}

// Allow adds what an input of so many files, or items, may take.
func Allow(n int) { files.Add(int64(n)) }

// Run does a piece of work, and returns when it is done or takes too much.
func Run(ctx context.Context, work func(context.Context) error) error {
	if !enforced.Load() {
		return settled(work(ctx))
	}
	m := newMeter()
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(-1))
	type end struct {
		err    error
		broken any
	}
	done := make(chan end, 1)
	go func() {
		var e end
		defer func() {
			e.broken = recover()
			done <- e
		}()
		e.err = work(ctx)
	}()
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		m.collect()
		select {
		case e := <-done:
			if e.broken != nil {
				panic(e.broken) // where somebody may take it
			}
			return settled(e.err)
		case <-ticker.C:
			if over := m.look(); over != nil && state.CompareAndSwap(working, givenUp) {
				return over
			}
		}
	}
}

// settled is the end of a work: what kustomize did not build to its end makes all else worthless.
func settled(err error) error {
	if over := kustomize.Exceeded(); over != nil {
		return over
	}
	return err
}

// Commit says that the run begins to change files: from here on it is not given up. It fails where it was.
func Commit() error {
	if err := kustomize.Exceeded(); err != nil {
		return err
	}
	if enforced.Load() && !state.CompareAndSwap(working, committed) {
		return context.Canceled
	}
	return nil
}

// meter looks at what the process takes.
type meter struct {
	began int64            // what it had when the run began
	build *kustomize.Build // the one that runs, and what had been computed when it was first seen
	since time.Duration
	limit int64 // from which on the runtime collects all that it can
}

func newMeter() *meter { return &meter{began: inUse()} }

// memory is how much the process may take.
func (m *meter) memory() int64 {
	return max(Memory+MemoryPerFile*files.Load(), m.began+Growth)
}

// collect has garbage collected before it counts. How much the process may take is known only when the input was read.
func (m *meter) collect() {
	if limit := m.memory() * 7 / 8; limit != m.limit {
		m.limit = limit
		debug.SetMemoryLimit(limit)
	}
}

// look says what took too much; nil where nothing did.
func (m *meter) look() error {
	used := computed()
	build := kustomize.Running()
	if build != m.build {
		m.build, m.since = build, used
	}
	what := "this run"
	if build != nil {
		what = build.What
	}
	switch run, memory := OfRun+PerFile*time.Duration(files.Load()), m.memory(); {
	case inUse() > memory:
		return &kustomize.Over{What: what, Bound: fmt.Sprintf("%d MB of memory", memory>>20)}
	case build != nil && used-m.since > OfBuild:
		return &kustomize.Over{What: what, Bound: fmt.Sprintf("%s of computing", OfBuild)}
	case used > run:
		return &kustomize.Over{What: "this run", Bound: fmt.Sprintf("%s of computing", run)}
	}
	return nil
}

// inUse is the memory that the process has of the system.
func inUse() int64 {
	sample := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64()) - int64(sample[1].Value.Uint64())
}
