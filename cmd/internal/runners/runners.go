// Package runners chooses what makes the load of an agent's runs, by the settings ENGINE, K6_BINARY and TMP_DIR.
package runners

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/sirupsen/logrus"

	"github.com/nollagluiz/broadside/agent"
	"github.com/nollagluiz/broadside/agent/k6exec"
	"github.com/nollagluiz/broadside/engine"
	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
)

// Values of ENGINE.
const (
	Auto     = "auto"     // the embedded engine; an external k6 for targets with a script
	Embedded = "embedded" // never an external k6
	Exec     = "exec"     // always an external k6
)

// Where k6 and the files of an old k6 are if nothing else is said.
const (
	DefaultK6     = "/usr/bin/k6"
	DefaultTmpDir = "/tmp"
)

// Config is the settings.
type Config struct {
	Version     string // of the program, for the User-Agent of requests that k6 makes without a script
	Engine      string // one of the values above
	K6Binary    string // DefaultK6 if empty
	TmpDir      string // DefaultTmpDir if empty
	DenyPrivate bool   // of k6, too
}

// Validate names the setting at fault.
func (c Config) Validate() error {
	switch c.Engine {
	case Auto, Embedded, Exec:
		return nil
	}
	return fmt.Errorf("ENGINE must be %s, %s or %s, not %.40q", Auto, Embedded, Exec, c.Engine)
}

// Runners is the choice. Its methods may be called concurrently.
type Runners struct {
	Runner agent.Runner
	Engine string // what it is, for people: that of runs without a script

	k6       *k6exec.Runner // nil if none is ever used
	optional bool           // nobody asked for a k6: that there is none is no fault
}

// New chooses by a valid cfg; e makes the runs that are not k6's.
func New(cfg Config, e *engine.Engine) (*Runners, error) {
	embedded := agent.Embedded(e)
	if cfg.Engine == Embedded {
		return &Runners{Runner: agent.ByScript(refuseScript, embedded), Engine: Embedded}, nil
	}
	k6, err := k6exec.New(k6exec.Config{
		Path:      cmp.Or(cfg.K6Binary, DefaultK6),
		TmpDir:    cmp.Or(cfg.TmpDir, DefaultTmpDir),
		Deny:      engine.Denied(cfg.DenyPrivate),
		UserAgent: "Broadside/" + cmp.Or(cfg.Version, "dev"),
	})
	if err != nil {
		return nil, fmt.Errorf("K6_BINARY: %w", err)
	}
	if cfg.Engine == Exec {
		return &Runners{Runner: k6.Run, Engine: fleet.EngineK6, k6: k6}, nil
	}
	return &Runners{Runner: agent.ByScript(k6.Run, embedded), Engine: Embedded, k6: k6, optional: cfg.K6Binary == ""}, nil
}

func refuseScript(context.Context, plan.Plan, func(summary.Snapshot)) (summary.Outcome, error) {
	return summary.Outcome{}, errors.New("the target has a k6 script, and this agent runs none (ENGINE=embedded)")
}

// Probe asks k6 for its version, if it may be used, and logs what it finds. It returns when that is known, at the latest
// after 10 s, or when ctx is done.
func (r *Runners) Probe(ctx context.Context, log logrus.FieldLogger) {
	if r.k6 == nil {
		return
	}
	err := r.k6.Probe(ctx)
	switch {
	case err == nil:
		status := r.k6.Status()
		log.WithFields(logrus.Fields{"k6": status.Path, "version": status.Version}).Info("k6 can be used")
	case ctx.Err() != nil, r.optional && errors.Is(err, fs.ErrNotExist):
	default:
		log.WithError(err).Error("k6 can't be used")
	}
}

// K6 is the state of k6 for heartbeats: nil if none is used. It does not block.
func (r *Runners) K6() *fleet.K6 {
	if r.k6 == nil {
		return nil
	}
	s := r.k6.Status()
	if r.optional && s.Version == "" {
		return nil
	}
	return &fleet.K6{Path: s.Path, Version: strings.TrimPrefix(s.Version, "v"), Error: s.Error}
}
