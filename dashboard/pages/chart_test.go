package pages

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/summary"
	"github.com/nollagluiz/broadside/summary/hist"
)

func TestValueAxis(t *testing.T) {
	label := func(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
	for _, c := range []struct {
		most float64
		want string
	}{
		{0, "1 0.8 0.6 0.4 0.2 0"}, {-3, "1 0.8 0.6 0.4 0.2 0"}, {math.NaN(), "1 0.8 0.6 0.4 0.2 0"}, {math.Inf(1), "1 0.8 0.6 0.4 0.2 0"},
		{5, "5 4 3 2 1 0"}, {5.1, "6 4 2 0"}, {323, "400 300 200 100 0"}, {1600, "2000 1500 1000 500 0"}, {11, "12.5 10 7.5 5 2.5 0"}, {0.004, "0.004 0.003 0.002 0.001 0"},
	} {
		if got := strings.Join(newValueAxis(c.most, label).Ticks, " "); got != c.want {
			t.Errorf("axis up to %v: got %s; want %s", c.most, got, c.want)
		}
	}
}

func TestValueAxisHoldsItsValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.Float64Range(1e-9, 1e15).Draw(t, "most")
		a := newValueAxis(most, func(float64) string { return "" })
		if n := len(a.Ticks) - 1; a.top < most*(1-1e-9) || a.top > 2*most*(1+1e-9) || n < 2 || n > 5 {
			t.Fatalf("axis up to %v ends at %v after %d steps", most, a.top, n)
		}
		if y := a.y(most); y < 0 || y > plotH/2+1e-6 {
			t.Fatalf("the largest value stands at %v of %v", y, plotH)
		}
	})
}

func TestLogAxis(t *testing.T) {
	label := func(ns float64) string { return time.Duration(ns).String() }
	for _, c := range []struct {
		name        string
		least, most time.Duration
		want        string
	}{
		{"within one octave", 21 * time.Millisecond, 27 * time.Millisecond, "20ms 50ms"},
		{"a round number is not the end", 20 * time.Millisecond, 50 * time.Millisecond, "20ms 50ms 100ms"},
		{"two decades", 6 * time.Millisecond, 430 * time.Millisecond, "5ms 10ms 20ms 50ms 100ms 200ms 500ms"},
		{"many decades show powers of ten", 30 * time.Microsecond, 40 * time.Second, "100µs 1ms 10ms 100ms 1s 10s"},
		{"nothing at all", 0, 0, "1µs 2µs"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var labels []string
			for _, tick := range newLogAxis(float64(c.least), float64(c.most)).ticks(label) {
				labels = append(labels, tick.Label)
			}
			if got := strings.Join(labels, " "); got != c.want {
				t.Errorf("got %s; want %s", got, c.want)
			}
		})
	}
}

func TestLogAxisHoldsItsValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		least := rapid.Float64Range(0, 1e13).Draw(t, "least")
		most := least + rapid.Float64Range(0, 1e13).Draw(t, "more")
		a := newLogAxis(least, most)
		lo, hi := a.share(least), a.share(most)
		if lo < 0 || hi < lo || hi > 1 {
			t.Fatalf("%v..%v on %v..%v lie at %v..%v", least, most, a.low, a.high, lo, hi)
		}
		if most > logFloor && math.Abs(a.at(hi)/most-1) > 1e-6 {
			t.Fatalf("at(share(%v)) = %v", most, a.at(hi))
		}
		if n := len(a.ticks(func(float64) string { return "" })); n < 1 || n > 7 {
			t.Fatalf("%v..%v has %d ticks", least, most, n)
		}
	})
}

func TestTimeTicks(t *testing.T) {
	l := mustLocale(t, "en")
	for _, c := range []struct {
		total time.Duration
		want  string
	}{
		{time.Second, "0|1 s"}, {31 * time.Second, "0|10 s|20 s|30 s"}, {90 * time.Second, "0|15 s|30 s|45 s|1 min|1 min 15 s|1 min 30 s"},
		{24 * time.Hour, "0|4 h|8 h|12 h|16 h|20 h|24 h"}, {20 * time.Millisecond, "0"},
	} {
		var labels []string
		for _, tick := range timeTicks(c.total, l.duration) {
			labels = append(labels, strings.ReplaceAll(tick.Label, gap, " "))
		}
		if got := strings.Join(labels, "|"); got != c.want {
			t.Errorf("ticks of %v: got %s; want %s", c.total, got, c.want)
		}
	}
	if n := len(timeTicks(1000*time.Hour, l.duration)); n > 8 {
		t.Errorf("a thousand hours have %d ticks", n)
	}
}

