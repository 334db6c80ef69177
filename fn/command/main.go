package command

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"migrate-to-flux-operator/fn/budget"
	"migrate-to-flux-operator/fn/offline"
)

// untouched is the memory that a command asks for and never touches.
const untouched = 64 << 20

// Main is the program: what it was called with, and the exit code.
func Main() {
	if err := offline.Enforce(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(ExitError)
	}
	if isFunction := len(os.Args) == 1; isFunction {
		// It writes once, at its end, so that a signal may end it at any time.
		budget.Enforce(0)
		os.Exit(called(context.Background()))
	}
	budget.Enforce(untouched)
	// On a small repository a quarter of the time went into collecting. Memory that is never touched costs nothing, but moves the first
	// collections to where they are worth the while, and matters less the larger the input is. Commands run alone, functions beside others.
	ballast := make([]byte, untouched)
	ctx, _ := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM) // apply has to put files back
	code := called(ctx)
	runtime.KeepAlive(ballast)
	os.Exit(code)
}

// called runs the command line that this process was called with.
func called(ctx context.Context) int {
	return Execute(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
}
