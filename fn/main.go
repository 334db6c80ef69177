// Command migrate-to-flux-operator is a KRM function and a command: on stdin it takes a ResourceList, on a checkout it
// plans, shows, applies and checks the migration of a classic Flux install to Flux Operator.
package main

import (
	"fmt"
	"os"

	"migrate-to-flux-operator/fn/krm"
)

func main() {
	if err := krm.Run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
