package http1

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/engine/internal/dial"
)

// stamps are when a server came to each step of an exchange.
type stamps struct {
	accepted, shook, read, answered, ended time.Time
}

// Over real sockets phases agree with a server's own clock to 1 ms, over both transports: in the best of many tries, as
// the machine may be busy. What can't be otherwise holds in each: nothing is read before it was written.
func TestPhasesAsTheServerHasThem(t *testing.T) {
	const delay, near, tries = 5 * ms, time.Millisecond, 200
	for _, secure := range []bool{false, true} {
		name, scheme := "plain", "http://"
		if secure {
			name, scheme = "TLS", "https://"
		}
		config := &tls.Config{Certificates: certificates()}
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, newClient func(testing.TB, dial.Config) *client) {
				log := make(chan stamps, 1)
				r := get(scheme + listen(t, func(c net.Conn) {
					s := stamps{accepted: time.Now()}
					if secure {
						time.Sleep(delay)
						c = tls.Server(c, config)
						if c.(*tls.Conn).Handshake() != nil {
							return
						}
					}
					s.shook = time.Now()
					_, _ = http.ReadRequest(bufio.NewReader(c))
					s.read = time.Now()
					time.Sleep(delay)
					s.answered = time.Now()
					_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 8\r\n\r\nhalf")
					time.Sleep(delay)
					s.ended = time.Now()
					_, _ = io.WriteString(c, "rest")
					log <- s
					_, _ = io.Copy(io.Discard, c)
				}))
				c := newClient(t, dial.Config{})
				best := time.Hour
				for range tries {
					x := c.request(t.Context(), r)
					require.Equal(t, 200, x.Status, x.Err)
					s := <-log
					want := [core.PhaseCount]time.Duration{
						core.TLS:       s.shook.Sub(s.accepted),
						core.Waiting:   s.answered.Sub(s.read),
						core.Receiving: s.ended.Sub(s.answered),
					}
					require.GreaterOrEqual(t, x.Duration(), want[core.Waiting]+want[core.Receiving])
					require.GreaterOrEqual(t, c.start.Add(x.End), s.ended)
					require.LessOrEqual(t, max(x.Phases[core.Blocked], x.Duration()), x.End-x.Start)
					off := time.Duration(0)
					for phase, d := range want {
						if phase != core.Blocked {
							off = max(off, (x.Phases[phase] - d).Abs())
						}
					}
					if best = min(best, off); best < near {
						return
					}
				}
				t.Errorf("off by %v at the best; want less than %v", best, near)
			})
		})
	}
}

// A server that answers before it reads a body is heard, over both transports.
func TestAnswerBeforeTheRequestsEnd(t *testing.T) {
	for _, size := range []int{1 << 10, 15 << 10, 2 << 20} {
		both(t, func(t *testing.T, newClient func(testing.TB, dial.Config) *client) {
			r := get("http://" + listen(t, func(c net.Conn) {
				if _, err := c.Read(make([]byte, 16)); err != nil {
					return
				}
				_, _ = io.WriteString(c, "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
				_, _ = io.Copy(io.Discard, c)
			}))
			r.Method, r.Body = "POST", make([]byte, size)
			c := newClient(t, dial.Config{})
			for range 5 {
				x := c.request(t.Context(), r)
				require.Equal(t, http.StatusRequestEntityTooLarge, x.Status, x.Err)
				require.LessOrEqual(t, x.Duration(), x.End-x.Start)
			}
		})
	}
}
