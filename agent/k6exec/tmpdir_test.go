package k6exec

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nollagluiz/broadside/summary"
)

const v029 = "k6 v0.29.0 (2020-11-11T13:22:02+0000/2193de0, go1.14.12, linux/amd64)"

func entries(t *testing.T, dir string) []string {
	t.Helper()
	found, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range found {
		names = append(names, e.Name())
	}
	return names
}

// A k6 older than v0.30 gets its script, and gives its summary, by files that nobody else may read and that are gone
// after the run.
func TestOldK6(t *testing.T) {
	tmp, record := t.TempDir(), t.TempDir()+"/call.json"
	p := aPlan()
	p.Script = "export default function () {}"
	out, err := runner(t, Config{Path: fake(t, behaviour{Version: v029, Record: record, Stdout: recorded(t, "plain.flat-default.json")}), TmpDir: tmp}).Run(t.Context(), p, nil)
	if err != nil || out.Verdict != summary.OK || out.Message != "20192 requests, 0 % failed." {
		t.Fatalf("got %+v, %v", out, err)
	}
	if f := out.K6.Fields(); f.P99 != nil || f.P95 == nil {
		t.Errorf("p(95) %v, p(99) %v; so old a k6 leaves the latter out", f.P95, f.P99)
	}
	c := readCall(t, record)
	dir := filepath.Dir(c.Args[len(c.Args)-1])
	want := []string{"--address", "", "--summary-export", dir + "/summary.json", dir + "/script.js"}
	if d := cmp.Diff(want, c.Args[len(c.Args)-len(want):]); d != "" || filepath.Dir(dir) != tmp || c.Stdin != "" {
		t.Errorf("arguments (-want +got):\n%s\nstdin %q", d, c.Stdin)
	}
	if d := cmp.Diff(map[string]string{dir + "/script.js": "-rw------- " + p.Script}, c.Files); d != "" {
		t.Errorf("files (-want +got):\n%s", d)
	}
	if left := entries(t, tmp); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

func TestOldK6Fails(t *testing.T) {
	great := filepath.Join(t.TempDir(), "great")
	if err := os.WriteFile(great, make([]byte, summary.MaxK6+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, summary, message string }{
		{"no summary", "", "k6 ended well but printed no summary."},
		{"garbage", recorded(t, "README.md"), "k6 ended well: read k6 summary: invalid character 'O' looking for beginning of value."},
		{"a great summary", great, "k6 ended well: read k6 summary: over 2097152 bytes."},
	} {
		t.Run(c.name, func(t *testing.T) {
			tmp := t.TempDir()
			out, err := runner(t, Config{Path: fake(t, behaviour{Version: v029, Stdout: c.summary}), TmpDir: tmp}).Run(t.Context(), aPlan(), nil)
			if err != nil || out.Verdict != summary.Error || out.Message != c.message {
				t.Errorf("got %+v, %v; want error: %s", out, err, c.message)
			}
			if left := entries(t, tmp); len(left) > 0 {
				t.Errorf("%v is left", left)
			}
		})
	}
	t.Run("no directory", func(t *testing.T) {
		tmp := filepath.Join(t.TempDir(), "none")
		_, err := runner(t, Config{Path: fake(t, behaviour{Version: v029}), TmpDir: tmp}).Run(t.Context(), aPlan(), nil)
		if err == nil || !strings.HasPrefix(err.Error(), "k6 v0.29.0 needs temporary files: ") {
			t.Errorf("got %v", err)
		}
	})
}

// What an agent that was killed has left is taken away by the next, and what another is using is not.
func TestLeftovers(t *testing.T) {
	if !tellsAbandoned {
		return
	}
	tmp := t.TempDir()
	l := listen(t)
	path := fake(t, behaviour{Version: v029, Report: l.address(), Hang: true})
	neighbour := runner(t, Config{Path: path, TmpDir: tmp})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	run := goRun(ctx, neighbour, aPlan())
	l.next()
	live := entries(t, tmp)
	if len(live) != 1 {
		t.Fatalf("the neighbour has %v", live)
	}
	killAgent(t, l, path, tmp)
	foreign := []string{"broadside-k6-file", "broadside-other", "k6"}
	for i, name := range foreign {
		full := filepath.Join(tmp, name)
		if i == 0 {
			if err := os.WriteFile(full, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		} else if err := os.Mkdir(full, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(entries(t, tmp)); n != 5 {
		t.Fatalf("%v; the killed agent should have left one directory", entries(t, tmp))
	}
	if err := runner(t, Config{Path: fake(t, behaviour{}), TmpDir: tmp}).Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := append([]string{live[0]}, foreign...)
	got := map[string]bool{}
	for _, name := range entries(t, tmp) {
		got[name] = true
	}
	for _, name := range want {
		if !got[name] {
			t.Errorf("%s is gone", name)
		}
		delete(got, name)
	}
	if len(got) > 0 {
		t.Errorf("%v is left", got)
	}
	cancel()
	<-run
	if left := entries(t, tmp); len(left) != len(foreign) {
		t.Errorf("%v is left", left)
	}
}

// killAgent makes a process that runs k6 with files, and kills it.
func killAgent(t *testing.T, l lives, path, tmp string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	agent := exec.Command(self)
	agent.Env = append(os.Environ(), agentEnv+"="+path, agentTmpEnv+"="+tmp)
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	k6 := l.next()
	if err := agent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = agent.Wait() // killed
	if runtime.GOOS == "linux" {
		k6.waitEnd()
	}
}
