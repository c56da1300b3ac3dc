package pages

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/plan"
)

// field is one field of a target as a form has it. Whether a value is allowed is for Target.Validate to say; a field
// only turns text into the value and back.
type field struct {
	name     string // its JSON name, and that of the control
	kind     string // of the control: url, text, line, number, checkbox, area or select
	unit     string // of a number; "s" or nothing
	step     string
	min, max float64 // of a number, in the unit shown
	options  []string
	rows     int // of an area
	advanced bool
	get      func(fleet.Target) string
	set      func(*fleet.Target, string) error
}

// What text may fail to be. The words are keys of the catalogue.
var (
	errNoWhole  = errors.New("error.whole")
	errNoNumber = errors.New("error.number")
	errNoHeader = errors.New("error.header")
	errTwice    = errors.New("error.twice")
	errNoJSON   = errors.New("error.json")
)

// targetFields are all that a person may set, in the order of the form.
var targetFields = [...]field{
	text("url", "url", func(t *fleet.Target) *string { return &t.URL }),
	text("label", "text", func(t *fleet.Target) *string { return &t.Label }),
	whole("vus", "", 1, plan.MaxVUs, func(t *fleet.Target) *int { return &t.VUs }),
	whole("durationS", "s", plan.MinDuration.Seconds(), plan.MaxDuration.Seconds(), func(t *fleet.Target) *int { return &t.DurationS }),
	seconds("runIntervalMs", fleet.MinRunInterval, fleet.MaxRunInterval, func(t *fleet.Target) *int64 { return &t.RunIntervalMs }),
	check("enabled", func(t *fleet.Target) *bool { return &t.Enabled }),

	advanced(text("method", "text", func(t *fleet.Target) *string { return &t.Method })),
	advanced(choose("httpVersion", []string{string(plan.HTTPAuto), string(plan.HTTP11), string(plan.HTTP2)}, func(t *fleet.Target) *string { return &t.HTTPVersion })),
	advanced(text("expectedStatuses", "text", func(t *fleet.Target) *string { return &t.ExpectedStatuses })),
	advanced(whole("maxRedirects", "", 0, plan.MaxRedirects, func(t *fleet.Target) *int { return &t.MaxRedirects })),
	advanced(seconds("timeoutMs", time.Millisecond, plan.MaxTimeout, func(t *fleet.Target) *int { return &t.TimeoutMs })),
	advanced(seconds("pauseMs", 0, plan.MaxPause, func(t *fleet.Target) *int { return &t.PauseMs })),
	advanced(whole("gracefulStopS", "s", 0, plan.MaxDuration.Seconds(), func(t *fleet.Target) *int { return &t.GracefulStopS })),
	advanced(check("insecureSkipVerify", func(t *fleet.Target) *bool { return &t.InsecureSkipVerify })),
	advanced(field{name: "headers", kind: "area", rows: 3, get: getHeaders, set: setHeaders}),
	advanced(field{name: "secretHeaders", kind: "line", get: getSecretHeaders, set: setSecretHeaders}),
	advanced(area("body", 3, func(t *fleet.Target) *string { return &t.Body })),
	advanced(field{name: "options", kind: "area", rows: 8, get: getOptions, set: setOptions}),
	advanced(area("script", 10, func(t *fleet.Target) *string { return &t.Script })),
}

func advanced(f field) field {
	f.advanced = true
	return f
}

func text(name, kind string, at func(*fleet.Target) *string) field {
	return field{name: name, kind: kind,
		get: func(t fleet.Target) string { return *at(&t) },
		set: func(t *fleet.Target, s string) error { *at(t) = s; return nil }}
}

func area(name string, rows int, at func(*fleet.Target) *string) field {
	f := text(name, "area", at)
	f.rows = rows
	f.set = func(t *fleet.Target, s string) error {
		*at(t) = strings.ReplaceAll(s, "\r\n", "\n") // a form sends its lines so (HTML, section 4.10.22)
		return nil
	}
	return f
}

func choose(name string, options []string, at func(*fleet.Target) *string) field {
	f := text(name, "select", at)
	f.options = options
	return f
}

func check(name string, at func(*fleet.Target) *bool) field {
	return field{name: name, kind: "checkbox",
		get: func(t fleet.Target) string {
			if *at(&t) {
				return "on"
			}
			return ""
		},
		set: func(t *fleet.Target, s string) error { *at(t) = s != ""; return nil }}
}

