package dial

import (
	"errors"
	"net"
	"testing"
)

// answered is a connection on which the answer is there, and what was sent is asked for, before Write returns.
type answered struct {
	net.Conn
	counter *Counter
	took    int64
	writes  int // bytes before it breaks
}

func (a *answered) Write(p []byte) (int, error) {
	a.took, _ = a.counter.Take()
	if n := min(len(p), a.writes); n < len(p) {
		return n, errors.New("broken pipe")
	}
	return len(p), nil
}

func TestSentIsCountedBeforeTheAnswer(t *testing.T) {
	for _, tc := range []struct {
		name       string
		writes     int
		then, took int64
	}{
		{"whole", 10, 0, 10},
		{"broken", 3, -7, 10},
		{"nothing", 0, -10, 10},
	} {
		t.Run(tc.name, func(t *testing.T) {
			counter := &Counter{}
			under := &answered{counter: counter, writes: tc.writes}
			c := &Conn{Conn: under, counter: counter}
			n, err := c.Write(make([]byte, 10))
			if n != tc.writes || (err == nil) != (n == 10) {
				t.Errorf("wrote %d, %v; want %d", n, err, tc.writes)
			}
			if under.took != tc.took {
				t.Errorf("%d bytes counted when the answer came; want %d", under.took, tc.took)
			}
			if then, _ := counter.Take(); then != tc.then {
				t.Errorf("%d bytes counted after it; want %d", then, tc.then)
			}
		})
	}
}
