// Package k6exec makes runs with an external k6: [Runner.Run] is an agent.Runner. It is the only package that runs k6,
// as a process of its own for each run; no code of k6 is linked.
//
//	r, err := k6exec.New(k6exec.Config{Path: "/usr/bin/k6"})
//	agent.Config{Runner: r.Run, ...}
//
// The script, a plan's own or one made of its requests, goes to k6's standard input, and the summary comes back on its
// standard output: nothing is written. Only a k6 older than v0.30 gets both as files in Config.TmpDir, for the time of
// its run. k6 inherits nothing of this process's environment, finds no configuration file, sends no usage report and
// fetches no extension. What it prints is bounded in memory, and only its last error, without the plan's secrets, gets
// into a message. It is stopped when its context is done, when it does not come to an end, or, on Linux, when this
// process dies.
//
// What a script may read is not bounded: k6's open() reads every file that this process's user may.
package k6exec

import (
	"errors"
	"net/netip"
	"sync"
	"time"
)

// Config is how a Runner works. Path has no default.
type Config struct {
	Path      string         // of k6; a bare name is looked up in PATH at each probe
	TmpDir    string         // an existing directory, for a k6 older than v0.30 alone; such a k6 is refused if empty
	Deny      []netip.Prefix // k6 must not connect to these; may be nil
	UserAgent string         // of the requests of plans without a script; k6's own if empty
}

// Runner makes runs with one k6. Its methods may be called concurrently.
type Runner struct {
	cfg    Config
	limits limits

	mu     sync.Mutex // guards the rest
	status Status
	k6     *binary // nil until a probe has succeeded
}

// limits are the times that a k6 has. They are fields for tests alone.
type limits struct {
	probe      time.Duration // to tell its version
	init       time.Duration // to load the script
	slack      time.Duration // to make its VUs before the plan's time, and its summary after it
	hooks      time.Duration // for a script's setup() and teardown(), each of which k6 gives 60 s
	grace      time.Duration // to end after SIGTERM when it has overrun a deadline
	abortGrace time.Duration // to end after SIGTERM when the run is aborted: an agent has 2 s in all
	drain      time.Duration // for its output to be read, when it has ended but another process holds its pipes open
	hurry      time.Duration // in place of drain once it was told to end
}

// whole is how long a run may take in all.
func (l limits) whole(j job) time.Duration {
	whole := l.init + l.slack + j.length
	if j.hooks {
		whole += l.hooks
	}
	return whole
}

func defaultLimits() limits {
	return limits{
		probe:      10 * time.Second,
		init:       60 * time.Second,
		slack:      30 * time.Second,
		hooks:      120 * time.Second,
		grace:      10 * time.Second,
		abortGrace: 1500 * time.Millisecond,
		drain:      time.Second,
		hurry:      400 * time.Millisecond,
	}
}

// Status is a k6 as it was when it was last tried.
type Status struct {
	Path    string
	Version string // "v2.2.0"; "" if it is not known
	Error   string // why it can't be used; "" if it can, or if it was not tried yet
}

// New returns a Runner. It does not run k6 yet: Probe does, and else the first run.
func New(cfg Config) (*Runner, error) {
	if cfg.Path == "" {
		return nil, errors.New("k6exec: the path of k6 is needed")
	}
	return &Runner{cfg: cfg, limits: defaultLimits(), status: Status{Path: cfg.Path}}, nil
}

// Status is what is known of k6, from memory: it never blocks on k6.
func (r *Runner) Status() Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.status
}
