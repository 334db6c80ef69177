//go:build unix

package budget

import (
	"syscall"
	"time"
)

// computed is the time of the processors that the process has taken.
func computed() time.Duration {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
