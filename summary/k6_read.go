package summary

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// MaxK6 bounds what ReadK6 reads, in bytes: room for 5,000 metrics, or for the machine-readable shape with a script of 1 MiB in
// it. Garbage of that size takes tens of MiB to refuse, which an agent has.
const MaxK6 = 2 << 20

// maxWhole is up to where a float64 counts exactly.
const maxWhole = 1 << 53

// ReadK6 reads k6's summary (v2.2) in whichever of the three shapes it is. What is none of them, or lacks a value that
// its shape always has, is an error: nothing is made up. It takes no key of an unknown meaning for an error, since
// newer versions may add some.
func ReadK6(data []byte) (*K6, error) {
	k, err := readK6(data)
	if err != nil {
		return nil, fmt.Errorf("read k6 summary: %.300s", err.Error()) // encoding/json quotes a number whole
	}
	return k, nil
}

func readK6(data []byte) (*K6, error) {
	if len(data) > MaxK6 {
		return nil, fmt.Errorf("over %d bytes", MaxK6)
	}
	var doc map[string]json.RawMessage
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, err
	}
	has := func(keys ...string) bool {
		return !slices.ContainsFunc(keys, func(key string) bool { return doc[key] == nil })
	}
	k, read := &K6{Metrics: map[string]K6Metric{}}, (*K6).readFlat
	switch {
	case has("version", "results"):
		k.Shape, read = K6Machine, (*K6).readMachine
	case has("state", "options", "metrics", "root_group"):
		k.Shape, read = K6HandleSummary, (*K6).readHandleSummary
	case has("metrics", "root_group"):
		k.Shape = K6Flat
	default:
		return nil, errors.New("none of k6's shapes: neither metrics and root_group nor version and results are there")
	}
	if err := read(k, doc); err != nil {
		return nil, fmt.Errorf("%s shape: %w", k.Shape, err)
	}
	if len(k.Metrics) == 0 {
		return nil, fmt.Errorf("%s shape: no metric", k.Shape)
	}
	return k, nil
}

func (k *K6) readFlat(doc map[string]json.RawMessage) error {
	var metrics map[string]map[string]any
	if err := json.Unmarshal(doc["metrics"], &metrics); err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	for name, stats := range metrics {
		m := K6Metric{Values: map[string]float64{}}
		for stat, v := range stats {
			switch v := v.(type) {
			case float64:
				m.Values[stat] = v
			case map[string]any:
				if stat != "thresholds" {
					return fmt.Errorf("metric %.80q: %.80q is no number", name, stat)
				}
				m.Thresholds = make(map[string]bool, len(v))
				for expression, crossed := range v {
					b, ok := crossed.(bool)
					if !ok {
						return fmt.Errorf("metric %.80q: threshold %.80q is no boolean", name, expression)
					}
					m.Thresholds[expression] = !b
				}
			default:
				return fmt.Errorf("metric %.80q: %.80q is no number", name, stat)
			}
		}
		if m.Type = flatType(m.Values); m.Type == "" {
			return fmt.Errorf("metric %.80q has the values of no type", name)
		}
		if m.Type == K6Rate {
			m.Values["rate"] = m.Values["value"]
			delete(m.Values, "value")
		}
		if err := k.add(name, m); err != nil {
			return err
		}
	}
	for _, name := range []string{HTTPReqs, Iterations, DataReceived, DataSent} {
		v := k.Metrics[name].Values
		if seconds := v["count"] / v["rate"]; v["count"] > 0 && v["rate"] > 0 {
			d, err := duration(seconds * float64(time.Second))
			k.Duration, k.Estimated = d, err == nil
			break
		}
	}
	return k.readRoot(doc["root_group"])
}

// flatType tells a metric's type by the set of its values, which no two types share.
func flatType(values map[string]float64) string {
	are := func(names ...string) bool {
		return slices.Equal(slices.Sorted(maps.Keys(values)), names)
	}
	switch {
	case are("fails", "passes", "value"):
		return K6Rate
	case are("max", "min", "value"):
		return K6Gauge
	case are("count", "rate"):
		return K6Counter
	case len(values) == 0:
		return ""
	}
	for name := range values {
		if !isTrendStat(name) {
			return ""
		}
	}
	return K6Trend
}

func (k *K6) readHandleSummary(doc map[string]json.RawMessage) error {
	var state struct {
		TestRunDurationMs *float64 `json:"testRunDurationMs"`
	}
	if err := json.Unmarshal(doc["state"], &state); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	var err error
	if k.Duration, err = durationOf(state.TestRunDurationMs, time.Millisecond); err != nil {
		return fmt.Errorf("state.testRunDurationMs: %w", err)
	}
	var metrics map[string]struct {
		typedMetric
		Thresholds map[string]struct {
			OK *bool `json:"ok"`
		} `json:"thresholds"`
	}
	if err := json.Unmarshal(doc["metrics"], &metrics); err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	for name, wire := range metrics {
		m := wire.metric()
		for expression, t := range wire.Thresholds {
			if t.OK == nil {
				return fmt.Errorf("metric %.80q: threshold %.80q lacks ok", name, expression)
			}
			if m.Thresholds == nil {
				m.Thresholds = map[string]bool{}
			}
			m.Thresholds[expression] = *t.OK
		}
		if err := k.add(name, m); err != nil {
			return err
		}
	}
	return k.readRoot(doc["root_group"])
}

