package dashboard

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nollagluiz/broadside/fleet"
)

// Starts of a target that is new to its agents are spread over spreadBase and spreadEach for each further agent online.
const (
	spreadBase = 2 * time.Second
	spreadEach = 20 * time.Millisecond
)

// poll is what one agent is told, before it is encoded: most are answered by their tag alone.
type poll struct {
	targets *targetSet
	spread  time.Duration
	runs    []fleet.RunOrder
	aborts  []string
	stop    bool
	stopID  string
}

// poll is what an agent is to do. Without a name it is the targets alone.
func (s *Service) poll(agent string) poll {
	now := s.cfg.Now()
	settings := s.settings.Load()
	p := poll{
		targets: s.targets.Load(),
		spread:  spreadBase + spreadEach*time.Duration(max(s.agents.countOnline(now)-1, 0)),
		stop:    settings.Stopped,
		stopID:  settings.StopID,
	}
	if agent == "" {
		return p
	}
	p.runs, p.aborts = s.orders.of(agent, now)
	return p
}

// etag is a strong tag over everything that body holds. The target of an order never changes, so its id stands for it.
func (p poll) etag() string {
	h := sha256.New()
	h.Write(p.targets.digest[:])
	fmt.Fprintln(h, p.spread, p.stop, p.stopID)
	for _, r := range p.runs {
		fmt.Fprintln(h, "run", r.ID)
	}
	for _, id := range p.aborts {
		fmt.Fprintln(h, "abort", id)
	}
	return `"` + base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:18]) + `"`
}

// noTargets begins the JSON of a poll without targets.
const noTargets = `{"targets":null`

// body is the JSON of a fleet.Poll. The list of targets, most of it, is not encoded again.
func (p poll) body() ([]byte, error) {
	answer := fleet.Poll{SpreadMs: p.spread.Milliseconds(), Run: p.runs, Abort: p.aborts, Stop: p.stop, StopID: p.stopID}
	if answer.Run == nil {
		answer.Run = []fleet.RunOrder{}
	}
	if answer.Abort == nil {
		answer.Abort = []string{}
	}
	text, err := json.Marshal(answer)
	rest, ok := bytes.CutPrefix(text, []byte(noTargets))
	if err != nil || !ok {
		return nil, fmt.Errorf("encode a poll: %w", cmp.Or(err, errors.New("targets don't come first")))
	}
	return slices.Concat([]byte(`{"targets":`), p.targets.enabled, rest), nil
}

// matches tells whether an If-None-Match names the tag (RFC 9110 section 13.1.2).
func matches(ifNoneMatch, etag string) bool {
	for tag := range strings.SplitSeq(ifNoneMatch, ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" || strings.TrimPrefix(tag, "W/") == etag {
			return true
		}
	}
	return false
}
