//go:build integration && linux

package servers

import (
	"testing"

	"github.com/nollagluiz/broadside/engine"
)

// product is a server with the loads that it is put under.
type product struct {
	name string
	program
	loads []load
}

// The engine's totals are those of the server's access log, for servers that we did not write.
func TestTotalsAreTheAccessLogs(t *testing.T) {
	bin := buildHTTPBin(t)
	for _, p := range []product{nginx(), apache(), haproxy(), lighttpd(), httpbin(bin), httpbinTLS(bin)} {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, p.program)
			var runs []run
			for _, transport := range transports {
				e, err := engine.New(engine.Config{Transport: transport})
				if err != nil {
					t.Fatal(err)
				}
				defer e.Close()
				for _, l := range p.loads {
					if !l.carries(transport) {
						continue
					}
					runs = append(runs, l.put(t, e, s, transport))
				}
			}
			logs := s.stop(t, p.quit)
			for _, r := range runs {
				t.Run(r.name, func(t *testing.T) { r.check(t, logs[r.name]) })
			}
			if len(logs) != len(runs) {
				t.Errorf("the log has requests of %d runs; want %d", len(logs), len(runs))
			}
		})
	}
}
