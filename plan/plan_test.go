package plan_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nollagluiz/broadside/plan"
)

// The shortest plan that says what is to be done.
func shortest() plan.Plan {
	return plan.Plan{Scenarios: []plan.Scenario{{Request: plan.Request{URL: "https://example.org"}}}}
}

// The defaults are k6's where it has one.
func TestResolved(t *testing.T) {
	p := shortest()
	got := p.Resolved()
	want := plan.Plan{
		Share:   plan.Share{I: 0, N: 1},
		Network: plan.Network{DNS: plan.DNS{TTL: 5 * time.Minute, Select: plan.SelectRandom, Policy: plan.PreferIPv4}},
		Scenarios: []plan.Scenario{{
			Name:         "default",
			Executor:     "constant-vus",
			VUs:          1,
			Duration:     30 * time.Second,
			GracefulStop: 30 * time.Second,
			Request: plan.Request{
				Method:           "GET",
				URL:              "https://example.org",
				Timeout:          time.Minute,
				ExpectedStatuses: plan.Statuses{{Min: 200, Max: 399}},
				MaxRedirects:     10,
				HTTPVersion:      plan.HTTPAuto,
			},
		}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("resolved (-want +got):\n%s", d)
	}
	if d := cmp.Diff(shortest(), p); d != "" {
		t.Errorf("resolving changed the plan (-before +after):\n%s", d)
	}
	if d := cmp.Diff(got, got.Resolved()); d != "" {
		t.Errorf("resolving twice (-once +twice):\n%s", d)
	}
}

// What is "none" stays so.
func TestResolvedKeepsNone(t *testing.T) {
	p := shortest()
	p.Scenarios[0].GracefulStop = -1
	p.Scenarios[0].Request.MaxRedirects = -1
	s := p.Resolved().Scenarios[0]
	if s.GracefulStop != -1 || s.Request.MaxRedirects != -1 {
		t.Errorf("graceful stop %v, redirects %d; want -1, -1", s.GracefulStop, s.Request.MaxRedirects)
	}
}

func TestEnd(t *testing.T) {
	p := shortest()
	if got := p.End(); got != time.Minute {
		t.Errorf("end %v; want 30 s and as much of grace", got)
	}
	p.Scenarios = append(p.Scenarios, plan.Scenario{Duration: 2 * time.Minute, GracefulStop: -1})
	if got := p.End(); got != 2*time.Minute {
		t.Errorf("end %v; want that of the longest, cut at once", got)
	}
	if got := (plan.Plan{}).End(); got != 0 {
		t.Errorf("end %v; want 0", got)
	}
}

// VUs of scenarios that overlap add up; those of one that begins after another's end are the same ones again.
func TestPeak(t *testing.T) {
	p := plan.Plan{Scenarios: []plan.Scenario{
		{VUs: 5, Duration: 10 * time.Second, GracefulStop: 5 * time.Second},
		{VUs: 4, Duration: 10 * time.Second, StartTime: 14 * time.Second, GracefulStop: -1},
		{Executor: plan.ConstantArrivalRate, PreAllocatedVUs: 1, MaxVUs: 7, StartTime: 24 * time.Second},
	}}
	if got := p.Peak(); got != 9 {
		t.Errorf("peak %d; want 5 and 4", got)
	}
	p.Scenarios[1].StartTime = 15 * time.Second
	if got := p.Peak(); got != 11 {
		t.Errorf("peak %d; want 4 and 7", got)
	}
	p.Share = plan.Share{I: 2, N: 3}
	if got := p.Peak(); got != 3 {
		t.Errorf("peak %d; want a third of 4 and of 7, the last part", got)
	}
	if got := (plan.Plan{}).Peak(); got != 0 {
		t.Errorf("peak %d of nothing", got)
	}
}

// The shares of any total add up to it, differ by one at most, and number k belongs to share k mod N.
func TestShareAddsUp(t *testing.T) {
	for n := 1; n <= 64; n++ {
		for total := range 200 {
			sum := 0
			for i := range n {
				got := plan.Share{I: i, N: n}.Of(total)
				want := 0
				for k := i; k < total; k += n {
					want++
				}
				if got != want {
					t.Fatalf("share %d/%d of %d is %d; want %d", i, n, total, got, want)
				}
				sum += got
			}
			if sum != total {
				t.Fatalf("%d shares of %d add up to %d", n, total, sum)
			}
		}
	}
	if got := (plan.Share{}).Of(7); got != 7 {
		t.Errorf("the zero share of 7 is %d; want all", got)
	}
	if got := (plan.Share{I: 1, N: 3}).String(); got != "1/3" {
		t.Errorf("share %q; want 1/3", got)
	}
}
