package agent

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/nollagluiz/broadside/plan"
)

// What the dashboard would refuse with each register is refused once, at the start.
func TestConfigIsChecked(t *testing.T) {
	labels := func(n int) map[string]string {
		out := map[string]string{}
		for i := range n {
			out[strconv.Itoa(i)] = "v"
		}
		return out
	}
	long := func(n int) string { return strings.Repeat("é", n) }
	for _, tc := range []struct {
		name, field string
		set         func(*Config)
	}{
		{"as it is", "", func(*Config) {}},
		{"the longest", "", func(c *Config) {
			c.InstanceID, c.Version, c.Engine, c.Labels = long(200), long(100), long(100), labels(64)
			c.Name = strings.Repeat("n", 200)
		}},
		{"no URL", "DashboardURL", func(c *Config) { c.DashboardURL = "" }},
		{"a password in the URL", "DashboardURL", func(c *Config) { c.DashboardURL = "http://a:b@host" }},
		{"a query in the URL", "DashboardURL", func(c *Config) { c.DashboardURL = "http://host/?a" }},
		{"no secret", "Secret", func(c *Config) { c.Secret = "" }},
		{"no name", "Name", func(c *Config) { c.Name = "" }},
		{"a long name", "Name", func(c *Config) { c.Name = strings.Repeat("n", 201) }},
		{"a name that ends with a space", "Name", func(c *Config) { c.Name = "agent " }},
		{"a long instance id", "InstanceID", func(c *Config) { c.InstanceID = long(201) }},
		{"a long version", "Version", func(c *Config) { c.Version = long(101) }},
		{"a long engine", "Engine", func(c *Config) { c.Engine = long(101) }},
		{"many labels", "Labels", func(c *Config) { c.Labels = labels(65) }},
		{"a long label", "Labels", func(c *Config) { c.Labels = map[string]string{"a": long(201)} }},
		{"no runner", "Runner", func(c *Config) { c.Runner = nil }},
		{"half a second", "DefaultVUs, DefaultDuration", func(c *Config) { c.DefaultDuration = 1 }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cfg := Config{DashboardURL: "http://dashboard.test", Secret: testSecret, Name: "k6agent-0", Runner: fakeRun}
			tc.set(&cfg)
			_, err := New(cfg)
			var fault plan.FieldError
			errors.As(err, &fault)
			if fault.Field != tc.field || (err == nil) != (tc.field == "") {
				t.Errorf("got %v; want a fault of %q", err, tc.field)
			}
		})
	}
}
