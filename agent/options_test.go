package agent

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
)

// shaped is a target whose options ask for 40 VUs and hold it to a threshold.
func shaped(id string) fleet.Target {
	t := site(id)
	t.Options = json.RawMessage(`{"scenarios":{"rush":{"executor":"ramping-vus","startVUs":0,"stages":[{"duration":"20s","target":40}],"gracefulStop":"0s"}},
		"thresholds":{"http_reqs{scenario:rush}":["count>9"]},"tags":{"team":"x"},"noConnectionReuse":true}`)
	return t
}

// What a target's options say comes by the poll to whoever makes the load, and goes back with the run's spec.
func TestOptionsReachTheRunner(t *testing.T) {
	plans := make(chan plan.Plan, 1)
	inWorld(t, func(d *dashboard, c *Config) {
		d.poll.Targets = []fleet.Target{shaped("a")}
		c.VULimit = NewVULimit(40)
		c.Runner = func(ctx context.Context, p plan.Plan, observe func(summary.Snapshot)) (summary.Outcome, error) {
			plans <- p
			<-ctx.Done()
			return summary.Judge(fakeSummary(10*time.Second), true), nil
		}
	}, func(w *world) {
		w.sleep(10 * time.Second)
		p := <-plans
		if used := w.agent.cfg.VULimit.used; used != 40 {
			t.Errorf("%d VUs are taken; want 40", used)
		}
		s := p.Scenarios[0]
		if s.Name != "rush" || s.Executor != plan.RampingVUs || s.Request.URL != "http://site.test/" || s.Tags["team"] != "x" || !p.Network.NoConnectionReuse {
			t.Errorf("plan %+v", p)
		}
		if d := cmp.Diff([]plan.Threshold{{Metric: "http_reqs{scenario:rush}", Expression: "count>9"}}, p.Thresholds); d != "" {
			t.Errorf("thresholds (-want +got):\n%s", d)
		}
		w.stop()
		if got := w.d.results(); len(got) != 1 || got[0].Spec.Peak() != 40 || got[0].Spec.Length() != 20*time.Second {
			t.Errorf("results %+v; want one with the options in its spec", got)
		}
		if used := w.agent.cfg.VULimit.used; used != 0 {
			t.Errorf("%d VUs are still taken", used)
		}
	})
}
