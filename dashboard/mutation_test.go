package dashboard_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/nollagluiz/broadside/fleet"
)

// mutation is a body that must not be taken.
type mutation struct {
	name         string
	method, path string
	body         string
	field        string // that must be named, as body.<field>; "" for none
}

// wrong are JSON values of every kind, none of which is a value of the kind by which it is listed.
var wrong = map[string][]string{
	"number": {`"10"`, `true`, `[]`, `[1]`, `{}`, `1.5`, `-1`, `-9223372036854775808`, `9223372036854775807`, `9223372036854775808`, `1e400`, `1e3`, `"NaN"`, `"１０"`},
	"string": {`5`, `true`, `[]`, `{}`, `["https://example.org/"]`, `1e400`},
	"bool":   {`"true"`, `1`, `0`, `[]`, `{}`},
	"list":   {`"a"`, `1`, `{}`, `[1]`, `[null,{}]`},
	"object": {`"a"`, `1`, `[]`, `[{"X":"1"}]`, `{"X":1}`, `{"X":["1"]}`, `{"X":{"Y":"1"}}`},
}

// kinds are the fields of a target that a person may write, by kind.
var kinds = map[string][]string{
	"number": {"vus", "durationS", "runIntervalMs", "timeoutMs", "maxRedirects", "pauseMs", "gracefulStopS"},
	"string": {"url", "label", "method", "body", "expectedStatuses", "httpVersion"},
	"bool":   {"enabled", "insecureSkipVerify"},
	"list":   {"secretHeaders"},
	"object": {"headers"},
}

// outOfRange are values of the right type that mean nothing (field reports 25, 27, 38, 56).
var outOfRange = map[string][]string{
	"url": {
		`""`, `" "`, `"example.org"`, `"//example.org/"`, `"/path"`, `"ftp://example.org/"`, `"file:///etc/passwd"`, `"javascript:alert(1)"`, `"http://"`,
		`"http:///path"`, `"http://:80/"`, `"http://example.org:0/"`, `"http://example.org:65536/"`, `"http://example.org:-1/"`, `"http://example.org:http/"`,
		`"http://exa mple.org/"`, `"http://example.org/a b"`, `"http://example.org/?q=a b"`, `"http://example.org/\u0000"`, `"http://example.org/\r\nHost: x"`,
		`"http://[::1/"`, `"http://[fe80::1%25eth0]/"`, `"http://***@example.org/"`, `"http://example.org/?token=***"`,
		`"http://example.org/` + strings.Repeat("a", 4096) + `"`, `"http://` + strings.Repeat("a", 254) + `/"`, `"http://exam\u202eple.org:99999/"`,
	},
	"label":            {`"` + strings.Repeat("x", 201) + `"`, `"` + strings.Repeat("é", 201) + `"`, `"a\u0000b"`, `"a\nb"`, `"\u001b[2J"`, `"a\u007fb"`},
	"vus":              {`0`, `10001`, `2147483648`},
	"durationS":        {`0`, `86401`},
	"runIntervalMs":    {`0`, `1`, `999`, `315360000000`},
	"timeoutMs":        {`0`, `600001`},
	"maxRedirects":     {`101`},
	"pauseMs":          {`3600001`},
	"gracefulStopS":    {`86401`},
	"method":           {`""`, `"GET "`, `"G ET"`, `"GÉT"`, `"GET\r\n"`},
	"httpVersion":      {`""`, `"1.0"`, `"3"`, `"h2"`, `"AUTO"`},
	"expectedStatuses": {`"abc"`, `"99"`, `"600"`, `"399-200"`, `"200-"`, `"-200"`, `"200,,201"`, `"2xx"`, `"NaN"`, `"` + strings.Repeat("200,", 100) + `200"`},
	"headers": {
		`{"":"x"}`, `{"A B":"x"}`, `{"X:":"x"}`, `{"Ü":"x"}`, `{"X":"a\r\nb"}`, `{"X":"\u0000"}`, `{"Content-Length":"5"}`, `{"Transfer-Encoding":"chunked"}`,
		`{"X":"1","x":"2"}`, `{"X-Api-Key":"***"}`, `{"X":"` + strings.Repeat("x", 16<<10) + `"}`,
	},
	"secretHeaders": {`["X-Absent"]`, `[""]`},
	"body":          {`"` + strings.Repeat("b", 1<<20+1) + `"`},
	"options":       {`"vus"`, `1`, `true`, `[]`, `[{"vus":1}]`, `{"tags":{"a":"` + strings.Repeat("x", fleet.MaxOptions) + `"}}`},
	"id":            {`"mine"`, `5`, `{}`},
	"revision":      {`77`, `"1"`, `-1`},
	"createdAt":     {`"2020-01-01T00:00:00Z"`, `"yesterday"`, `5`, `""`},
	"updatedAt":     {`"2020-01-01T00:00:00Z"`, `1.5`},
	"nothing":       {`1`, `null`, `{}`},
	"VUs":           {`5`},
	"VUS":           {`5`},
	"stopId":        {`"x"`},
}

