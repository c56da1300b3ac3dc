package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nollagluiz/broadside/fleet"
)

// Bounds of a call.
const (
	callTimeout = 15 * time.Second // 200 KiB at 128 kbit/s
	maxAnswer   = 64 << 10         // bytes
	maxPoll     = 16 << 20         // bytes: 2,000 targets of 8 KiB
	maxDetail   = 200              // bytes of an error's text that a log may hold
)

// client makes the calls of one agent. It is safe for concurrent use.
type client struct {
	base    string // without a slash at its end
	secret  string
	agent   string
	version string
	http    *http.Client
	epoch   atomic.Int64 // 0 before the first register
	clock   *clock
}

// statusError is an answer other than 2xx and 304.
type statusError struct {
	status     int
	code       fleet.Code
	detail     string // what the dashboard said, cut and quoted
	retryAfter time.Duration
}

func (e *statusError) Error() string {
	text := fmt.Sprintf("the dashboard answered %d %s", e.status, http.StatusText(e.status))
	if e.detail != "" {
		text += ": " + e.detail
	}
	return text
}

// statusOf is the HTTP status that err stands for; 0 if no answer came.
func statusOf(err error) int {
	var e *statusError
	if errors.As(err, &e) {
		return e.status
	}
	return 0
}

// isNameInUse tells whether err says that another instance holds the agent's name.
func isNameInUse(err error) bool {
	var e *statusError
	return errors.As(err, &e) && e.code == fleet.AgentNameInUse
}

// NewTransport returns a transport that keeps at most idle connections: two do for one agent; agents of one process
// share a transport.
func NewTransport(idle int) *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           dialer.DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: callTimeout,
		MaxIdleConns:          idle,
		MaxIdleConnsPerHost:   idle,
		IdleConnTimeout:       90 * time.Second,
		DisableCompression:    true,
		WriteBufferSize:       2 << 10,
		ReadBufferSize:        2 << 10,
	}
}

func newClient(cfg Config, c *clock) *client {
	return &client{
		base:    strings.TrimRight(cfg.DashboardURL, "/"),
		secret:  cfg.Secret,
		agent:   cfg.Name,
		version: cfg.Version,
		clock:   c,
		http: &http.Client{
			Transport: cfg.Transport,
			// A redirect would carry the secret to whom the answer likes.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

func (c *client) register(ctx context.Context, r fleet.Registration) (fleet.Registered, error) {
	var out fleet.Registered
	sent := time.Now()
	if err := c.post(ctx, "/api/k6/agents/register", r, &out); err != nil {
		return out, err
	}
	c.clock.sync(out.ServerTime.Time, sent, time.Now())
	c.epoch.Store(out.Epoch)
	return out, nil
}

func (c *client) heartbeat(ctx context.Context, h fleet.Heartbeat) (fleet.HeartbeatAnswer, error) {
	var out fleet.HeartbeatAnswer
	sent := time.Now()
	if err := c.post(ctx, "/api/k6/agents/heartbeat", h, &out); err != nil {
		return out, err
	}
	c.clock.sync(out.ServerTime.Time, sent, time.Now())
	return out, nil
}

func (c *client) deregister(ctx context.Context, d fleet.Deregistration) error {
	return c.post(ctx, "/api/k6/agents/deregister", d, nil)
}

// poll asks for targets and orders. etag is the answer's before; body is nil when nothing has changed since it.
func (c *client) poll(ctx context.Context, etag string) (body []byte, newTag string, err error) {
	h := http.Header{}
	if etag != "" {
		h.Set("If-None-Match", etag)
	}
	status, header, body, err := c.do(ctx, http.MethodGet, "/api/k6/targets", h, nil, maxPoll)
	if err != nil {
		return nil, "", err
	}
	if status == http.StatusNotModified {
		return nil, etag, nil
	}
	return body, header.Get("ETag"), nil
}

// put sends one entry of the spool.
func (c *client) put(ctx context.Context, e entry) error {
	method, path := http.MethodPost, "/api/k6/runs"
	if e.result {
		method, path = http.MethodPut, "/api/k6/runs/"+url.PathEscape(e.run)
	}
	_, _, answer, err := c.do(ctx, method, path, nil, e.body, maxAnswer)
	if err != nil {
		return err
	}
	var taken struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(answer, &taken); err != nil || taken.ID != e.run {
		return fmt.Errorf("the answer of %s does not name the run: it is not the dashboard's", path)
	}
	return nil
}

func (c *client) post(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("encode for %s: %w", path, err)
	}
	_, _, answer, err := c.do(ctx, http.MethodPost, path, nil, body, maxAnswer)
	if err != nil || out == nil {
		return err
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("read the answer of %s: %w", path, err)
	}
	return nil
}

// do makes one call, bounded in time and size. An answer other than 2xx, or 304 to a conditional request, is a
// *statusError.
func (c *client) do(ctx context.Context, method, path string, header http.Header, body []byte, most int64) (int, http.Header, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, nil, err
	}
	for name, values := range header {
		req.Header[name] = values
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Authorization", "Bearer "+c.secret)
	req.Header.Set("User-Agent", "k6agent/"+c.version)
	req.Header.Set(fleet.HeaderAgent, c.agent)
	if epoch := c.epoch.Load(); epoch != 0 {
		req.Header.Set(fleet.HeaderEpoch, strconv.FormatInt(epoch, 10))
	}
	res, err := c.http.Do(req)
	if err != nil {
		return 0, nil, nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, most+1))
	if err != nil {
		return 0, nil, nil, fmt.Errorf("read the answer of %s: %w", path, err)
	}
	if int64(len(answer)) > most {
		return 0, nil, nil, fmt.Errorf("the answer of %s has over %d bytes", path, most)
	}
	if res.StatusCode/100 == 2 || res.StatusCode == http.StatusNotModified && header.Get("If-None-Match") != "" {
		return res.StatusCode, res.Header, answer, nil
	}
	return 0, nil, nil, newStatusError(res, answer)
}

func newStatusError(res *http.Response, body []byte) *statusError {
	var problem struct {
		Code   fleet.Code `json:"code"`
		Detail string     `json:"detail"`
	}
	_ = json.Unmarshal(body, &problem) // a proxy's answer is HTML: then the status says it all
	e := &statusError{status: res.StatusCode, code: problem.Code, retryAfter: retryAfter(res.Header.Get("Retry-After"), time.Now())}
	if problem.Detail != "" {
		e.detail = fmt.Sprintf("%.*q", maxDetail, problem.Detail)
	}
	return e
}

// retryAfter reads RFC 9110 section 10.2.3: seconds, or a date. What is neither asks for nothing.
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(text); err == nil {
		return min(max(0, time.Duration(seconds)), retryAfterMost/time.Second) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(0, at.Sub(now)), retryAfterMost)
	}
	return 0
}
