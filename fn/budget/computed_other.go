//go:build !unix

package budget

import "time"

var began = time.Now()

// computed is the time since the process began: here nothing tells what it computed.
func computed() time.Duration { return time.Since(began) }
