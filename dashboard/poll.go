package dashboard

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
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

// Poll is what an agent is to do. Without a name it is the targets alone.
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
	if p.stop {
		p.runs = nil
	}
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

// body is the JSON of a fleet.Poll. The list of targets is not encoded again.
func (p poll) body() ([]byte, error) {
	answer := struct {
		fleet.Poll
		Targets json.RawMessage `json:"targets"` // hides that of fleet.Poll
	}{
		Poll:    fleet.Poll{SpreadMs: p.spread.Milliseconds(), Run: p.runs, Abort: p.aborts, Stop: p.stop, StopID: p.stopID},
		Targets: p.targets.enabled,
	}
	if answer.Run == nil {
		answer.Run = []fleet.RunOrder{}
	}
	if answer.Abort == nil {
		answer.Abort = []string{}
	}
	return json.Marshal(answer)
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
