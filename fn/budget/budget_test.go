package budget

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"migrate-to-flux-operator/fn/kustomize"
)

// TestRun gives up a work that takes too much memory, and does not wait for it; nothing is committed after that. What
// is committed is not given up any more.
func TestRun(t *testing.T) {
	Enforce()
	t.Cleanup(func() { enforced.Store(false); state.Store(working) })
	forever := make(chan struct{})
	defer close(forever)
	greedy := func(until <-chan struct{}) func(context.Context) error {
		return func(context.Context) error {
			much := make([]byte, 2*Memory)
			<-until
			runtime.KeepAlive(much)
			return nil
		}
	}
	if over := (*kustomize.Over)(nil); !errors.As(Run(t.Context(), greedy(forever)), &over) || over.What != "this run" {
		t.Fatalf("it was not given up: %v", over)
	}
	if Commit() == nil {
		t.Error("a run that was given up is committed")
	}
	state.Store(working)
	if err := Commit(); err != nil {
		t.Fatal(err)
	}
	soon := make(chan struct{})
	close(soon)
	if err := Run(t.Context(), greedy(soon)); err != nil {
		t.Errorf("it was given up after it was committed: %v", err)
	}
}

// TestRunPanics hands a panic on to who may take it.
func TestRunPanics(t *testing.T) {
	Enforce()
	t.Cleanup(func() { enforced.Store(false) })
	defer func() {
		if recover() != "broken" {
			t.Error("the panic is lost")
		}
	}()
	_ = Run(t.Context(), func(context.Context) error { panic("broken") })
}

// TestAllow holds that a large input may take more.
func TestAllow(t *testing.T) {
	defer files.Store(0)
	small := (&meter{}).memory()
	Allow(4000)
	if large := (&meter{}).memory(); small < Memory || large < small+4000*MemoryPerFile/2 {
		t.Errorf("a small input may take %d, a large one %d", small, large)
	}
}
