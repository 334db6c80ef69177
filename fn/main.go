// Command migrate-to-flux-operator is a KRM function and a command: on stdin it takes a ResourceList, on a checkout it
// plans, shows, applies and checks the migration of a classic Flux install to Flux Operator.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"migrate-to-flux-operator/fn/command"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := command.Execute(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
