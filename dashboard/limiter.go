package dashboard

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Bounds of failed attempts: of one address, and of the addresses that are remembered.
const (
	failBurst  = 10
	failEvery  = 6 * time.Second // one more is allowed
	maxClients = 4096
)

// limiter limits the failures of each client address. It is safe for concurrent use.
type limiter struct {
	mu      sync.Mutex // guards the rest
	clients map[netip.Addr]*rate.Limiter
	rest    *rate.Limiter // of all that find no room
}

func newLimiter() *limiter {
	return &limiter{clients: map[netip.Addr]*rate.Limiter{}, rest: newBucket()}
}

func newBucket() *rate.Limiter { return rate.NewLimiter(rate.Every(failEvery), failBurst) }

// wait is how long the address has to wait until one more failure is allowed; 0 if it is now.
func (l *limiter) wait(remote string, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	bucket, known := l.clients[clientOf(remote)]
	if !known {
		if len(l.clients) < maxClients {
			return 0
		}
		bucket = l.rest
	}
	missing := 1 - bucket.TokensAt(now)
	if missing <= 0 {
		return 0
	}
	return time.Duration(missing * float64(failEvery))
}

// count notes a failure of the address.
func (l *limiter) count(remote string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	client := clientOf(remote)
	bucket := l.clients[client]
	if bucket == nil {
		l.makeRoomLocked(now)
		bucket = l.rest
		if len(l.clients) < maxClients {
			bucket = newBucket()
			l.clients[client] = bucket
		}
	}
	bucket.AllowN(now, 1)
}

// makeRoomLocked forgets addresses whose failures are old, when the table is full. If none is, newcomers share one
// bucket: a flood of addresses may delay them, but can't have itself forgotten.
func (l *limiter) makeRoomLocked(now time.Time) {
	if len(l.clients) < maxClients {
		return
	}
	for client, bucket := range l.clients {
		if bucket.TokensAt(now) >= failBurst {
			delete(l.clients, client)
		}
	}
}

// clientOf is the address of who a connection is from. One host may have all of an IPv6 /64. What can't be read is one
// client.
func clientOf(remote string) netip.Addr {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	client := at.Addr().Unmap().WithZone("")
	if client.Is4() {
		return client
	}
	prefix, err := client.Prefix(64)
	if err != nil {
		return client
	}
	return prefix.Addr()
}
