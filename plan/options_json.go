package plan

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// maxOptionFaults bounds what is said of one text.
const maxOptionFaults = 50

// member is a name of a JSON object with its value.
type member struct {
	name  string
	value json.RawMessage
}

// members reads an object, its names in the order of the text. Unlike encoding/json it takes no name twice.
func members(text []byte) ([]member, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("must be an object")
	}
	var out []member
	seen := map[string]bool{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		m := member{name: name.(string)} // the decoder takes no other
		if err := d.Decode(&m.value); err != nil {
			return nil, err
		}
		if seen[m.name] {
			return nil, FieldError{m.name, "is there twice"}
		}
		seen[m.name] = true
		if string(m.value) != "null" { // k6: as if it were not there
			out = append(out, m)
		}
	}
	_, err := d.Token()
	return out, err
}

// optionsReader reads values of options and notes what is wrong with them, by the path of the option.
type optionsReader struct{ errs FieldErrors }

func (r *optionsReader) fault(path, format string, args ...any) {
	if len(r.errs) < maxOptionFaults {
		r.errs.Add(path, format, args...)
	}
}

// members is the object at a path, if it is one.
func (r *optionsReader) members(path string, value json.RawMessage) (out []member, ok bool) {
	out, err := members(value)
	if err == nil {
		return out, true
	}
	var twice FieldError
	if errors.As(err, &twice) {
		r.fault(strings.TrimPrefix(path+"."+pathName(twice.Field), "."), "%s", twice.Message)
	} else {
		r.fault(cmp.Or(path, "options"), "must be an object")
	}
	return nil, false
}

// list is the array at a path; nothing if it is none.
func (r *optionsReader) list(path string, value json.RawMessage) []json.RawMessage {
	var out []json.RawMessage
	if json.Unmarshal(value, &out) != nil {
		r.fault(path, "must be a list")
	}
	return out
}

// duration reads a text as in "1m30s", or a number of milliseconds.
func (r *optionsReader) duration(path string, value json.RawMessage) time.Duration {
	var text string
	var number json.Number
	switch {
	case json.Unmarshal(value, &text) == nil:
	case json.Unmarshal(value, &number) == nil:
		text = number.String()
	default:
		r.fault(path, `must be a duration such as "30s", or a number of milliseconds`)
		return 0
	}
	d, err := ParseDuration(text)
	switch {
	case err != nil:
		r.fault(path, "%.40q %v", text, err)
	case d < 0:
		r.fault(path, "must not be negative, as %v is", d)
	default:
		return d
	}
	return 0
}

// positive is a duration that is not 0, which a Plan takes for its default.
func (r *optionsReader) positive(path string, value json.RawMessage) time.Duration {
	before := len(r.errs)
	d := r.duration(path, value)
	if d == 0 && len(r.errs) == before {
		r.fault(path, "must be more than 0")
	}
	return d
}

func (r *optionsReader) whole(path string, value json.RawMessage) int {
	var n int
	if json.Unmarshal(value, &n) != nil {
		r.fault(path, "must be a whole number")
	} else if n < 0 {
		r.fault(path, "must not be negative, as %d is", n)
		n = 0
	}
	return n
}

// count is a whole number that is not 0, which a Plan takes for its default.
func (r *optionsReader) count(path string, value json.RawMessage) int {
	before := len(r.errs)
	n := r.whole(path, value)
	if n == 0 && len(r.errs) == before {
		r.fault(path, "must be more than 0")
	}
	return n
}

func (r *optionsReader) yes(path string, value json.RawMessage) bool {
	var b bool
	if json.Unmarshal(value, &b) != nil {
		r.fault(path, "must be true or false")
	}
	return b
}

func (r *optionsReader) text(path string, value json.RawMessage) string {
	var s string
	if json.Unmarshal(value, &s) != nil {
		r.fault(path, "must be a text")
	}
	return s
}

// words reads an object of texts.
func (r *optionsReader) words(path string, value json.RawMessage) map[string]string {
	out := map[string]string{}
	all, _ := r.members(path, value)
	for _, m := range all {
		out[m.name] = r.text(path+"."+pathName(m.name), m.value)
	}
	var errs FieldErrors
	validateWords(path, out, &errs)
	for _, e := range errs {
		r.fault(e.Field, "%s", e.Message)
	}
	return out
}

// pathName is a name as a path shows it: bounded, and without what could be taken for another path or steer a terminal.
func pathName(name string) string {
	if len(name) > 64 {
		name = name[:64] + "..."
	}
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f || c == '.' || c == '[' || c == ']' || c == '\uFFFD' {
			return '_'
		}
		return c
	}, name)
}