func (k *K6) readMachine(doc map[string]json.RawMessage) error {
	var version string
	if err := json.Unmarshal(doc["version"], &version); err != nil {
		return fmt.Errorf("version: %w", err)
	}
	if !strings.HasPrefix(version, "1.") {
		return fmt.Errorf("version %.20q is not known; 1.x is", version)
	}
	var config struct {
		Duration *float64 `json:"duration"` // seconds
	}
	var metadata struct {
		Version string `json:"k6_version"`
	}
	var results struct {
		Metrics []json.RawMessage `json:"metrics"`
		Checks  struct {
			Metrics []json.RawMessage `json:"metrics"`
			Results []any             `json:"results"`
		} `json:"checks"`
	}
	for key, to := range map[string]any{"config": &config, "metadata": &metadata, "results": &results} {
		if doc[key] == nil {
			return fmt.Errorf("%s is missing", key)
		}
		if err := json.Unmarshal(doc[key], to); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	var err error
	if k.Duration, err = durationOf(config.Duration, time.Second); err != nil {
		return fmt.Errorf("config.duration: %w", err)
	}
	k.Version = metadata.Version
	for _, raw := range slices.Concat(results.Metrics, results.Checks.Metrics) {
		var wire struct {
			Name string `json:"name"`
			typedMetric
		}
		if err := json.Unmarshal(raw, &wire); err != nil {
			return fmt.Errorf("results: a metric: %w", err)
		}
		if _, twice := k.Metrics[wire.Name]; twice || wire.Name == "" {
			return fmt.Errorf("a metric's name is empty or comes twice: %.80q", wire.Name)
		}
		m := wire.metric()
		switch m.Type {
		case K6Counter: // per second of the run, as in the other shapes
			m.Values["rate"] = 0
			if k.Duration > 0 {
				m.Values["rate"] = m.Values["count"] / k.Duration.Seconds()
			}
		case K6Rate:
			if _, ok := m.Values["matches"]; ok {
				m.Values["passes"], m.Values["fails"] = m.Values["matches"], m.Values["total"]-m.Values["matches"]
			}
			delete(m.Values, "matches")
			delete(m.Values, "total")
		case K6Trend:
			for name, v := range maps.Clone(m.Values) {
				if n, ok := strings.CutPrefix(name, "p"); ok && isPercent(n) {
					delete(m.Values, name)
					m.Values["p("+n+")"] = v
				}
			}
		}
		if err := k.add(wire.Name, m); err != nil {
			return err
		}
	}
	if m, ok := k.Metrics["checks_succeeded"]; ok { // what the other shapes call checks
		k.Metrics["checks"] = m
	}
	k.Root, err = group(map[string]any{"name": "", "path": "", "id": rootID, "groups": []any{}, "checks": results.Checks.Results}, 0)
	return err
}

// typedMetric is a metric in the shapes that tell its type. A value that is null was not measured.
type typedMetric struct {
	Type     string              `json:"type"`
	Contains string              `json:"contains"`
	Values   map[string]*float64 `json:"values"`
}

func (t typedMetric) metric() K6Metric {
	m := K6Metric{Type: t.Type, Contains: t.Contains, Values: make(map[string]float64, len(t.Values))}
	for name, v := range t.Values {
		if v != nil {
			m.Values[name] = *v
		}
	}
	return m
}

// add takes a metric that has all the values of its type.
func (k *K6) add(name string, m K6Metric) error {
	required := map[string][]string{K6Counter: {"count", "rate"}, K6Gauge: {"max", "min", "value"}, K6Rate: {"fails", "passes", "rate"}, K6Trend: nil}
	needs, known := required[m.Type]
	if !known {
		return fmt.Errorf("metric %.80q is of type %.20q, which is not known", name, m.Type)
	}
	for _, stat := range needs {
		if _, ok := m.Values[stat]; !ok {
			return fmt.Errorf("metric %.80q lacks the %s of a %s", name, stat, m.Type)
		}
	}
	if err := plausible(name, m); err != nil {
		return fmt.Errorf("metric %.80q: %w", name, err)
	}
	k.Metrics[name] = m
	return nil
}

// plausible refuses values that no run has. A script's own counters, and every time, since k6 measures on the wall
// clock, may be negative.
func plausible(name string, m K6Metric) error {
	var wants string
	switch name {
	case HTTPReqs, Iterations, DataReceived, DataSent:
		wants = K6Counter
	case HTTPReqFailed:
		wants = K6Rate
	case HTTPReqDuration:
		wants = K6Trend
	}
	if wants != "" && m.Type != wants {
		return fmt.Errorf("a %s, not the %s that it should be", m.Type, wants)
	}
	for stat, v := range m.Values {
		switch {
		case wants == K6Counter && v < 0:
			return fmt.Errorf("%s is negative", stat)
		case m.Type == K6Rate && stat == "rate" && !(v >= 0 && v <= 1):
			return errors.New("rate is not in 0..1")
		case m.Type == K6Rate && stat != "rate" && !whole(v), wants == K6Counter && stat == "count" && !whole(v):
			return fmt.Errorf("%s is no count", stat)
		}
	}
	return nil
}

func whole(v float64) bool { return v >= 0 && v <= maxWhole && v == math.Trunc(v) }

func isPercent(s string) bool {
	n, err := strconv.ParseFloat(s, 64)
	return err == nil && n >= 0 && n <= 100
}

func durationOf(n *float64, unit time.Duration) (time.Duration, error) {
	if n == nil {
		return 0, errors.New("missing")
	}
	return duration(*n * float64(unit))
}

// duration rounds to whole nanoseconds, up to 104 days.
func duration(ns float64) (time.Duration, error) {
	if !(ns >= 0 && ns <= maxWhole) {
		return 0, errors.New("not in 0..104 days")
	}
	return time.Duration(math.Round(ns)), nil
}