// Field report 31: a bucket without data is a gap, never a fall to 0.
func TestLineLeavesGaps(t *testing.T) {
	nan := math.NaN()
	axis := newValueAxis(100, func(float64) string { return "" })
	got := newLine("p95", "p95", []float64{nan, 50, 100, nan, 20}, axis, true)
	want := line{
		Class: "p95", Name: "p95",
		Stretches: []string{"300.0,100.0 500.0,0.0", "850.0,160.0 950.0,160.0"},
		Area:      []string{"300.0,200 300.0,100.0 500.0,0.0 500.0,200", "850.0,200 850.0,160.0 950.0,160.0 950.0,200"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("line (-want +got):\n%s", diff)
	}
	if got := newLine("p95", "p95", []float64{nan, nan}, axis, true); got.Stretches != nil {
		t.Errorf("a line without data has stretches %v", got.Stretches)
	}
}

func encoded(t *testing.T, b hist.Bits, ms ...float64) []byte {
	t.Helper()
	h := hist.New(b)
	for _, v := range ms {
		h.Record(int64(v * 1e6))
	}
	data, err := h.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestTimeline(t *testing.T) {
	l := mustLocale(t, "en")
	series := &fleet.Series{WidthMs: 2000, Buckets: []fleet.Bucket{
		{Requests: 100, Failures: 4, Duration: encoded(t, hist.Coarse, 10, 20, 30)},
		{Requests: 60, Failures: 60},
		{Requests: 80, Duration: []byte("damaged")},
		{Requests: 3, Duration: encoded(t, hist.Coarse, 900)}, // 40 ms after the end
	}}
	tl, ok := newTimeline(series, 6.04)
	if !ok {
		t.Fatal("there is nothing to draw")
	}
	latency, traffic := l.latencyChart(tl), l.trafficChart(tl)
	if got := latency.Lines[1].Stretches; len(got) != 1 || strings.Contains(got[0], "875.0") {
		t.Errorf("p95 is drawn as %q; want the first bucket alone: the others have no data, or lie after the end", got)
	}
	rows := [][]string{{"0 s", "20.2 ms", "29.0 ms", "29.8 ms"}, {"2 s", "–", "–", "–"}, {"4 s", "–", "–", "–"}, {"6 s", "900 ms", "900 ms", "900 ms"}}
	for i, row := range latency.Rows {
		for j, cell := range row {
			latency.Rows[i][j] = strings.ReplaceAll(cell, gap, " ")
		}
	}
	if diff := cmp.Diff(rows, latency.Rows); diff != "" {
		t.Errorf("latency table (-want +got):\n%s", diff)
	}
	if got, want := traffic.Ticks[0], "50"; got != want {
		t.Errorf("traffic goes up to %s per second; want %s", got, want)
	}
	if got := traffic.Rows[3][1]; got != "3" {
		t.Errorf("the table has %s requests after the end; want 3", got)
	}
	for _, s := range []*fleet.Series{nil, {}, {WidthMs: 0, Buckets: make([]fleet.Bucket, 3)}} {
		if _, ok := newTimeline(s, 3); ok {
			t.Errorf("%+v is drawn", s)
		}
	}
	if long, _ := newTimeline(&fleet.Series{WidthMs: 1000, Buckets: make([]fleet.Bucket, 100_000)}, 0); len(long.buckets) != maxBuckets {
		t.Errorf("%d buckets are drawn", len(long.buckets))
	}
}

func TestDistributionShowsEachSampleOnce(t *testing.T) {
	l := mustLocale(t, "en")
	rapid.Check(t, func(t *rapid.T) {
		var h hist.Histogram
		n := rapid.IntRange(1, 300).Draw(t, "n")
		for range n {
			h.Record(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "ns") >> rapid.IntRange(0, 41).Draw(t, "shift"))
		}
		d := l.newDistribution(&h)
		total := int64(0)
		for _, row := range d.Rows {
			v, _ := strconv.ParseInt(strings.ReplaceAll(row[2], ",", ""), 10, 64)
			total += v
		}
		if total != int64(n) || len(d.Bars) != len(d.Rows) {
			t.Fatalf("%d bars and %d rows hold %d of %d samples", len(d.Bars), len(d.Rows), total, n)
		}
		for _, b := range d.Bars {
			y, _ := strconv.ParseFloat(b.Y, 64)
			height, _ := strconv.ParseFloat(b.Height, 64)
			if y < 0 || height <= 0 || y+height > plotH+0.1 {
				t.Fatalf("bar %+v leaves the picture", b)
			}
		}
		tops := map[int]bool{}
		for _, m := range d.Marks {
			tops[m.Y] = true
		}
		if len(tops) != len(percentiles) {
			t.Fatalf("marks share a line: %+v", d.Marks)
		}
	})
}

func TestDistributionDeepensWithThePercentile(t *testing.T) {
	var h hist.Histogram
	for i := range 1000 {
		h.Record(int64(i+1) * 1e6)
	}
	last := 0
	for _, b := range mustLocale(t, "en").newDistribution(&h).Bars {
		rank := map[string]int{"p50": 0, "p95": 1, "p99": 2}[b.Class]
		if rank < last {
			t.Errorf("bar %+v is paler than the one before", b)
		}
		last = rank
	}
	if last != 2 {
		t.Errorf("the last bar has depth %d; want that of the slowest", last)
	}
}

func TestPhasesAddUp(t *testing.T) {
	l := mustLocale(t, "en")
	rows, label := l.phases(map[string][]byte{
		summary.HTTPReqBlocked: encoded(t, hist.Coarse, 10), summary.HTTPReqConnecting: encoded(t, hist.Coarse, 3), summary.HTTPReqTLS: encoded(t, hist.Coarse, 5),
		summary.HTTPReqSending: encoded(t, hist.Coarse, 0), summary.HTTPReqWaiting: encoded(t, hist.Coarse, 80), summary.HTTPReqReceiving: encoded(t, hist.Coarse, 10),
	})
	var got []string
	for _, r := range rows {
		got = append(got, strings.ReplaceAll(r.Name+" "+r.Mean+" "+r.Share+" at "+r.X, gap, " "))
	}
	want := []string{ // connecting and TLS are part of the 10 ms of waiting for a connection
		"waiting for a connection 10.0 ms 2.00 % at 0.0", "connecting 3.00 ms 3.00 % at 20.0", "TLS handshake 5.00 ms 5.00 % at 50.0",
		"sending 0 ms 0 % at 100.0", "waiting for the answer 80.0 ms 80.0 % at 100.0", "receiving 10.0 ms 10.0 % at 900.0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("phases (-want +got):\n%s", diff)
	}
	if !strings.HasPrefix(label, "waiting for a connection") {
		t.Errorf("label %q", label)
	}
	if rows, _ := l.phases(map[string][]byte{summary.HTTPReqWaiting: {1, 2, 3}}); rows != nil {
		t.Errorf("damaged trends give %v", rows)
	}
}

func TestSparkline(t *testing.T) {
	l := mustLocale(t, "en")
	p95 := func(v float64) fleet.Run { return fleet.Run{Metrics: &fleet.Metrics{P95: &v}} }
	got := l.sparkline([]fleet.Run{p95(30), {}, p95(10), p95(20)}) // the newest first
	if want := "p95 of 3 runs: 10 ms to 30 ms"; strings.ReplaceAll(got.Label, gap, " ") != want {
		t.Errorf("label %q; want %q", got.Label, want)
	}
	if len(got.Stretches) != 2 || !strings.HasPrefix(got.Stretches[0], "125.0,78.8 375.0,139.4") {
		t.Errorf("stretches %q; want the oldest two, a gap, and the newest", got.Stretches)
	}
	for _, runs := range [][]fleet.Run{nil, {{}, {}}} {
		if got := l.sparkline(runs); got.Stretches != nil || got.Label != "no data" {
			t.Errorf("without data: %+v", got)
		}
	}
}

func TestErrorClass(t *testing.T) {
	for code, want := range map[int]string{
		1000: "general", 1030: "loop", 1050: "timeout", 1060: "interrupted", 1101: "dns", 1110: "denied", 1202: "tcp", 1211: "timeout", 1212: "refused",
		1220: "reset", 1290: "generator", 1301: "tls", 1310: "certificate", 1404: "http4", 1503: "http5", 1611: "http2", 0: "general", -7: "general", 9999: "general",
	} {
		if got := errorClass(code); got != want {
			t.Errorf("code %d is %s; want %s", code, got, want)
		}
	}
}
