// Command fn is migrate-to-flux-operator as the Makefile and the Dockerfile build it. The main package of the module is
// the same program, so that go install and go build call it by its name.
package main

import "migrate-to-flux-operator/fn/command"

func main() { command.Main() }
