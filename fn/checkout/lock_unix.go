//go:build linux || darwin || freebsd || netbsd || openbsd

package checkout

import (
	"errors"
	"os"
	"syscall"
)

// lock keeps other runs out of a directory for as long as this one writes. Not all file systems can.
func lock(root *os.Root) (unlock func(), err error) {
	dir, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, errors.Join(errBusy, dir.Close())
	}
	return func() { dir.Close() }, nil
}
