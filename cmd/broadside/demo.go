package main

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"time"
)

// demoPath is where the demo site is, by which its target is known.
const demoPath = "/broadside-demo/"

// isDemo tells whether a URL is the demo site's, now or of an earlier start.
func isDemo(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Hostname() == "127.0.0.1" && u.Path == demoPath
}

// serveDemo serves a small site on loopback, for a first look without a site of one's own: most answers take a few
// milliseconds, some longer, one in two hundred is a 503. It serves until the returned server is closed.
func serveDemo() (address string, server *http.Server, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("serve the demo site: %w", err)
	}
	server = &http.Server{
		Handler:           http.HandlerFunc(demoPage),
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       time.Minute,
	}
	go server.Serve(l) // ends with server.Close
	return "http://" + l.Addr().String() + demoPath, server, nil
}

func demoPage(w http.ResponseWriter, r *http.Request) {
	delay := time.Duration(2+rand.ExpFloat64()*4) * time.Millisecond
	if rand.IntN(50) == 0 {
		delay += 40 * time.Millisecond
	}
	select {
	case <-time.After(delay):
	case <-r.Context().Done():
		return
	}
	if rand.IntN(200) == 0 {
		http.Error(w, "busy", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "This is Broadside's demo site.")
}
