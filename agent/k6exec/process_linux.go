package k6exec

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// workDir is the working directory of k6: there a script can neither write a file nor plant a configuration.
const workDir = "/proc"

// attributes put the program into a group of its own, and let it die with the thread that starts it.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// awaitZombie returns when the process has ended and is not yet reaped: until then no other process or group can have
// its id. It is false if it can't tell.
func awaitZombie(pid int) bool {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return err == nil
		}
	}
}

func killGroup(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) } // an error: nobody is left

// killedBy names the signal that ended a program; "" if none did.
func killedBy(s *os.ProcessState) (name string, isKill bool) {
	if status, ok := s.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return status.Signal().String(), status.Signal() == syscall.SIGKILL
	}
	return "", false
}
