package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestExchange(t *testing.T) {
	var requests atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		_, _ = w.Write(make([]byte, 128))
	}))
	defer s.Close()
	var out strings.Builder
	if err := exchange(t.Context(), &out, s.URL, 3, 50*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	n, err := parseExchange(out.String())
	if err != nil {
		t.Fatal(err)
	}
	if got := float64(requests.Load()); n.requests != got || got < 3 {
		t.Errorf("says %v exchanges; the server had %v", n.requests, got)
	}
}
