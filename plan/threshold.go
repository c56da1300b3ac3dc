package plan

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Bounds of thresholds.
const (
	MaxThresholds      = 100
	MaxThreshold       = 2 << 10 // bytes of its metric with selector, and of its expression
	MaxSelectorTags    = 16
	maxThresholdQuoted = 80 // bytes of it that an error shows
)

// Threshold is a limit that a run has to hold, in k6's words (k6 v2.2, "Thresholds").
type Threshold struct {
	// Metric is the name of one of Metrics, or that with a selector of the samples that count:
	// "http_req_duration{scenario:login,status:200}".
	Metric string
	// Expression is "aggregation operator number": "p(95)<500". A counter has count and rate (per second), a gauge
	// value, a rate rate (0..1), a trend avg, min, max, med and p(N), in ms. The operators are < <= > >= == === !=.
	Expression     string
	AbortOnFail    bool          // cut the run when it is crossed
	DelayAbortEval time.Duration // but not in this first part of the run; 0..MaxDuration
}

// Condition is what a Threshold says.
type Condition struct {
	Threshold
	Of          Metric  // without the selector
	Selector    []Tag   // sorted by name, each name once; nil selects all
	Aggregation string  // one that the metric's type has: "count", ..., "p(N)"
	Percentile  float64 // the N of p(N), 0..100
	Operator    string
	Limit       float64 // never NaN; may be infinite
}

// Tag is a name with a value that samples are told apart by.
type Tag struct{ Name, Value string }

// Holds tells whether a value of the aggregation is within the limit.
func (c Condition) Holds(v float64) bool {
	switch c.Operator {
	case "<":
		return v < c.Limit
	case "<=":
		return v <= c.Limit
	case ">":
		return v > c.Limit
	case ">=":
		return v >= c.Limit
	case "!=":
		return v != c.Limit
	}
	return v == c.Limit
}

// Parse reads the two texts by k6's grammar. The error is a FieldErrors whose fields are "metric" and "expression".
func (t Threshold) Parse() (Condition, error) {
	c, errs := t.parse()
	return c, errs.Err()
}

// parse gives, with faults, what could be read.
func (t Threshold) parse() (c Condition, errs FieldErrors) {
	c.Threshold = t
	if err := c.parseMetric(); err != nil {
		errs.Add("metric", "%v", err)
	}
	if err := c.parseExpression(); err != nil {
		errs.Add("expression", "%v", err)
	}
	return c, errs
}

// parseMetric reads "name" or "name{tag:value,...}". As in k6, the selector goes from the first brace to the last
// character, commas part its tags whatever quotes stand around them, the first colon of each parts name and value, and
// white space, then quotes, around both are cut away. Of a tag that is named twice the last value counts.
func (c *Condition) parseMetric() error {
	text := c.Metric
	if len(text) > MaxThreshold {
		return fmt.Errorf("at most %d bytes, not %d", MaxThreshold, len(text))
	}
	if !utf8.ValidString(text) {
		return errors.New("is not valid UTF-8")
	}
	name, selector, selects := strings.Cut(text, "{")
	var known bool
	if c.Of, known = metricNamed(name); !known {
		return unknownMetric(name)
	}
	if !selects {
		return nil
	}
	selector, closed := strings.CutSuffix(selector, "}")
	if !closed {
		return fmt.Errorf("the selector of %s lacks its closing brace at the end", name)
	}
	parts := strings.Split(selector, ",")
	if len(parts) > MaxSelectorTags {
		return fmt.Errorf("at most %d tags in a selector, not %d", MaxSelectorTags, len(parts))
	}
	for _, part := range parts {
		key, value, _ := strings.Cut(part, ":")
		if key == "" || value == "" {
			return fmt.Errorf(`%.*q is no tag:value; an empty value is written ""`, maxThresholdQuoted, part)
		}
		c.Selector = append(c.Selector, Tag{unquoted(key), unquoted(value)})
	}
	slices.Reverse(c.Selector)
	slices.SortStableFunc(c.Selector, func(a, b Tag) int { return cmp.Compare(a.Name, b.Name) })
	c.Selector = slices.CompactFunc(c.Selector, func(a, b Tag) bool { return a.Name == b.Name })
	return nil
}

func unquoted(s string) string { return strings.Trim(strings.TrimSpace(s), `"'`) }

func unknownMetric(name string) error {
	var known []string
	for _, m := range Metrics() {
		known = append(known, m.Name)
	}
	// What is far longer than any name is near none.
	return fmt.Errorf("no metric has the name %.*q; the nearest is %s", maxThresholdQuoted, name, nearest(name[:min(len(name), 2*maxThresholdQuoted)], known))
}

// parseExpression reads "aggregation operator number". As in k6, the first of the operators in this order that stands
// anywhere in the text is the one, white space around the three parts is free, and the number is Go's.
func (c *Condition) parseExpression() error {
	if len(c.Expression) > MaxThreshold {
		return fmt.Errorf("at most %d bytes, not %d", MaxThreshold, len(c.Expression))
	}
	for _, operator := range []string{"<=", "<", ">=", ">", "===", "==", "!="} {
		left, right, found := strings.Cut(c.Expression, operator)
		if !found {
			continue
		}
		c.Operator = operator
		if err := c.parseAggregation(strings.TrimSpace(left)); err != nil {
			return err
		}
		return c.parseLimit(strings.TrimSpace(right))
	}
	return fmt.Errorf(`%.*q has none of the operators < <= > >= == === !=, as in "p(95)<500"`, maxThresholdQuoted, c.Expression)
}

func (c *Condition) parseAggregation(text string) error {
	c.Aggregation = text
	if n, ok := strings.CutPrefix(text, "p("); ok {
		n, closed := strings.CutSuffix(n, ")")
		v, err := strconv.ParseFloat(n, 64)
		if !closed || err != nil || !(v >= 0 && v <= 100) {
			return fmt.Errorf("%.*q is no percentile: p(N), N from 0 to 100", maxThresholdQuoted, text)
		}
		c.Aggregation, c.Percentile = "p(N)", v
	}
	fit := c.Of.Type.aggregations()
	if c.Of.Name != "" && (text == "p(N)" || !slices.Contains(fit, c.Aggregation)) { // an unknown metric has no type
		return fmt.Errorf("%s is a %s, which has no %.*q but %s", c.Of.Name, c.Of.Type, maxThresholdQuoted, text, strings.Join(fit, ", "))
	}
	return nil
}

func (c *Condition) parseLimit(text string) error {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) {
		return fmt.Errorf("%.*q is no number", maxThresholdQuoted, text)
	}
	c.Limit = v
	return nil
}
