//go:build linux

package loop

import (
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/nollagluiz/broadside/engine/internal/http1"
)

// lease lets a goroutine read a loop's connection as if reads could block: the loop, which the kernel tells of it, tells
// the goroutine.
type lease struct {
	fd    int32
	rcvd  int64         // bytes
	ready chan struct{} // cap 1: there is something, or was
	over  chan struct{} // closed when the time is over, or the exchange is cut
}

// tell says that there is something to read.
func (l *lease) tell() {
	select {
	case l.ready <- struct{}{}:
	default:
	}
}

// Read blocks. Invariant: it looks before it waits, so what was told before is not lost.
func (l *lease) Read(p []byte) (int, error) {
	for {
		n, errno := read(l.fd, p)
		switch {
		case errno == unix.EAGAIN:
		case errno != 0:
			return 0, netError("read", errno)
		case n == 0 && len(p) > 0:
			return 0, io.EOF
		default:
			l.rcvd += int64(n)
			return n, nil
		}
		select {
		case <-l.ready:
		case <-l.over:
			return 0, os.ErrDeadlineExceeded
		}
	}
}

// lend lets net/http read on, on a goroutine, what the parser called odd.
func (v *vu) lend(odd *partial) {
	c := v.conn
	l := &lease{fd: c.fd, ready: make(chan struct{}, 1), over: make(chan struct{})}
	var in io.Reader = l
	if c.tls != nil {
		in = c.tls
	}
	v.state, v.job = lending, &job{lease: l, stop: sync.OnceFunc(func() { close(l.over) })}
	method := v.wire.Method
	v.host.spawn(func() func() {
		keep, extra, err := http1.ReadOdd(method, &odd.parser, odd.rest, in, &odd.x)
		return func() { v.returned(keep, extra, err) }
	})
}

// returned goes on when the goroutine has ended.
func (v *vu) returned(keep bool, extra int, err error) {
	c := v.conn
	if c.tls == nil {
		v.rcvd += v.job.lease.rcvd
	}
	v.state, v.job = talking, nil
	c.readable = true // perhaps: the goroutine was told
	switch {
	case err != nil || v.cut:
		v.fail(err)
	default:
		v.received(keep && !v.stale(c), extra)
	}
}
