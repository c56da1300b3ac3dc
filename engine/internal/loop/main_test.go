//go:build linux

package loop

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// serverVariable, in the environment, makes the test's binary a server: in a process of its own it takes no P, and
// allocates nothing, of the loop's.
const serverVariable = "BROADSIDE_TEST_SERVER"

func TestMain(m *testing.M) {
	if secure := os.Getenv(serverVariable); secure != "" {
		serve(secure == "https")
		return
	}
	os.Exit(m.Run())
}

// serve answers "hello" to everything, and endless bytes to /endless, until its standard input ends.
func serve(secure bool) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/endless" {
			hello(w, r)
			return
		}
		piece := make([]byte, 256<<10)
		for {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	if secure {
		srv.StartTLS()
	} else {
		srv.Start()
	}
	fmt.Println(srv.URL)
	_, _ = io.Copy(io.Discard, os.Stdin)
	srv.CloseClientConnections()
}

// process starts a server in a process of its own and gives its URL.
func process(t testing.TB, secure bool) string {
	t.Helper()
	scheme := "http"
	if secure {
		scheme = "https"
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), serverVariable+"="+scheme)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Wait()
	})
	url, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSpace(url)
}

// descriptors is how many this process has open.
func descriptors(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(entries)
}

var _ net.Conn = socket{}
