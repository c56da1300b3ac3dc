//go:build integration && linux

package servers

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nollagluiz/broadside/engine"
	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
)

// load is what one run asks of a site, and what is known of it beforehand.
type load struct {
	name    string
	base    string       // the listener, of the site's bases
	request plan.Request // its URL is the path
	pause   time.Duration
	// seconds is for how long each VU goes on; 0: each makes perVU iterations.
	seconds int

	http2 bool // it is about HTTP/2, which the transport http1 does not speak
	hops  int  // requests of an iteration; 1 if 0
	// limit is after how many requests the server closes a connection; 0: never within the run.
	limit int
	// idle says that the server closes idle connections while the VUs pause, so that some requests meet the close and
	// are sent again.
	idle bool
	// fails says that the server answers some requests with an error.
	fails bool
	// refuses says that the server hangs up on some requests without an answer; it logs them with status 444.
	refuses bool
	// exact says that the bytes logged are those on the socket: neither TLS nor frames around them.
	exact bool
	// paths are the requests of an iteration, where the server logs no bytes: how long their responses are is asked of it.
	paths []string
}

// The size of every run but those by time.
const (
	vus   = 5
	perVU = 50
)

// transports are the ways through the engine: each load goes by each of them that carries it.
var transports = []engine.Transport{engine.TransportAuto, engine.TransportHTTP1, engine.TransportStd}

// carries tells whether a transport can carry the load.
func (l load) carries(by engine.Transport) bool { return !l.http2 || by != engine.TransportHTTP1 }

// run is a load that was put on a site.
type run struct {
	load
	transport engine.Transport
	name      string // the User-Agent of its requests, which tells them from others in the server's log
	length    int64  // bytes of an iteration's responses; 0 if not asked for
	summary   *summary.Summary
}

// put puts the load on a site.
func (l load) put(t *testing.T, e *engine.Engine, s *site, by engine.Transport) run {
	t.Helper()
	name := fmt.Sprintf("%s-%s", by, l.name)
	r := run{load: l, transport: by, name: name}
	for _, path := range l.paths {
		r.length += responseLength(t, s.bases[l.base], path, strings.Repeat("-", len(name)))
	}
	var err error
	if r.summary, err = e.Run(t.Context(), l.plan(s.bases[l.base], name)); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return r
}

func (l load) plan(base, userAgent string) plan.Plan {
	r := l.request
	r.URL = base + r.URL
	r.InsecureSkipVerify = true
	r.Header = r.Header.Clone()
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set("User-Agent", userAgent)
	scenario := plan.Scenario{Executor: plan.PerVUIterations, VUs: vus, Iterations: perVU, MaxDuration: 20 * time.Second, Pause: l.pause, Request: r}
	if l.seconds > 0 {
		scenario = plan.Scenario{Executor: plan.ConstantVUs, VUs: vus, Duration: time.Duration(l.seconds) * time.Second, Pause: l.pause, Request: r}
	}
	return plan.Plan{Scenarios: []plan.Scenario{scenario}}
}
