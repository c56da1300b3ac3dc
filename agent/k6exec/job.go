package k6exec

import (
	"strconv"
	"time"

	"github.com/nollagluiz/broadside/plan"
)

// trendStats are the statistics asked for of each trend. k6 leaves p(99) out unless told.
const trendStats = "avg,min,med,max,p(90),p(95),p(99),count"

// job is what k6 gets for one run.
type job struct {
	script string // "": the share of the plan has no VU
	args   []string
	env    []string
	length time.Duration // of the run from its first VU to its last, a script's setup and teardown aside
	hooks  bool          // the script may have a setup() and a teardown()
}

// newJob makes a job of a valid plan. The error is a refusal.
func (r *Runner) newJob(p plan.Plan, v version) (job, error) {
	p = p.Resolved()
	j := job{args: arguments(v), env: bareEnvironment(), length: p.End()}
	transport, err := transportEnvironment(p)
	if err != nil {
		return job{}, err
	}
	j.env = append(j.env, transport...)
	if list := denied(r.cfg.Deny, p.Network.BlacklistIPs); list != "" {
		j.env = append(j.env, "K6_BLACKLIST_IPS="+list)
	}
	network, err := networkOptions(p.Network)
	if err != nil {
		return job{}, err
	}
	if p.Script == "" {
		if r.cfg.UserAgent != "" {
			network["userAgent"] = r.cfg.UserAgent
		}
		j.script, err = script(p, v, network)
		return j, err
	}
	s := p.Scenarios[0]
	switch {
	case s.Executor != plan.ConstantVUs, s.StartTime != 0, s.Exec != "", len(s.Env) > 0, len(s.Tags) > 0:
		return job{}, refuse("k6 takes VUs and a duration beside a script, no scenario of another kind")
	case len(network) > 0:
		return job{}, refuse("k6 takes no way to connect beside a script; it has to stand in its options")
	case len(p.Thresholds) > 0:
		return job{}, refuse("k6 takes no thresholds beside a script; they have to stand in its options")
	}
	vus := p.Share.Of(s.VUs)
	if vus == 0 {
		return j, nil
	}
	j.script, j.hooks = p.Script, true
	j.length = s.Duration + max(s.GracefulStop, plan.DefaultGracefulStop) // k6 has no variable for a graceful stop, so its 30 s hold
	// These win over the script's own options, its scenarios included.
	j.env = append(j.env, "K6_VUS="+strconv.Itoa(vus), "K6_DURATION="+s.Duration.String(), "TARGET_URL="+s.Request.URL)
	return j, nil
}

// arguments are those of "k6 run" but for where the script and the summary are. The debug log (--verbose) tells when k6
// has loaded the script.
func arguments(v version) []string {
	args := []string{"run", "--quiet", "--verbose", "--no-usage-report", "--no-color", "--summary-trend-stats", trendStats}
	if v.listens() {
		args = append(args, "--address", "")
	}
	return args
}

// bareEnvironment is the environment of each k6, which inherits nothing: not the agent's secrets, no proxy, no option. Without
// a home, k6 finds no configuration file; with none named it would look into the working directory.
func bareEnvironment() []string {
	return []string{"HOME=/nonexistent", "K6_NO_USAGE_REPORT=true", "K6_AUTO_EXTENSION_RESOLUTION=false", "NO_COLOR=1"}
}

// transportEnvironment sets what k6 has for all scenarios or for none.
func transportEnvironment(p plan.Plan) ([]string, error) {
	first := p.Scenarios[0].Request
	for _, s := range p.Scenarios {
		if s.Request.HTTPVersion != first.HTTPVersion || s.Request.InsecureSkipVerify != first.InsecureSkipVerify {
			return nil, refuse("k6 takes one HTTP version and one way with certificates for all scenarios")
		}
	}
	var env []string
	switch first.HTTPVersion {
	case plan.HTTP2:
		return nil, refuse("k6 can't be held to HTTP/2: over TLS it takes what the server offers, in clear always HTTP/1.1")
	case plan.HTTP11:
		env = append(env, "GODEBUG=http2client=0")
	}
	if first.InsecureSkipVerify {
		env = append(env, "K6_INSECURE_SKIP_TLS_VERIFY=true")
	}
	return env, nil
}
