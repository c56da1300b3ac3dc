package engine

import (
	"os"
	"path"
	"strconv"
	"strings"
)

// throttling is what the kernel counts of a control group with a CPU quota: periods of its scheduler in which it ran, and
// those of them in which it was stopped as the quota was used up.
type throttling struct{ periods, throttled int64 }

func (t throttling) since(before throttling) throttling {
	return throttling{t.periods - before.periods, t.throttled - before.throttled}
}

// readThrottling reads that of this process. Without control groups, or outside Linux, it is zero.
func readThrottling() throttling {
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return throttling{}
	}
	for _, file := range statFiles(string(groups)) {
		if text, err := os.ReadFile(file); err == nil {
			return parseThrottling(string(text))
		}
	}
	return throttling{}
}

// statFiles are the places of cpu.stat, the likelier first: in the group that /proc/self/cgroup names, of version 1 or 2,
// or at the root, where a container sees its own. Lines there are "id:controllers:path" (cgroups(7)).
func statFiles(groups string) []string {
	const root = "/sys/fs/cgroup"
	var files []string
	for line := range strings.Lines(groups) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) != 3 {
			continue
		}
		switch controllers := "," + f[1] + ","; {
		case controllers == ",,":
			files = append(files, path.Join(root, f[2], "cpu.stat"), path.Join(root, "cpu.stat"))
		case strings.Contains(controllers, ",cpu,"):
			// Version 1 keeps the quota where both are there.
			files = append([]string{path.Join(root, f[1], f[2], "cpu.stat"), path.Join(root, "cpu", f[2], "cpu.stat"), path.Join(root, "cpu", "cpu.stat")}, files...)
		}
	}
	return files
}

// parseThrottling reads a cpu.stat: lines of a name and a number, which both versions have in common.
func parseThrottling(text string) (t throttling) {
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, err := strconv.ParseInt(value, 10, 64)
		switch {
		case err != nil:
		case name == "nr_periods":
			t.periods = n
		case name == "nr_throttled":
			t.throttled = n
		}
	}
	return t
}
