package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The tags that the engine puts on samples, by k6's names (k6 v2.2, "System tags"). A scenario's own come beside them.
const (
	TagScenario         = "scenario"
	TagGroup            = "group"             // "" outside of groups
	TagName             = "name"              // the URL of the request that led here, without credentials
	TagURL              = "url"               // as name
	TagMethod           = "method"            //
	TagStatus           = "status"            // "0" where no whole response came
	TagExpectedResponse = "expected_response" // "true" or "false": the request didn't fail, or did
	TagErrorCode        = "error_code"        // not there without an error
	TagProto            = "proto"             // "HTTP/1.1", "HTTP/2.0"; not there without a response
	TagTLSVersion       = "tls_version"       // "tls1.3"; not there in clear
)

// requestTags are the tags that only requests have.
func requestTags() []string {
	return []string{TagName, TagURL, TagMethod, TagStatus, TagExpectedResponse, TagErrorCode, TagProto, TagTLSVersion}
}

func (p Plan) validateThresholds(errs *FieldErrors) {
	if len(p.Thresholds) > MaxThresholds {
		errs.Add("thresholds", "at most %d, not %d", MaxThresholds, len(p.Thresholds))
		return
	}
	if p.Script != "" && len(p.Thresholds) > 0 {
		errs.Add("thresholds", "a script has them in its own options")
		return
	}
	values := p.tagValues()
	for i, t := range p.Thresholds {
		prefix := fmt.Sprintf("thresholds[%d].", i)
		c, faults := t.parse()
		for _, f := range faults {
			errs.Add(prefix+f.Field, "%s", f.Message)
		}
		for _, tag := range c.Selector {
			if reason := tag.unmatched(c.Of, values); reason != "" {
				errs.Add(prefix+"metric", "%s", reason)
				break
			}
		}
		within(errs, prefix+"delayAbortEval", t.DelayAbortEval, 0, MaxDuration)
	}
}

// tagValues gives the values that a tag can have in this plan, by its name: those of a request can have any, which is nil.
func (p Plan) tagValues() map[string][]string {
	values, scenarios := map[string][]string{}, []string(nil)
	for _, s := range p.Scenarios {
		scenarios = append(scenarios, s.Name)
		for name, value := range s.Tags {
			values[name] = append(values[name], value)
		}
	}
	for _, name := range requestTags() { // where a scenario's tag has the name of the engine's, the engine's stands
		values[name] = nil
	}
	values[TagScenario], values[TagGroup], values[TagExpectedResponse] = scenarios, []string{""}, []string{"true", "false"}
	return values
}

// unmatched says why no sample of a metric can have the tag; "" if one can. k6 takes such a selector, and a slip of the
// pen then makes a threshold on a metric that stays empty.
func (t Tag) unmatched(of Metric, values map[string][]string) string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if of.PerRequest || !slices.Contains(requestTags(), name) {
			names = append(names, name)
		}
	}
	can := values[t.Name]
	switch {
	case !slices.Contains(names, t.Name):
		return fmt.Sprintf("no sample of %s has the tag %s: they have %s", of.Name, quoted(t.Name), quoted(names...))
	case can != nil && !slices.Contains(can, t.Value):
		return fmt.Sprintf("the tag %s is never %s: it is %s", t.Name, quoted(t.Value), quoted(can...))
	}
	return ""
}

// quoted lists some texts from outside, bounded.
func quoted(texts ...string) string {
	const most = 20
	var b strings.Builder
	for i, text := range texts {
		if i == most {
			b.WriteString(", ...")
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%.*q", maxThresholdQuoted, text)
	}
	return b.String()
}
