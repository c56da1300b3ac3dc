//go:build !linux

package k6exec

import (
	"os"
	"syscall"
)

// workDir is the working directory of k6.
const workDir = "/"

func attributes() *syscall.SysProcAttr { return nil }

func awaitZombie(int) bool { return false }

// killGroup ends the program alone. It does nothing to one that was reaped.
func killGroup(p *os.Process) { _ = p.Kill() } // an error: it has ended

func killedBy(s *os.ProcessState) (name string, isKill bool) {
	if s.ExitCode() < 0 {
		return s.String(), false
	}
	return "", false
}
