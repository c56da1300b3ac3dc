package http1

import (
	"io"
	"net"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sock is a socket that sends a request and waits for its answer in one go. A net.Conn would look for the answer right
// after the write, find nothing and then wait: half of all reads for nothing. Not to look is only right if nothing is
// there: waiting begins by forgetting the events before it (internal/poll, FD.RawRead), so both the look and the write
// come after that, in the function that RawConn.Read calls, and no event is lost.
type sock struct {
	net.Conn
	raw   syscall.RawConn
	start time.Time // offsets count from it
	turn  func(fd uintptr) bool

	holds bool   // the writes to come are kept for the read after them
	kept  []byte // by holds
	wrote bool   // likewise, and written

	in    []byte // of the read under way
	n     int
	err   error
	sent  int           // bytes of kept
	at    time.Duration // when they were written
	short bool          // kept was not written whole, for no error: the send buffer is full
}

// newSock returns nil for what is no socket.
func newSock(c net.Conn, start time.Time) *sock {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	s := &sock{Conn: c, raw: raw, start: start}
	s.turn = s.take
	return s
}

// hold keeps the writes to come for the next Read, which sends them first.
func (s *sock) hold() {
	s.holds, s.wrote, s.sent, s.at, s.kept = true, false, 0, 0, s.kept[:0]
}

// outcome is how far the held writes went, when that was, and how many bytes of them did not go.
func (s *sock) outcome() (reached progress, at time.Duration, left int) {
	switch left = len(s.kept) - s.sent; {
	case s.sent == 0:
		return unsent, s.at, left
	case left > 0:
		return partly, s.at, left
	}
	return sent, s.at, 0
}

func (s *sock) Write(p []byte) (int, error) {
	if !s.holds {
		return s.Conn.Write(p)
	}
	s.kept = append(s.kept, p...)
	return len(p), nil
}

func (s *sock) Read(p []byte) (int, error) {
	if !s.holds {
		return s.Conn.Read(p)
	}
	s.holds, s.in, s.n, s.err, s.short = false, p, 0, nil, false
	err := s.raw.Read(s.turn)
	s.in = nil
	switch {
	case s.err != nil:
		return s.n, s.err
	case s.short:
		n, err := s.Conn.Write(s.kept[s.sent:])
		s.sent += n
		s.at = time.Since(s.start)
		if err != nil {
			return 0, err
		}
		return s.Conn.Read(p)
	case err != nil:
		return 0, err // the deadline's, or that of a closed connection
	}
	return s.n, nil
}

// take writes what was kept, waits unless there is something to be read, and reads. It is called anew after each wait.
func (s *sock) take(fd uintptr) (done bool) {
	if !s.wrote {
		s.wrote = true
		there := readable(fd)
		n, errno := call(unix.SYS_WRITE, fd, s.kept)
		s.at = time.Since(s.start)
		s.sent = n
		switch {
		case errno != 0 && errno != unix.EAGAIN:
			s.err = s.failed("write", errno)
			return true
		case n < len(s.kept):
			s.short = true
			return true
		case !there:
			return false
		}
	}
	n, errno := call(unix.SYS_READ, fd, s.in)
	switch {
	case errno == unix.EAGAIN:
		return false
	case errno != 0:
		s.err = s.failed("read", errno)
	case n == 0 && len(s.in) > 0:
		s.err = io.EOF
	}
	s.n = n
	return true
}

// failed is a net.Conn's error.
func (s *sock) failed(op string, errno syscall.Errno) error {
	return &net.OpError{Op: op, Net: "tcp", Source: s.LocalAddr(), Addr: s.RemoteAddr(), Err: os.NewSyscallError(op, errno)}
}

// call reads or writes. The socket never blocks, so the scheduler is not told, which saves a twentieth of a request.
func call(trap, fd uintptr, p []byte) (int, syscall.Errno) {
	for {
		n, _, errno := syscall.RawSyscall(trap, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
		switch errno {
		case 0:
			return int(n), 0
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}

// readable tells whether fd has bytes, or an end, to be read.
func readable(fd uintptr) bool {
	var b [1]byte
	_, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&b)), uintptr(len(b)), unix.MSG_PEEK|unix.MSG_DONTWAIT, 0, 0)
	return errno != unix.EAGAIN
}
