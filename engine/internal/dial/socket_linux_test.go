package dial

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/plan"
)

// named is a Resolver of fixed answers.
type named map[string][]netip.Addr

func (n named) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	if addrs := n[host]; addrs != nil {
		return addrs, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

// An address is known where there is nothing to ask and nothing to choose; what is refused is left to Dial, which says why.
func TestKnown(t *testing.T) {
	one, two := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.2")
	rules, err := Compile(plan.Network{
		Hosts:          map[string]string{"a.test": "127.0.0.9:99"},
		BlockHostnames: []string{"blocked.test"},
	})
	require.NoError(t, err)
	d := New(Config{Rules: rules, Resolver: named{"one.test": {one}, "two.test": {one, two}}})
	defer d.Close()
	for _, tc := range []struct{ address, want string }{
		{"127.0.0.1:80", "127.0.0.1:80"},
		{"[::1]:80", "[::1]:80"},
		{"a.test:80", "127.0.0.9:99"},
		{"one.test:80", ""},        // not asked yet
		{"169.254.169.254:80", ""}, // denied
		{"[fe80::1%lo]:80", ""},    // likewise
		{"blocked.test:80", ""},
		{"127.0.0.1", ""},
		{"127.0.0.1:100000", ""},
	} {
		got, ok := d.Known(tc.address)
		require.Equal(t, tc.want != "", ok, tc.address)
		if ok {
			require.Equal(t, tc.want, got.String())
		}
	}
	for _, name := range []string{"one.test:1", "two.test:1", "none.test:1"} { // nobody listens there
		_, err := d.Dial(t.Context(), name, new(Counter))
		require.Error(t, err)
	}
	got, ok := d.Known("one.test:80")
	require.True(t, ok)
	require.Equal(t, "127.0.0.1:80", got.String())
	for _, name := range []string{"two.test:80", "none.test:80"} {
		_, ok := d.Known(name)
		require.False(t, ok, name)
	}
}

// A socket comes to what Dial comes to: connected, or the same error.
func TestSocket(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	d := New(Config{})
	defer d.Close()
	open, ok := d.Known(l.Addr().String())
	require.True(t, ok)
	try := func(to Target) error {
		fd, connected, err := Socket(to)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		if connected {
			return nil
		}
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, int(time.Minute/time.Millisecond))
		require.NoError(t, err)
		require.Equal(t, 1, n)
		if err := Connected(fd); err != nil {
			return Failed(to.AddrPort, err)
		}
		return nil
	}
	require.NoError(t, try(open))
	fd, connected, err := Socket(open)
	require.NoError(t, err)
	require.True(t, connected, "at once, on this machine")
	require.NoError(t, unix.Close(fd))
	require.NoError(t, l.Close())
	_, want := d.Dial(t.Context(), open.String(), new(Counter))
	got := try(open)
	require.Equal(t, want.Error(), got.Error())
	code, _ := Classify(got)
	require.EqualValues(t, core.CodeRefused, code)
	code, text := Classify(TimedOut(open.AddrPort))
	require.EqualValues(t, core.CodeDialTimeout, code)
	require.Contains(t, text, "no connection within 30s")
}
