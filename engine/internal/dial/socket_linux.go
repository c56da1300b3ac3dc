package dial

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// What a host needs that waits for its connections by itself, on one goroutine: where there is nothing to look up and one
// address to try, connecting is three steps that don't block. All else is for Dial.

// ConnectTimeout is how long a connect may take.
const ConnectTimeout = connectTimeout

// Target is an address to connect to.
type Target struct {
	netip.AddrPort
	family int
	at     unix.Sockaddr
}

// Known gives the address that "host:port" leads to, where it is the only one, may be dialled, and nobody has to be asked
// for it. It holds for the moment: a name may move.
func (d *Dialer) Known(address string) (to Target, ok bool) {
	addrs, err := d.addresses(address, d.names.known)
	if err != nil || len(addrs) != 1 || addrs[0].Addr().Zone() != "" {
		return Target{}, false
	}
	to.AddrPort = addrs[0]
	if addr, port := to.Addr().Unmap(), int(to.Port()); addr.Is4() {
		to.family, to.at = unix.AF_INET, &unix.SockaddrInet4{Port: port, Addr: addr.As4()}
	} else {
		to.family, to.at = unix.AF_INET6, &unix.SockaddrInet6{Port: port, Addr: addr.As16()}
	}
	return to, true
}

// Socket begins to connect to an address that Known gave, as net.Dialer would, but does not block. The descriptor is the
// caller's to close. If it is not connected at once, as it is on the same machine, it will be ready to be written to when it
// is, or has failed: then Connected tells. An error is an *Error.
func Socket(to Target) (fd int, connected bool, err error) {
	fd, err = unix.Socket(to.family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if err != nil {
		return 0, false, dialError(to.AddrPort, "socket", err)
	}
	// Options that are refused leave a connection that works.
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, int(keepAlive/time.Second))
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, int(keepAlive/time.Second))
	switch err = unix.Connect(fd, to.at); err {
	case nil, unix.EINPROGRESS, unix.EINTR:
		// Linux says that it is in progress even where the answer came meanwhile.
		connected, err = settled(fd)
	}
	if err != nil {
		_ = unix.Close(fd) // it leads nowhere
		return 0, false, Failed(to.AddrPort, err)
	}
	return fd, connected, nil
}

// settled tells whether a socket is connected by now; an error, that it failed.
func settled(fd int) (connected bool, err error) {
	fds := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
	n, err := unix.Poll(fds[:], 0)
	switch {
	case n == 0 || err != nil:
		return false, nil
	case fds[0].Revents&(unix.POLLERR|unix.POLLHUP) != 0:
		return false, Connected(fd)
	}
	return true, nil
}

// Connected tells whether a Socket that is ready is connected. The error is for Failed.
func Connected(fd int) error {
	errno, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && errno != 0 {
		err = syscall.Errno(errno)
	}
	return err
}

// Failed is why a Socket is not connected.
func Failed(to netip.AddrPort, err error) error { return dialError(to, "connect", err) }

// TimedOut is the error of a Socket that took ConnectTimeout.
func TimedOut(to netip.AddrPort) error {
	return newError(fmt.Errorf("dial %v: %w", to, errConnectTimeout))
}

func dialError(to netip.AddrPort, call string, err error) error {
	return newError(&net.OpError{Op: "dial", Net: "tcp", Addr: net.TCPAddrFromAddrPort(to), Err: os.NewSyscallError(call, err)})
}
