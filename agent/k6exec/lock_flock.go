//go:build linux || darwin

package k6exec

import (
	"os"
	"syscall"
)

// tellsAbandoned: a directory that can be locked is in no one's use.
const tellsAbandoned = true

// lock locks a directory against other processes, and other callers in this one. It is false if it is locked or gone.
// The system drops the lock with the process, however that ends; k6 does not inherit it.
func lock(dir string) (unlock func(), ok bool) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, false
	}
	opened, err := f.Stat()
	if err == nil && syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
		// It may have been removed between the two calls; then the lock is of nothing.
		if now, err := os.Lstat(dir); err == nil && os.SameFile(opened, now) {
			return func() { f.Close() }, true
		}
	}
	f.Close()
	return nil, false
}