// bodies are those that are wrong as a whole, whatever they are for.
var bodies = map[string]string{
	"empty": "", "blanks": "  \n\t", "null": "null", "true": "true", "a number": "42", "a string": `"x"`, "a list": "[]", "a list of one": `[{"vus":1}]`,
	"cut off": `{"url":"https://example.org/"`, "trailing garbage": `{"enabled":true}x`, "two documents": `{"enabled":true}{}`, "a comment": `{"enabled":true/**/}`,
	"single quotes": `{'enabled':true}`, "no quotes": `{enabled:true}`, "a trailing comma": `{"enabled":true,}`, "bare NaN": `{"vus":NaN,"k6DesiredAgentCount":NaN}`,
	"bare Infinity": `{"vus":Infinity}`, "minus Infinity": `{"vus":-Infinity}`, "hexadecimal": `{"vus":0x10}`, "a leading zero": `{"vus":010}`,
	"a plus sign": `{"vus":+1}`, "no UTF-8": "{\"label\":\"\xff\xfe\"}", "a cut character": "{\"label\":\"\xc3\"}", "UTF-16": "{\x00\"\x00v\x00",
	"a byte order mark": "\ufeff{\"vus\":1}", "XML": "<vus>1</vus>", "a form": "vus=1&url=x", "too deep": strings.Repeat(`{"headers":`, 20_000) + "1" + strings.Repeat("}", 20_000),
	"raw control character": "{\"label\":\"a\x01b\"}", "huge": `{"label":"` + strings.Repeat("x", 5<<20) + `"}`,
}

// mutations makes the table: what is wrong with a target or the configuration, sent to create, patch and put.
func mutations(id string) []mutation {
	var out []mutation
	target := func(field, value string) {
		out = append(out,
			mutation{"create " + field + "=" + short(value), "POST", pathTargets, withURL(field, value), field},
			mutation{"patch " + field + "=" + short(value), "PATCH", pathTargets + "/" + id, fmt.Sprintf(`{%q:%s}`, field, value), field},
		)
	}
	for kind, fields := range kinds {
		for _, field := range fields {
			for _, value := range wrong[kind] {
				target(field, value)
			}
		}
	}
	for field, values := range outOfRange {
		for _, value := range values {
			target(field, value)
		}
	}
	for _, value := range append(wrong["number"], `1001`, `null`, `0.1`) {
		out = append(out, mutation{"config k6DesiredAgentCount=" + short(value), "PUT", pathConfig, `{"k6DesiredAgentCount":` + value + `}`, "k6DesiredAgentCount"})
	}
	for _, value := range append(wrong["bool"], `null`) {
		out = append(out, mutation{"config stopped=" + short(value), "PUT", pathConfig, `{"stopped":` + value + `}`, "stopped"})
	}
	for field, values := range map[string][]string{"revision": {`99`, `"1"`, `null`}, "updatedAt": {`"2020-01-01T00:00:00Z"`, `5`, `null`}, "stopId": {`"x"`}, "k6desiredagentcount": {`5`}, "other": {`5`, `null`}} {
		for _, value := range values {
			out = append(out, mutation{"config " + field + "=" + short(value), "PUT", pathConfig, fmt.Sprintf(`{"k6DesiredAgentCount":7,%q:%s}`, field, value), field})
		}
	}
	for name, body := range bodies {
		out = append(out,
			mutation{"create " + name, "POST", pathTargets, body, ""},
			mutation{"patch " + name, "PATCH", pathTargets + "/" + id, body, ""},
			mutation{"config " + name, "PUT", pathConfig, body, ""},
		)
	}
	out = append(out,
		mutation{"create without url", "POST", pathTargets, `{"label":"no url"}`, "url"},
		mutation{"create nothing", "POST", pathTargets, `{}`, "url"},
		mutation{"create url=null", "POST", pathTargets, `{"url":null}`, "url"},
		mutation{"create body=***", "POST", pathTargets, `{"url":"https://example.org/","body":"***"}`, "body"},
		mutation{"patch to another origin", "PATCH", pathTargets + "/" + id, `{"url":"https://***@example.com/"}`, "url"},
		mutation{"patch url=null", "PATCH", pathTargets + "/" + id, `{"url":null}`, "url"},
		mutation{"patch id=null", "PATCH", pathTargets + "/" + id, `{"id":null}`, "id"},
	)
	return out
}

