package agent

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sirupsen/logrus"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/plan"
)

// Defaults of a Config.
const (
	DefaultPollInterval      = 5 * time.Second  // of a dashboard that names none
	DefaultHeartbeatInterval = 30 * time.Second // of a dashboard that names none
	DefaultMaxConcurrentRuns = 2
)

// Bounds of the intervals that a dashboard may ask for.
const (
	minInterval = 500 * time.Millisecond
	maxInterval = time.Hour
)

// Config is what an agent needs. DashboardURL, Secret, Name and Runner have no default.
type Config struct {
	DashboardURL      string            // http or https, without userinfo; a path prefix is kept
	Secret            string            // bearer of every call
	Name              string            // unique in the fleet, 1 to 200 printable ASCII characters
	InstanceID        string            // tells two processes of one name apart; random if empty
	Version           string            // of the program, at most 100 characters; "dev" if empty
	Engine            string            // what Runner is, for people; "embedded" if empty
	Labels            map[string]string // for people, at most 64; may be nil
	PollInterval      time.Duration     // least time between two polls; 0: as the dashboard says
	HeartbeatInterval time.Duration     // least time between two regular heartbeats; 0: as the dashboard says
	MaxConcurrentRuns int               // 2 if 0
	VULimit           *VULimit          // nil: none
	DefaultVUs        int               // of a target that names none; 1 if 0
	DefaultDuration   time.Duration     // of a target that names none, in whole seconds; 30 s if 0
	Runner            Runner
	K6                func() *fleet.K6   // the external k6 as heartbeats tell of it; nil if there is none. It must not block
	Transport         http.RoundTripper  // to the dashboard; one of its own if nil
	HealthAddr        string             // where /healthz is served; nowhere if empty
	Log               logrus.FieldLogger // none if nil
}

func (c Config) withDefaults() Config {
	c.InstanceID = cmp.Or(c.InstanceID, rand.Text())
	c.Version = cmp.Or(c.Version, "dev")
	c.Engine = cmp.Or(c.Engine, "embedded")
	c.MaxConcurrentRuns = cmp.Or(c.MaxConcurrentRuns, DefaultMaxConcurrentRuns)
	c.DefaultVUs = cmp.Or(c.DefaultVUs, 1)
	c.DefaultDuration = cmp.Or(c.DefaultDuration, plan.DefaultDuration)
	c.Labels = maps.Clone(c.Labels)
	if c.Transport == nil {
		c.Transport = NewTransport(2)
	}
	if c.Log == nil {
		silent := logrus.New()
		silent.SetOutput(io.Discard)
		c.Log = silent
	}
	return c
}

// maxLabels is how many labels a dashboard takes.
const maxLabels = 64

// validate names the field at fault by a plan.FieldError.
func (c Config) validate() error {
	fault := func(field, format string, args ...any) error {
		return plan.FieldError{Field: field, Message: fmt.Sprintf(format, args...)}
	}
	u, err := url.Parse(c.DashboardURL)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return fault("DashboardURL", "must be http:// or https:// with a host")
	case u.User != nil:
		return fault("DashboardURL", "must not hold a user or password")
	case u.RawQuery != "" || u.Fragment != "":
		return fault("DashboardURL", "must not hold a query or fragment")
	case c.Secret == "" || strings.ContainsFunc(c.Secret, notPrintable):
		return fault("Secret", "must be printable characters, at least one")
	case c.Name == "" || len(c.Name) > 200 || strings.ContainsFunc(c.Name, notPrintable) || strings.TrimSpace(c.Name) != c.Name:
		return fault("Name", "must be 1 to 200 printable ASCII characters, without a space at either end")
	case utf8.RuneCountInString(c.InstanceID) > 200:
		return fault("InstanceID", "at most 200 characters")
	case utf8.RuneCountInString(c.Version) > 100:
		return fault("Version", "at most 100 characters")
	case utf8.RuneCountInString(c.Engine) > 100:
		return fault("Engine", "at most 100 characters")
	case len(c.Labels) > maxLabels:
		return fault("Labels", "at most %d, not %d", maxLabels, len(c.Labels))
	case c.Runner == nil:
		return fault("Runner", "is needed")
	case c.MaxConcurrentRuns < 1:
		return fault("MaxConcurrentRuns", "must be at least 1, not %d", c.MaxConcurrentRuns)
	case c.PollInterval < 0 || c.HeartbeatInterval < 0:
		return fault("PollInterval, HeartbeatInterval", "must not be negative")
	case c.DefaultVUs < 1 || c.DefaultDuration < plan.MinDuration || c.DefaultDuration%time.Second != 0:
		return fault("DefaultVUs, DefaultDuration", "must be at least 1 VU and whole seconds")
	}
	for name, value := range c.Labels {
		if max(utf8.RuneCountInString(name), utf8.RuneCountInString(value)) > 200 {
			return fault("Labels", "names and values have at most 200 characters")
		}
	}
	return nil
}

// notPrintable tells of a character that no header may carry: name and secret travel in headers.
func notPrintable(c rune) bool { return c < ' ' || c > '~' }

// interval is the one in force: what the dashboard asks for, within bounds, but not less than the agent's own.
func interval(own time.Duration, askedMs int64, fallback time.Duration) time.Duration {
	asked := fallback
	if askedMs > 0 {
		asked = time.Duration(min(askedMs, maxInterval.Milliseconds())) * time.Millisecond
	}
	return max(own, asked, minInterval)
}
