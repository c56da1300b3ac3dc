//go:build !linux

package http1

import (
	"net"
	"time"
)

// sock is for Linux alone: other systems write, look and wait as a net.Conn does.
type sock struct{ net.Conn }

func newSock(net.Conn, time.Time) *sock { return nil }

func (*sock) hold() {}

func (*sock) outcome() (reached progress, at time.Duration, left int) { return unsent, 0, 0 }
