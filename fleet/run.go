package fleet

import (
	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
)

// RunStatus is where a run stands. What it means is the verdict's business: a run that went to its end is done, even
// if each of its requests failed.
type RunStatus string

// The states of a run.
const (
	RunRunning RunStatus = "running"
	RunDone    RunStatus = "done"    // went to its end
	RunError   RunStatus = "error"   // could not be made, or was lost
	RunAborted RunStatus = "aborted" // cut short on purpose
)

// Metrics are the numbers of a finished run: the original's eight fields first, under its names. Latency is in ms and
// null without an exchange that counts for it; error_rate is 0..1 and null without requests.
type Metrics struct {
	P50               *float64 `json:"p50_ms"`
	P95               *float64 `json:"p95_ms"`
	P99               *float64 `json:"p99_ms"`
	Avg               *float64 `json:"avg_ms"`
	ErrorRate         *float64 `json:"error_rate" minimum:"0" maximum:"1"`
	RPS               float64  `json:"rps" minimum:"0" doc:"Requests / measured seconds"`
	DataReceivedBytes int64    `json:"data_received_bytes" minimum:"0"`
	Iterations        int64    `json:"iterations" minimum:"0"`

	Requests              int64    `json:"requests" minimum:"0"`
	Failures              int64    `json:"failures" minimum:"0"`
	DataSentBytes         int64    `json:"data_sent_bytes" minimum:"0"`
	IterationsInterrupted int64    `json:"iterations_interrupted" minimum:"0"`
	DroppedIterations     int64    `json:"dropped_iterations" minimum:"0" doc:"Due, and never begun: with any, an open model was not met"`
	Min                   *float64 `json:"min_ms"`
	Max                   *float64 `json:"max_ms"`
	VUsMax                int      `json:"vus_max" minimum:"0"`
	DurationS             float64  `json:"duration_s" minimum:"0" doc:"Measured: start of the first VU to the end of the last"`
}

// Series is a run over time: bucket i covers [i*widthMs, (i+1)*widthMs) since the run's start.
type Series struct {
	WidthMs int64    `json:"widthMs" minimum:"1"`
	Buckets []Bucket `json:"buckets" maxItems:"300"`
}

// Bucket is one span of a Series.
type Bucket struct {
	Requests   int64  `json:"requests"`
	Failures   int64  `json:"failures"`
	Iterations int64  `json:"iterations"`
	VUs        int    `json:"vus"`
	Duration   []byte `json:"duration,omitempty" doc:"http_req_duration: a histogram (docs/wire.md) at 32 sub-buckets per octave"`
}

// ErrorCount counts requests that failed for one reason, by k6's error code.
type ErrorCount struct {
	Code   int    `json:"code"`
	Count  int64  `json:"count" minimum:"0"`
	Sample string `json:"sample" maxLength:"300" doc:"One message of them, without credentials"`
}

// ThresholdResult is a threshold of a run with what became of it.
type ThresholdResult struct {
	Metric     string   `json:"metric" maxLength:"300" doc:"k6's name, with the selector of a submetric"`
	Expression string   `json:"expression" maxLength:"100"`
	OK         bool     `json:"ok" doc:"It held"`
	Value      *float64 `json:"value" doc:"What its aggregation gave, ms of a trend; null without a sample, and of an external k6"`
}

// MaxErrors, MaxStatuses and MaxThresholds bound the error classes, the different HTTP statuses and the thresholds of
// one run.
const (
	MaxErrors     = 32
	MaxStatuses   = 500
	MaxThresholds = plan.MaxThresholds
)

// RunStart is what an agent says when a run begins (POST /api/k6/runs).
type RunStart struct {
	ID        string `json:"id" format:"uuid" doc:"UUIDv7, made by the agent before the run"`
	TargetID  string `json:"targetId" maxLength:"64"`
	Agent     string `json:"agent" maxLength:"200"`
	StartedAt Time   `json:"startedAt" format:"date-time" doc:"By the server's clock as the agent knows it"`
	Spec      Target `json:"spec" doc:"The target as it was, without its secrets"`
}

// EngineK6 is the engine of a run that an external k6 made: it has no histograms.
const EngineK6 = "k6"

// RunEnd is how a run ended (PUT /api/k6/runs/{id}). It repeats the start, so that a lost start loses nothing.
type RunEnd struct {
	RunStart
	EndedAt  Time              `json:"endedAt" format:"date-time"`
	Status   RunStatus         `json:"status" enum:"done,error,aborted"`
	Engine   string            `json:"engine,omitempty" maxLength:"100" doc:"What measured it; k6 is an external one, whose percentiles can't be merged"`
	Verdict  summary.Verdict   `json:"verdict" enum:"ok,threshold_failed,no_requests,target_unreachable,generator_limited,aborted,lost,error"`
	Message  string            `json:"message" maxLength:"1000" doc:"One sentence"`
	Metrics  *Metrics          `json:"metrics" doc:"Null if nothing was measured"`
	Trends   map[string][]byte `json:"trends,omitempty" doc:"Histograms (docs/wire.md) by k6's metric name"`
	Series   *Series           `json:"series,omitempty"`
	Statuses map[string]int64  `json:"statuses,omitempty" doc:"Answers by HTTP status"`
	Errors   []ErrorCount      `json:"errors,omitempty" maxItems:"32"`
	// Thresholds are in the order of the target's.
	Thresholds []ThresholdResult `json:"thresholds,omitempty" maxItems:"100"`
}

// Run is a run as the dashboard shows it.
type Run struct {
	ID          string          `json:"id"`
	TargetID    string          `json:"targetId"`
	TargetLabel string          `json:"targetLabel"`
	Agent       string          `json:"agent"`
	Status      RunStatus       `json:"status" enum:"running,done,error,aborted"`
	Verdict     summary.Verdict `json:"verdict" doc:"Empty while it runs"`
	Message     string          `json:"message"`
	Engine      string          `json:"engine" doc:"What measured it: k6 is an external one, whose percentiles are its own and are never merged; empty if nothing did"`
	StartedAt   Time            `json:"startedAt" format:"date-time"`
	EndedAt     *Time           `json:"endedAt" format:"date-time"`
	Metrics     *Metrics        `json:"metrics"`
	Spec        Target          `json:"spec" doc:"The target as it was when the run started"`
}

// RunDetail is a run with its distributions.
type RunDetail struct {
	Run
	Trends     map[string][]byte `json:"trends"`
	Series     *Series           `json:"series"`
	Statuses   map[string]int64  `json:"statuses"`
	Errors     []ErrorCount      `json:"errors"`
	Thresholds []ThresholdResult `json:"thresholds"`
}

// RunFilter picks runs of a list; a zero field picks all.
type RunFilter struct {
	TargetID string
	AgentID  string
	Status   RunStatus
	Verdict  summary.Verdict
	From, To Time // of startedAt, From <= t < To
}
