package main

import (
	"fmt"
	"math"
	"strings"
)

// figure is a row of the table: what was measured, and what it must and should be.
type figure struct {
	name   string
	value  float64
	unit   string // behind the value; "" for a ratio or a count
	least  bool   // must and aim are the least that it may be, not the most
	must   float64
	aim    float64
	void   string // why the value counts for nothing; "" if it counts
	detail string // what lies behind the value
}

// none is a must or an aim that there is not.
var none = math.NaN()

// verdict is "aim" or "pass" if the value is as good as these, "miss" if it is worse than must, "void" if it does not
// count, "-" if nothing is asked of it.
func (f figure) verdict() string {
	holds := func(bound float64) bool {
		if f.least {
			return f.value >= bound
		}
		return f.value <= bound
	}
	switch {
	case f.void != "":
		return "void"
	case !math.IsNaN(f.aim) && holds(f.aim):
		return "aim"
	case math.IsNaN(f.must):
		return "-"
	case holds(f.must):
		return "pass"
	}
	return "miss"
}

func (f figure) bound(v float64) string {
	switch {
	case math.IsNaN(v):
		return ""
	case f.least:
		return "≥ " + number(v)
	}
	return "≤ " + number(v)
}

// number writes three digits, or the whole part if that has more.
func number(v float64) string {
	if math.Abs(v) >= 100 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

// table writes figures as Markdown.
func table(figures []figure) string {
	var b strings.Builder
	b.WriteString("| figure | measured | must | aim | verdict | behind it |\n|---|---|---|---|---|---|\n")
	for _, f := range figures {
		value := strings.TrimSpace(number(f.value) + " " + f.unit)
		detail := f.detail
		if f.void != "" {
			value, detail = "("+value+")", f.void+"; "+detail
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", f.name, value, f.bound(f.must), f.bound(f.aim), f.verdict(), strings.TrimSuffix(detail, "; "))
	}
	return b.String()
}
