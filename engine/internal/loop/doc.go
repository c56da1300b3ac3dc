// Package loop is the host that carries thousands of virtual users on one goroutine. A VU is a struct in a slice; what it
// waits for, a socket, a pause, a time-out, wakes its loop, which drives the VU's Flow one step further. It does by events
// what package vus does by goroutines, for HTTP/1.1 in clear and over TLS, on Linux.
//
//	Loops     the loops of an Engine, shared by all its runs
//	Loop      one goroutine: epoll, timers, a read buffer, the connections
//	Host      one scenario's VUs on one Loop: executor, pacing, orders
//	vu        one virtual user: where in its iteration it is, and the exchange under way
//	conn      one connection, in clear or with TLS over it
//
// Everything below a Loop belongs to its goroutine and needs no lock; other goroutines post to it. What could block it is
// done by goroutines of their own, one for a VU at a time, and comes back by a post: DNS, connect and TLS handshake
// (dialing.go), responses outside the strict parser's subset (lending.go), and exchanges that need another transport:
// HTTP/2, large bodies, CONNECT (elsewhere.go).
//
// What an exchange's phases, errors, bytes and retries mean is defined in packages std and http1; tests hold the three
// together. One difference: a connection's Sending begins when the loop takes it over, so that the loop's own lag does not
// count as the target's latency.
//
// What it costs, for a small response over a kept connection: one write, one read, two looks at the clock, and no
// allocation in clear (one over TLS, in crypto/tls).
package loop
