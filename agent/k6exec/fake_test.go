package k6exec

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nollagluiz/broadside/plan"
)

// agentEnv makes the test binary an agent that runs the k6 of that path, with the TmpDir of the other, for tests that
// kill it.
const (
	agentEnv    = "K6EXEC_TEST_AGENT"
	agentTmpEnv = "K6EXEC_TEST_TMP"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(agentEnv); path != "" {
		os.Exit(beAgent(path))
	}
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "fakek6-*")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		fakeBinary = filepath.Join(dir, "fakek6")
		if out, err := exec.Command("go", "build", "-o", fakeBinary, "./testdata/fakek6").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build the fake k6: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// fakeBinary is set by TestMain alone.
var fakeBinary string

// behaviour is that of testdata/fakek6.
type behaviour struct {
	Version     string
	VersionExit int
	VersionHang bool
	Report      string
	Record      string
	Log         []string
	Stderr      string
	Stdout      string
	FloodStdout int
	FloodStderr int
	Grandchild  string
	Hang        bool
	OnTerm      string
	Signal      int
	Exit        int
}

// call is how the fake was called.
type call struct {
	Args, Env  []string
	Dir, Stdin string
	Files      map[string]string
}

// The version of the recorded outputs, and what its debug log says before and after it has loaded the script.
const v220 = "k6bin v2.2.0 (commit/devel, go1.26.8, linux/amd64)"

func loadingLog() []string {
	return []string{"Logger format: TEXT", "k6 version: v2.2.0 (commit/devel, go1.26.8, linux/amd64)", "Resolving and reading test '-'...", "'-' resolved to 'file:///-' and successfully loaded 81 bytes!",
		"Gathering k6 runtime options...", "Detecting test type for...", "Trying to load as a JS test..."}
}

func startedLog() []string {
	return append(loadingLog(), "Initializing k6 runner for '-' (file:///-)...", "Runner successfully initialized!", "Parsing CLI flags...")
}

// fake makes a k6 that behaves as told, and returns its path.
func fake(t *testing.T, b behaviour) string {
	t.Helper()
	if b.Version == "" {
		b.Version = v220
	}
	path := filepath.Join(t.TempDir(), "k6")
	if err := os.Link(fakeBinary, path); err != nil {
		t.Fatal(err)
	}
	behave(t, path, b)
	return path
}

// behave changes what a fake does.
func behave(t *testing.T, path string, b behaviour) {
	t.Helper()
	text, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".json", text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// runner makes a Runner that is patient with the output of an ended k6, however busy the machine is.
func runner(t *testing.T, cfg Config) *Runner {
	t.Helper()
	r, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r.limits.drain, r.limits.hurry = time.Minute, time.Minute
	return r
}

// recorded is the absolute path of a recorded output of k6 v2.2.0.
func recorded(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("../../testdata/k6-2.2.0", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func aPlan() plan.Plan {
	return plan.Plan{Scenarios: []plan.Scenario{{VUs: 3, Duration: 2 * time.Second, Request: plan.Request{URL: "http://127.0.0.1:1/"}}}}
}

// lives listens for the processes of a fake.
type lives struct {
	t *testing.T
	l net.Listener
}

func listen(t *testing.T) lives {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return lives{t, l}
}

func (s lives) address() string { return s.l.Addr().String() }

// life is one process, from when it has reported.
type life struct {
	t    *testing.T
	name string
	conn net.Conn
}

// next waits for a process to report.
func (s lives) next() life {
	s.t.Helper()
	s.l.(*net.TCPListener).SetDeadline(time.Now().Add(30 * time.Second))
	conn, err := s.l.Accept()
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		s.t.Fatal(err)
	}
	name, _, _ := strings.Cut(line, " ")
	return life{s.t, name, conn}
}

// waitEnd fails if the process does not end within 30 s.
func (p life) waitEnd() {
	p.t.Helper()
	if n, err := p.conn.Read(make([]byte, 1)); n != 0 || os.IsTimeout(err) {
		p.t.Fatalf("%s still lives: %v", p.name, err)
	}
}