// withURL is a body for create whose only fault is the field.
func withURL(field, value string) string {
	if field == "url" {
		return `{"url":` + value + `}`
	}
	return fmt.Sprintf(`{"url":"https://example.org/",%q:%s}`, field, value)
}

func short(value string) string { return fmt.Sprintf("%.40s", value) }

// Issue 2: 200 mutations of the config and targets API all get 4xx problem+json, never 5xx, and nothing is stored. Field
// reports 25, 27, 31, 38 and 56 are among them.
func TestMutationsAreRefused(t *testing.T) {
	f := newFixture(t)
	kept := f.addTarget(`{"url":"https://user:pw@example.org/?token=t","label":"kept","headers":{"Authorization":"s"},"body":"b"}`)
	f.call("PUT", pathConfig, `{"k6DesiredAgentCount":3}`, asAdmin).wants(http.StatusOK)
	before := f.stored()
	all := mutations(kept.ID)
	seen := map[string]bool{}
	for _, m := range all {
		if key := m.method + m.path + m.body; seen[key] {
			t.Errorf("%s stands there twice", m.name)
		} else {
			seen[key] = true
		}
		r := f.call(m.method, m.path, m.body, asAdmin)
		if r.status < 400 || r.status > 499 {
			t.Errorf("%s: %d %.300s; want 4xx", m.name, r.status, r.body)
			continue
		}
		var p problem
		if err := json.Unmarshal(r.body, &p); err != nil || r.header.Get("Content-Type") != "application/problem+json" || p.Code == "" || p.Status != r.status {
			t.Errorf("%s: %s %.300s; want problem+json with a code", m.name, r.header.Get("Content-Type"), r.body)
		}
		if m.field != "" && (r.status != http.StatusUnprocessableEntity || !p.at("body."+m.field)) {
			t.Errorf("%s: %d %.300s; want 422 at body.%s", m.name, r.status, r.body, m.field)
		}
	}
	if len(seen) < 200 {
		t.Errorf("%d mutations; want at least 200", len(seen))
	}
	t.Logf("%d mutations", len(seen))
	if after := f.stored(); !reflect.DeepEqual(before, after) {
		t.Errorf("stored %+v; want %+v", after, before)
	}
}

// stored is what the store has of targets and settings.
func (f *fixture) stored() (out struct {
	targets []fleet.Target
	config  fleet.Config
}) {
	f.Helper()
	var err error
	out.targets, err = f.store.Targets(f.Context())
	f.must(err)
	out.config, err = f.store.Config(f.Context())
	f.must(err)
	return out
}

// Odd values that are valid are stored byte for byte.
func TestOddValuesAreKept(t *testing.T) {
	f := newFixture(t)
	for _, c := range []struct{ field, value string }{
		{"label", `"日本語 🚀 \u202e <b>&amp;</b> '; DROP TABLE k6_targets; --"`},
		{"label", `"` + strings.Repeat("é", 200) + `"`},
		{"url", `"https://example.org/%E2%9C%93?q=%20&&=#frag"`},
		{"url", `"http://[2001:db8::1]:8080/"`},
		{"body", `"{\"a\":[1,2,null]}\u0000\n"`},
		{"headers", `{"x-odd":"","Cookie":"a=b; c=d"}`},
		{"method", `"PURGE"`},
		{"vus", `10000`},
		{"durationS", `86400`},
		{"runIntervalMs", `31536000000`},
	} {
		t.Run(c.field+"="+short(c.value), func(t *testing.T) {
			created := f.addTarget(withURL(c.field, c.value))
			stored, err := f.store.Target(f.Context(), created.ID)
			f.must(err)
			text, err := json.Marshal(stored)
			f.must(err)
			var got, want map[string]any
			f.must(json.Unmarshal(text, &got))
			f.must(json.Unmarshal([]byte(withURL(c.field, c.value)), &want))
			if !reflect.DeepEqual(got[c.field], want[c.field]) {
				t.Errorf("%s is %v; want %v", c.field, got[c.field], want[c.field])
			}
		})
	}
}