func whole(name, unit string, least, most float64, at func(*fleet.Target) *int) field {
	return field{name: name, kind: "number", unit: unit, step: "1", min: least, max: most,
		get: func(t fleet.Target) string { return strconv.Itoa(*at(&t)) },
		set: func(t *fleet.Target, s string) (err error) {
			if *at(t), err = strconv.Atoi(s); err != nil {
				return errNoWhole
			}
			return nil
		}}
}

// seconds shows what the target keeps in milliseconds as seconds, with decimals where there are some.
func seconds[T int | int64](name string, least, most time.Duration, at func(*fleet.Target) *T) field {
	return field{name: name, kind: "number", unit: "s", step: "0.001", min: least.Seconds(), max: most.Seconds(),
		get: func(t fleet.Target) string { return strconv.FormatFloat(float64(*at(&t))/1000, 'f', -1, 64) },
		set: func(t *fleet.Target, s string) error {
			v, err := strconv.ParseFloat(s, 64)
			if err != nil || math.IsNaN(v) || math.Abs(v) > 1e12 {
				return errNoNumber
			}
			*at(t) = T(math.Round(v * 1000))
			return nil
		}}
}

// getOptions writes k6's options one member a line, and nothing where there are none.
func getOptions(t fleet.Target) string {
	var b bytes.Buffer
	if !t.HasOptions() || json.Indent(&b, t.Options, "", "  ") != nil {
		return ""
	}
	return readable(b.Bytes())
}

// readable writes < > & as they are where encoding/json has escaped them. Another escape is left whole, so that no
// second half of one is taken for one.
func readable(text []byte) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			b.WriteByte(text[i])
			continue
		}
		switch escape := string(text[i:min(i+6, len(text))]); escape {
		case `\u003c`, `\u003e`, `\u0026`:
			c, _ := strconv.ParseUint(escape[2:], 16, 8)
			b.WriteByte(byte(c))
			i += 5
		default:
			b.Write(text[i : i+2])
			i++
		}
	}
	return b.String()
}

func setOptions(t *fleet.Target, s string) error {
	if s = strings.TrimSpace(s); s == "" {
		s = "{}"
	}
	var b bytes.Buffer // without the white space that is for people
	if json.Compact(&b, []byte(s)) != nil {
		return errNoJSON
	}
	t.Options = b.Bytes()
	return nil
}

// getHeaders writes one "Name: value" a line, by name.
func getHeaders(t fleet.Target) string {
	lines := make([]string, 0, len(t.Headers))
	for _, name := range slices.Sorted(maps.Keys(t.Headers)) {
		lines = append(lines, name+": "+t.Headers[name])
	}
	return strings.Join(lines, "\n")
}

func setHeaders(t *fleet.Target, s string) error {
	t.Headers = map[string]string{}
	for l := range strings.Lines(s) {
		l = strings.TrimSpace(l)
		if l == "" {
			continue
		}
		name, value, ok := strings.Cut(l, ":")
		name = strings.TrimSpace(name)
		if !ok || name == "" {
			return errNoHeader
		}
		if _, twice := t.Headers[name]; twice {
			return errTwice
		}
		t.Headers[name] = strings.TrimSpace(value)
	}
	return nil
}

func getSecretHeaders(t fleet.Target) string { return strings.Join(t.SecretHeaders, ", ") }

func setSecretHeaders(t *fleet.Target, s string) error {
	t.SecretHeaders = []string{}
	for name := range strings.SplitSeq(s, ",") {
		if name = strings.TrimSpace(name); name != "" {
			t.SecretHeaders = append(t.SecretHeaders, name)
		}
	}
	return nil
}

// show is the field for reading, in a list of settings.
func (f field) show(l *locale, t fleet.Target) string {
	value := f.get(t)
	switch {
	case f.kind == "checkbox" && value == "":
		return l.text("word.no")
	case f.kind == "checkbox":
		return l.text("word.yes")
	case f.kind == "number":
		return f.amount(l, value)
	}
	return value
}

// amount writes a number of the field with its unit.
func (f field) amount(l *locale, plain string) string {
	v, err := strconv.ParseFloat(plain, 64)
	switch {
	case err != nil:
		return plain
	case f.unit == "s":
		return l.duration(time.Duration(v * float64(time.Second)))
	}
	return l.number(int64(v))
}
