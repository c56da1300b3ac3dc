//go:build unix

package http1

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// probe looks whether a socket has something to be read, and reads nothing.
type probe struct {
	raw  syscall.RawConn // nil if it is no socket
	poll func(fd uintptr)
	seen *look // by poll
}

func newProbe(c net.Conn) probe {
	s, ok := c.(syscall.Conn)
	if !ok {
		return probe{}
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return probe{}
	}
	seen := new(look)
	return probe{raw: raw, seen: seen, poll: func(fd uintptr) {
		fds := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(fds[:], 0)
		switch {
		case err != nil:
			*seen = unknown
		case n == 0:
			*seen = nothing
		default:
			*seen = anything
		}
	}}
}

func (p probe) look() look {
	if p.raw == nil || p.raw.Control(p.poll) != nil {
		return unknown
	}
	return *p.seen
}
