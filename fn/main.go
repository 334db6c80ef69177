// Command migrate-to-flux-operator is a KRM function and a command: on stdin it takes a ResourceList, on a checkout it
// plans, shows, applies and checks the migration of a classic Flux install to Flux Operator.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"migrate-to-flux-operator/fn/command"
)

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(300) // one short run: a quarter of the time went into collecting
	}
	ctx := context.Background()
	// The function writes once, at its end, so that a signal may end it at any time; apply has to put files back.
	if len(os.Args) > 1 {
		ctx, _ = signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	}
	os.Exit(command.Execute(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
