package command

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"migrate-to-flux-operator/fn/budget"
	"migrate-to-flux-operator/fn/offline"
)

// Main is the program: what it was called with, and the exit code.
func Main() {
	if err := offline.Enforce(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(ExitError)
	}
	budget.Enforce()
	ctx := context.Background()
	// which writes once, at its end, so that a signal may end it at any time
	if isFunction := len(os.Args) == 1; !isFunction {
		ctx, _ = signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM) // apply has to put files back
	}
	os.Exit(called(ctx))
}

// called runs the command line that this process was called with.
func called(ctx context.Context) int {
	return Execute(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
}
