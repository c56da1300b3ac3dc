//go:build linux

package loop

import (
	"bytes"
	"io"
	"net"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/nollagluiz/broadside/engine/internal/http1"
)

// conn is a connection that a loop reads and writes without blocking. It belongs to one VU, whose exchange it carries or
// whose next ones it may.
type conn struct {
	fd     int32
	mark   int32 // of its events: those of a descriptor's former connection have another
	reused bool  // it has carried an exchange
	queued bool  // it is in the loop's again

	// What the kernel told and no read has used up: there may be bytes, or the end of them.
	readable bool
	hup      bool // the server has closed its side, or the connection has failed: nothing comes after what is readable

	vu     *vu
	origin *http1.Origin // of the request that it was made for
	idle   time.Duration // since this offset
	next   *conn         // of the VU's idle ones
	out    []byte        // that a write found no room for
	tls    *secure       // over it; nil in clear
}

// again is what a read gives when there is nothing to be read: the connection will tell.
type again struct{}

func (again) Error() string { return "nothing to read yet" }
func (again) Timeout() bool { return false }

// Temporary tells crypto/tls that the connection is as good as before (see secure).
func (again) Temporary() bool { return true }

// event does what an event of the kernel's allows.
func (c *conn) event(events uint32) {
	const ends = unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR
	if events&ends != 0 {
		c.hup = true
	}
	if events&(unix.EPOLLIN|ends) != 0 {
		c.readable = true
	}
	switch v := c.vu; {
	case v.state == connecting && v.conn == c:
		v.told(events)
	case v.state == lending && v.conn == c:
		v.job.lease.tell()
	case v.conn != c:
		if c.readable {
			v.inspect(c)
		}
	case len(c.out) > 0:
		if events&(unix.EPOLLOUT|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
			v.write()
		}
	case c.readable:
		v.read()
	}
}

// read gives what came, TLS taken off; an error of again if there is nothing.
func (c *conn) read(p []byte) (int, error) {
	if c.tls != nil {
		return c.tls.Read(p)
	}
	n, err := c.recv(p)
	c.vu.rcvd += int64(n)
	return n, err
}

// write sends a request, TLS put on; what finds no room is in out.
func (c *conn) write(p []byte) (n int, err error) {
	if c.tls != nil {
		return c.tls.Write(p)
	}
	n, err = c.send(p)
	c.vu.sent += int64(n)
	return n, err
}

// flush goes on with what is in out.
func (c *conn) flush() (n int, err error) {
	n, err = c.send(c.out)
	if c.tls == nil { // else it was counted before
		c.vu.sent += int64(n)
	}
	return n, err
}

// recv reads from the socket. A read that filled less than p was the last: what comes later is told anew.
func (c *conn) recv(p []byte) (int, error) {
	if !c.readable {
		return 0, again{}
	}
	n, errno := read(c.fd, p)
	switch {
	case errno == unix.EAGAIN:
		c.readable = c.hup
		return 0, again{}
	case errno != 0:
		return 0, netError("read", errno)
	case n == 0:
		return 0, io.EOF
	}
	if n < len(p) && !c.hup {
		c.readable = false
	}
	return n, nil
}

// send writes to the socket what it takes, n bytes, and leaves the rest in out.
func (c *conn) send(p []byte) (n int, err error) {
	for n < len(p) {
		k, errno := write(c.fd, p[n:])
		if errno == unix.EAGAIN {
			c.out = p[n:]
			return n, nil
		}
		if errno != 0 {
			return n, netError("write", errno)
		}
		n += k
	}
	c.out = nil
	return n, nil
}

// close ends a connection that has done its work.
func (c *conn) close() {
	c.vu.host.loop.conns[c.fd] = nil
	c.goodbye()
	c.end()
}

// abort ends a connection that failed, or was cut.
func (c *conn) abort() {
	c.vu.host.loop.conns[c.fd] = nil
	c.end()
}

// end closes a connection that the loop knows no more.
func (c *conn) end() {
	if c.tls != nil {
		c.settle()
	}
	c.vu.host.shut(c.fd)
	c.fd = -1
}

// impatient tells whether what came on an idle connection says that the server had no patience.
func impatient(b []byte) bool {
	return len(b) >= 12 && bytes.HasPrefix(b, []byte("HTTP/1.")) && string(b[8:12]) == " 408"
}

// read and write never block, so they don't tell the scheduler, which saves some 50 ns each.
func read(fd int32, p []byte) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	return int(n), errno
}

func write(fd int32, p []byte) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	return int(n), errno
}

// netError is what package net would give, but for the addresses.
func netError(op string, errno unix.Errno) error {
	return &net.OpError{Op: op, Net: "tcp", Err: os.NewSyscallError(op, errno)}
}
