package fleet_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
	"github.com/nollagluiz/broadside/summary/hist"
)

func TestTime(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"as we write it", "2026-11-25T07:20:00.123Z", "2026-11-25T07:20:00.123Z"},
		{"without a fraction", "2026-11-25T07:20:00Z", "2026-11-25T07:20:00.000Z"},
		{"nanoseconds are cut", "2026-11-25T07:20:00.123999999Z", "2026-11-25T07:20:00.123Z"},
		{"another zone", "2026-11-25T07:20:00.5-03:00", "2026-11-25T10:20:00.500Z"},
		{"the first", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"},
		{"the last", "9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var v fleet.Time
			if err := json.Unmarshal([]byte(`"`+c.in+`"`), &v); err != nil {
				t.Fatal(err)
			}
			got, err := json.Marshal(v)
			if err != nil || string(got) != `"`+c.want+`"` {
				t.Errorf("%s, %v; want %q", got, err, c.want)
			}
			var again fleet.Time
			if err := again.UnmarshalText([]byte(c.want)); err != nil || again != v {
				t.Errorf("read again: %v, %v; want %v, equal by ==", again, err, v)
			}
			if text, _ := v.MarshalText(); string(text) != c.want {
				t.Errorf("as text %q; want %q", text, c.want)
			}
			if ms := fleet.FromMillis(v.UnixMilli()); ms != v {
				t.Errorf("by milliseconds %v; want %v", ms, v)
			}
		})
	}
}

func TestTimeRefuses(t *testing.T) {
	for _, in := range []string{
		`""`, `"now"`, `0`, `1764055200`, `true`, `{}`, `"2026-11-25"`, `"2026-11-25 07:20:00Z"`, `"2026-11-25T07:20:00"`, `"2026-13-01T00:00:00Z"`,
		`"2026-02-30T00:00:00Z"`, `"2026-11-25T24:00:00Z"`, `"2026-11-25T07:20:60Z"`, `"10000-01-01T00:00:00Z"`, `"-2026-01-01T00:00:00Z"`,
		`"0000-06-01T00:00:00Z"`, `"0001-01-01T00:00:00+01:00"`, `"9999-12-31T23:59:59-01:00"`, `"` + strings.Repeat("9", 10_000) + `"`,
	} {
		v := fleet.FromMillis(7)
		if err := json.Unmarshal([]byte(in), &v); err == nil {
			t.Errorf("%.60s was taken as %v", in, v)
		} else if len(err.Error()) > 200 {
			t.Errorf("%.60s: an error of %d bytes", in, len(err.Error()))
		} else if v != fleet.FromMillis(7) {
			t.Errorf("%.60s was refused, and changed the time to %v", in, v)
		}
	}
	v := fleet.FromMillis(7)
	if err := json.Unmarshal([]byte("null"), &v); err != nil || v != fleet.FromMillis(7) {
		t.Errorf("null: %v, %v; want no change", v, err)
	}
}

func TestMillis(t *testing.T) {
	zone := time.FixedZone("", -3*60*60)
	got := fleet.Millis(time.Date(2026, 1, 2, 3, 4, 5, 678_999_999, zone))
	if want := fleet.FromMillis(got.UnixMilli()); got != want || got.Nanosecond() != 678_000_000 || got.Location() != time.UTC {
		t.Errorf("%v; want UTC, cut to milliseconds, equal by == to %v", got, want)
	}
}

func TestErrors(t *testing.T) {
	err := fleet.Errorf(fleet.NotFound, "no run %s", "7")
	if err.Error() != "no run 7" || fleet.CodeOf(fmt.Errorf("read: %w", err)) != fleet.NotFound {
		t.Errorf("error %q, code %q", err, fleet.CodeOf(err))
	}
	for _, other := range []error{nil, io.EOF, plan.FieldErrors{{Field: "a", Message: "b"}}} {
		if code := fleet.CodeOf(other); code != "" {
			t.Errorf("code of %v is %q", other, code)
		}
	}
	invalid := fleet.Invalid(fmt.Errorf("target: %w", plan.FieldErrors{{Field: "vus", Message: "is odd"}}))
	if invalid.Code != fleet.ValidationFailed || len(invalid.Fields) != 1 || invalid.Fields[0].Field != "vus" || invalid.Message != "target: vus: is odd" {
		t.Errorf("%+v", invalid)
	}
	if invalid := fleet.Invalid(errors.New("x")); invalid.Code != fleet.ValidationFailed || invalid.Fields != nil {
		t.Errorf("%+v", invalid)
	}
}

// Field report 59: what the dashboard says of a run that its agent can't speak of is a sentence.
func TestLostMessages(t *testing.T) {
	for _, m := range []string{fleet.LostDeadline, fleet.LostRestart} {
		if len(m) < 20 || !strings.HasSuffix(m, ".") {
			t.Errorf("%q is no sentence", m)
		}
	}
}

