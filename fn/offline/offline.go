// Package offline takes from a process what it would need to reach another machine, or to start a program. The
// libraries that it is made of can do both: kustomize fetches addresses by HTTP, and clones repositories with git.
package offline

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"

	"migrate-to-flux-operator/fn/reason"
)

// ErrRefused is the answer to every attempt to reach another machine.
var ErrRefused = reason.New("it would be fetched, and nothing is fetched")

// Enforce makes the process one that fetches and starts nothing, for as long as it lives: HTTP and names of machines
// are refused, no program is found, and no temporary folder can be made, where kustomize would put what it clones.
func Enforce() error {
	http.DefaultTransport = &http.Transport{DialContext: refuse, DialTLSContext: refuse}
	http.DefaultClient = &http.Client{Transport: http.DefaultTransport}
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: refuse}
	for name, value := range map[string]string{"PATH": "", "TMPDIR": os.DevNull, "TMP": os.DevNull,
		"TEMP": os.DevNull} {
		if err := os.Setenv(name, value); err != nil {
			return fmt.Errorf("cannot make this process one that fetches nothing: %w", err)
		}
	}
	return nil
}

// refuse connects to nothing.
func refuse(context.Context, string, string) (net.Conn, error) { return nil, ErrRefused }
