package engine

import (
	"crypto/tls"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
)

// submetrics are the parts of metrics that a Summary has beside the whole, by the name of the whole.
type submetrics map[string][]submetric

// submetric is the samples of a metric that have some tags.
type submetric struct {
	name     string // as its threshold wrote it
	selector []plan.Tag
}

// newSubmetrics are those that the conditions name, and the one that k6 always has.
func newSubmetrics(conditions []plan.Condition) submetrics {
	m := submetrics{summary.HTTPReqDuration: {{summary.ExpectedDuration, []plan.Tag{{Name: plan.TagExpectedResponse, Value: "true"}}}}}
	for _, c := range conditions {
		of := m[c.Of.Name]
		if c.Selector != nil && !slices.ContainsFunc(of, func(s submetric) bool { return s.name == c.Metric }) {
			m[c.Of.Name] = append(of, submetric{c.Metric, c.Selector})
		}
	}
	return m
}

// names gives all names under which samples of a metric belong: its own, and those of its submetrics.
func (m submetrics) names(metric string, of samples) iter.Seq[string] {
	return func(yield func(string) bool) {
		if !yield(metric) {
			return
		}
		for _, s := range m[metric] {
			if of.have(s.selector) && !yield(s.name) {
				return
			}
		}
	}
}

// samples are some that have their tags in common: those of a scenario, or of one of its cells.
type samples struct {
	scenario *plan.Scenario
	cell     *core.Cell // nil for what is no request
}

// have tells whether the samples have all tags of a selector.
func (s samples) have(selector []plan.Tag) bool {
	for _, tag := range selector {
		if value, ok := s.tag(tag.Name); !ok || value != tag.Value {
			return false
		}
	}
	return true
}

// tag gives the value of a tag; ok is false where the samples don't have it.
func (s samples) tag(name string) (value string, ok bool) {
	switch name {
	case plan.TagScenario:
		return s.scenario.Name, true
	case plan.TagGroup:
		if s.cell != nil {
			return s.cell.Series.Group, true
		}
		return "", true
	}
	if s.cell != nil {
		if value, ok, reserved := requestTag(s.cell, name); reserved {
			return value, ok
		}
	}
	value, ok = s.scenario.Tags[name]
	return value, ok
}

// requestTag gives the value of a tag that the engine puts on requests; reserved is false for other tags. A cell that
// holds latencies of several others has none of the tags in which these differ.
func requestTag(c *core.Cell, name string) (value string, ok, reserved bool) {
	known := c.Status != 0 || c.Code != 0
	switch name {
	case plan.TagName, plan.TagURL:
		return c.Series.Name, true, true
	case plan.TagMethod:
		return c.Series.Method, true, true
	case plan.TagExpectedResponse:
		return strconv.FormatBool(!c.Failed), true, true
	case plan.TagStatus:
		return strconv.Itoa(int(c.Status)), known, true
	case plan.TagErrorCode:
		return strconv.Itoa(int(c.Code)), c.Code != 0, true
	case plan.TagProto:
		value = protoNames()[c.Proto]
		return value, value != "", true
	case plan.TagTLSVersion:
		return tlsName(c.TLS), c.TLS != 0, true
	}
	return "", false, false
}

// protoNames are k6's.
func protoNames() [core.HTTP2 + 1]string {
	return [...]string{core.HTTP10: "HTTP/1.0", core.HTTP11: "HTTP/1.1", core.HTTP2: "HTTP/2.0"}
}

// tlsName gives k6's name of a version: "tls1.3".
func tlsName(version uint16) string {
	return strings.ToLower(strings.ReplaceAll(tls.VersionName(version), " ", ""))
}