// fill sets every field of a struct, whatever is inside it, to something that is not its zero.
func fill(v reflect.Value) {
	switch v.Interface().(type) {
	case fleet.Time:
		v.Set(reflect.ValueOf(fleet.FromMillis(1_764_055_200_123)))
		return
	case json.RawMessage:
		v.Set(reflect.ValueOf(json.RawMessage(`{"vus":2}`)))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Tag.Get("json") != "-" {
				fill(v.Field(i))
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0))
		fill(v.Index(1))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		value := reflect.New(v.Type().Elem()).Elem()
		fill(value)
		v.SetMapIndex(reflect.ValueOf("200"), value)
	case reflect.String:
		v.SetString("süß \"'<&>\u2028")
	case reflect.Int, reflect.Int64:
		v.SetInt(math.MaxInt64)
	case reflect.Uint8:
		v.SetUint(255)
	case reflect.Float64:
		v.SetFloat(0.1)
	case reflect.Bool:
		v.SetBool(true)
	default:
		panic("no value for " + v.Type().String())
	}
}

// Every noun of the wire comes back as it was sent, no field is left out, and an unknown one does no harm.
func TestJSONRoundTrip(t *testing.T) {
	for _, noun := range []any{
		fleet.Registration{}, fleet.Registered{}, fleet.Heartbeat{}, fleet.HeartbeatAnswer{}, fleet.Deregistration{}, fleet.Agent{},
		fleet.Target{}, fleet.Poll{}, fleet.Config{}, fleet.RunStart{}, fleet.RunEnd{}, fleet.Run{}, fleet.RunDetail{}, fleet.Overview{},
	} {
		typ := reflect.TypeOf(noun)
		t.Run(typ.Name(), func(t *testing.T) {
			sent := reflect.New(typ)
			fill(sent.Elem())
			data, err := json.Marshal(sent.Interface())
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(data), ":null") || strings.Contains(string(data), `:""`) {
				t.Errorf("a field is missing: %s", data)
			}
			data = append([]byte(`{"aFieldOfTomorrow":{"a":[1]},`), data[1:]...)
			got := reflect.New(typ)
			if err := json.Unmarshal(data, got.Interface()); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(sent.Interface(), got.Interface()); d != "" {
				t.Errorf("(-sent +got):\n%s", d)
			}
		})
	}
}

// The original's eight metric fields, under its names, and what they are without data (field report 31).
func TestMetricsJSON(t *testing.T) {
	got, err := json.Marshal(fleet.Metrics{})
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"p50_ms":null,"p95_ms":null,"p99_ms":null,"avg_ms":null,"error_rate":null,"rps":0,"data_received_bytes":0,"iterations":0,` +
		`"requests":0,"failures":0,"data_sent_bytes":0,"iterations_interrupted":0,"dropped_iterations":0,"min_ms":null,"max_ms":null,"vus_max":0,"duration_s":0}`
	if string(got) != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// A run's end is flat: the start's fields beside its own, histograms in base64.
func TestRunEndJSON(t *testing.T) {
	var h hist.Histogram
	h.Record(0)
	form, _ := h.MarshalBinary()
	end := fleet.RunEnd{RunStart: fleet.RunStart{ID: "0193"}, Status: fleet.RunDone, Verdict: summary.OK, Trends: map[string][]byte{summary.HTTPReqDuration: form}}
	data, err := json.Marshal(end)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if got["id"] != "0193" || got["status"] != "done" || got["verdict"] != "ok" || got["metrics"] != nil {
		t.Errorf("%s", data)
	}
	if trends, _ := got["trends"].(map[string]any); trends["http_req_duration"] != "AQkBAAAAAAE=" {
		t.Errorf("trends %v; want the histogram's form in base64", got["trends"])
	}
}

// docs/wire.md names every field that is on the wire, every code and every verdict.
func TestWirePage(t *testing.T) {
	page, err := os.ReadFile("../docs/wire.md")
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, noun := range []any{
		fleet.Registration{}, fleet.Registered{}, fleet.Heartbeat{}, fleet.Spool{}, fleet.Skipped{}, fleet.K6{}, fleet.HeartbeatAnswer{}, fleet.Deregistration{},
		fleet.Target{}, fleet.Poll{}, fleet.RunStart{}, fleet.RunEnd{}, fleet.Metrics{}, fleet.Series{}, fleet.Bucket{}, fleet.ErrorCount{}, fleet.ThresholdResult{},
	} {
		typ := reflect.TypeOf(noun)
		for i := range typ.NumField() {
			name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			words = append(words, name)
		}
	}
	for _, c := range []fleet.Code{
		fleet.Malformed, fleet.ValidationFailed, fleet.Unauthorized, fleet.Forbidden, fleet.NotFound, fleet.Conflict, fleet.AgentNameInUse,
		fleet.PreconditionFailed, fleet.TooLarge, fleet.RateLimited, fleet.Overloaded,
	} {
		words = append(words, string(c))
	}
	for _, v := range []summary.Verdict{
		summary.Error, summary.Lost, summary.Aborted, summary.NoRequests, summary.TargetUnreachable, summary.GeneratorLimited, summary.ThresholdFailed, summary.OK,
	} {
		words = append(words, string(v))
	}
	for _, word := range words {
		if !regexp.MustCompile(`\b` + word + `\b`).Match(page) {
			t.Errorf("docs/wire.md does not name %s", word)
		}
	}
}
