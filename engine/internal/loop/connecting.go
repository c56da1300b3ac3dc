//go:build linux

package loop

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/nollagluiz/broadside/engine/internal/dial"
)

// connectTo makes a connection without a goroutine: the kernel tells when it is there.
func (v *vu) connectTo(to dial.Target) {
	v.state = connecting
	fd, connected, err := dial.Socket(to)
	if err != nil {
		v.fail(err)
		return
	}
	c := &conn{fd: int32(fd), vu: v, origin: &v.wire.Origin}
	if err := v.host.loop.watch(c); err != nil {
		c.end()
		v.fail(err)
		return
	}
	if connected {
		v.host.dialledAtOnce()
		v.connects(c)
		return
	}
	v.conn = c
}

// told goes on when the kernel told of the connection.
func (v *vu) told(events uint32) {
	if events&(unix.EPOLLOUT|unix.EPOLLHUP|unix.EPOLLERR) == 0 {
		return
	}
	c := v.conn
	if err := dial.Connected(int(c.fd)); err != nil {
		v.host.loop.clock()
		v.fail(dial.Failed(v.target(), err))
		return
	}
	v.conn = nil
	v.dialEnds()
	v.connects(c)
}

// connects begins to talk over c, which is connected.
func (v *vu) connects(c *conn) {
	v.connect = v.host.loop.clock() - v.host.offset - v.began
	v.talk(c)
}

// target is the address that is connected to, for people to read.
func (v *vu) target() netip.AddrPort {
	to, _ := v.host.servers.where(&v.wire.Origin, v.host.now()) // forgotten in the meantime, it is none
	return to.AddrPort
}

// connectsLong looks at a connect that goes on.
func (v *vu) connectsLong() {
	now, end := v.host.now(), v.began+dial.ConnectTimeout
	switch {
	case now >= v.deadline:
		v.fail(nil)
	case now >= end:
		v.fail(dial.TimedOut(v.target()))
	default:
		v.dialsLong(min(v.deadline, end))
	}
}
