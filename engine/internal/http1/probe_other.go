//go:build !unix

package http1

import "net"

// probe sees nothing here.
type probe struct{}

func newProbe(net.Conn) probe { return probe{} }

func (probe) look() look { return unknown }
