package engine

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLimits(t *testing.T) {
	const ms = time.Millisecond
	for _, tc := range []struct {
		name string
		l    limits
		want string
	}{
		{"nothing", limits{}, ""},
		{"no latency", limits{requests: 10, late: time.Hour}, ""},
		{"late by a moment", limits{requests: 100, late: 999 * ms, latency: 1000 * ms}, ""},
		{"late, beside a slow target", limits{requests: 100, late: 5000 * ms, latency: 20_001 * ms}, ""},
		{"late", limits{requests: 100, late: 5000 * ms, latency: 20_000 * ms},
			"The agent itself was late by 50ms on average, 25 % of the latency: it needs more CPU, or fewer VUs."},
		{"all but late", limits{requests: 1, late: 12345 * time.Microsecond, latency: 10 * ms},
			"The agent itself was late by 12.35ms on average, 100 % of the latency: it needs more CPU, or fewer VUs."},
		{"stopped now and then", limits{quota: throttling{100, 9}}, ""},
		{"stopped, but not for long", limits{quota: throttling{9, 9}}, ""},
		{"stopped", limits{quota: throttling{100, 10}}, "The agent was stopped by its CPU quota in 10 % of its periods: it needs more CPU, or fewer VUs."},
	} {
		t.Run(tc.name, func(t *testing.T) { require.Equal(t, tc.want, tc.l.sentence()) })
	}
}

func TestThrottling(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		want       throttling
	}{
		{"version 1", "nr_periods 120\nnr_throttled 30\nthrottled_time 4000000000\n", throttling{120, 30}},
		{"version 2", "usage_usec 5\nuser_usec 3\nsystem_usec 2\nnr_periods 7\nnr_throttled 1\nthrottled_usec 9\n", throttling{7, 1}},
		{"without a quota", "usage_usec 5\n", throttling{}},
		{"nonsense", "nr_periods x\nnr_throttled\n\n", throttling{}},
	} {
		t.Run(tc.name, func(t *testing.T) { require.Equal(t, tc.want, parseThrottling(tc.text)) })
	}
	require.Equal(t, throttling{20, 5}, throttling{120, 30}.since(throttling{100, 25}))
}

func TestStatFiles(t *testing.T) {
	for _, tc := range []struct {
		name, groups string
		want         []string
	}{
		{"version 2", "0::/kubepods/pod1\n", []string{"/sys/fs/cgroup/kubepods/pod1/cpu.stat", "/sys/fs/cgroup/cpu.stat"}},
		{"version 1", "5:memory:/m\n4:cpu,cpuacct:/docker/1\n", []string{
			"/sys/fs/cgroup/cpu,cpuacct/docker/1/cpu.stat", "/sys/fs/cgroup/cpu/docker/1/cpu.stat", "/sys/fs/cgroup/cpu/cpu.stat",
		}},
		{"both", "0::/\n1:cpu:/a\n2:cpuset:/b\n", []string{
			"/sys/fs/cgroup/cpu/a/cpu.stat", "/sys/fs/cgroup/cpu/a/cpu.stat", "/sys/fs/cgroup/cpu/cpu.stat",
			"/sys/fs/cgroup/cpu.stat", "/sys/fs/cgroup/cpu.stat",
		}},
		{"neither", "x\n", nil},
	} {
		t.Run(tc.name, func(t *testing.T) { require.Equal(t, tc.want, statFiles(tc.groups)) })
	}
}
