//go:build linux

package loop

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/plan"
)

func TestRun(t *testing.T) {
	for _, secure := range []bool{false, true} {
		srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("hello")) }))
		if secure {
			srv.StartTLS()
		} else {
			srv.Start()
		}
		r := newBench(t).run(t.Context(), t, plan.Scenario{VUs: 10, Duration: time.Second, Request: plan.Request{URL: srv.URL, InsecureSkipVerify: true}})
		srv.Close()
		require.NoError(t, r.err)
		t.Log(r.requests, r.failed, r.took, r.Sent, r.Rcvd)
		for c := range r.Cells() {
			t.Log(c.Status, c.Code, c.Err, c.Requests, c.Proto, time.Duration(c.Duration.Quantile(0.5)), time.Duration(c.Duration.Max()))
		}
	}
}
