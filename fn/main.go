// Command migrate-to-flux-operator is a KRM function and a command: on stdin it takes a ResourceList, on a checkout it
// plans, shows, applies and checks the migration of a classic Flux install to Flux Operator.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"migrate-to-flux-operator/fn/command"
)

func main() {
	ctx := context.Background()
	// On a small input a quarter of the time went into collecting. Memory that is never touched costs nothing, but moves the first
	// collections to where they are worth the while, and matters less the larger the input is. Commands run alone, the function beside kpt.
	size := 8 << 20
	// The function writes once, at its end, so that a signal may end it at any time; apply has to put files back.
	if len(os.Args) > 1 {
		size = 24 << 20
		ctx, _ = signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	}
	ballast := make([]byte, size)
	code := command.Execute(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	runtime.KeepAlive(ballast)
	os.Exit(code)
}
