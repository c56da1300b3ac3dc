//go:build unix

package oneshot

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/nollagluiz/broadside/summary"
)

// busy tells by a channel when a run has sent its first request: then its signals are caught.
func busy(t *testing.T) (url string, began <-chan struct{}) {
	ch := make(chan struct{})
	var once sync.Once
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { once.Do(func() { close(ch) }) }))
	t.Cleanup(s.Close)
	return s.URL, ch
}

func interrupt(t *testing.T) {
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
}

// The first ctrl-C cuts a run of an hour, and its results are there.
func TestFirstSignal(t *testing.T) {
	url, began := busy(t)
	flat, handle := filepath.Join(t.TempDir(), "flat.json"), filepath.Join(t.TempDir(), "handle.json")
	var stdout, stderr bytes.Buffer
	ended := make(chan int)
	go func() {
		ended <- Run(t.Context(), Config{Program: "test", Version: "dev", Stdout: &stdout, Stderr: &stderr,
			Args: []string{"-q", "-d", "1h", "--pause", "1ms", "--summary-export", flat, "--summary-json", handle, url}})
	}()
	<-began
	interrupt(t)
	if code := <-ended; code != exitAborted || stderr.Len() > 0 || !strings.Contains(stdout.String(), "✗ Verdict: aborted.") {
		t.Errorf("exit code %d, stderr %q, stdout:\n%s\nwant %d and a report", code, &stderr, &stdout, exitAborted)
	}
	for file, want := range map[string]summary.K6Shape{flat: summary.K6Flat, handle: summary.K6HandleSummary} {
		if k, err := summary.ReadK6([]byte(read(t, file))); err != nil || k.Shape != want || k.Fields().Requests == 0 {
			t.Errorf("%s: %v, %+v; want the shape %s with requests", file, err, k, want)
		}
	}
}

// The second one ends at once, whatever the results wait for: here for somebody to read them.
func TestSecondSignal(t *testing.T) {
	url, began := busy(t)
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	report, stdout := io.Pipe()
	ended := make(chan int)
	go func() {
		ended <- Run(t.Context(), Config{Program: "test", Version: "dev", Stdout: stdout, Stderr: io.Discard,
			Args: []string{"-q", "-d", "1h", "--pause", "1ms", "--summary-export", fifo, url}})
	}()
	<-began
	interrupt(t)
	for scan := bufio.NewScanner(report); ; {
		if !scan.Scan() {
			t.Fatal("no report after the first signal")
		}
		if strings.Contains(scan.Text(), "Verdict: aborted") {
			break
		}
	}
	select {
	case code := <-ended:
		t.Fatalf("exit code %d; want it to wait for a reader", code)
	default:
	}
	interrupt(t)
	if code := <-ended; code != exitAborted {
		t.Errorf("exit code %d; want %d", code, exitAborted)
	}
	// Let the goroutine that writes go on.
	go io.Copy(io.Discard, report)
	read(t, fifo)
}
