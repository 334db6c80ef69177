// Command migrate-to-flux-operator is a KRM function and a command: on stdin it takes a ResourceList, on a checkout it
// plans, shows, applies and checks the migration of a classic Flux install to Flux Operator.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"migrate-to-flux-operator/fn/budget"
	"migrate-to-flux-operator/fn/command"
	"migrate-to-flux-operator/fn/offline"
)

// untouched is the memory that a command asks for and never touches.
const untouched = 64 << 20

func main() {
	if err := offline.Enforce(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(command.ExitError)
	}
	if isFunction := len(os.Args) == 1; isFunction {
		// It writes once, at its end, so that a signal may end it at any time.
		budget.Enforce(0)
		os.Exit(execute(context.Background()))
	}
	budget.Enforce(untouched)
	// On a small repository a quarter of the time went into collecting. Memory that is never touched costs nothing, but moves the first
	// collections to where they are worth the while, and matters less the larger the input is. Commands run alone, functions beside others.
	ballast := make([]byte, untouched)
	ctx, _ := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM) // apply has to put files back
	code := execute(ctx)
	runtime.KeepAlive(ballast)
	os.Exit(code)
}

func execute(ctx context.Context) int {
	return command.Execute(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
}
