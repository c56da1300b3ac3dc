package fleet

// Overview is the fleet in a few numbers (GET /api/dashboard/k6/summary).
type Overview struct {
	AgentsOnline  int          `json:"agentsOnline"`
	AgentsOffline int          `json:"agentsOffline"`
	DesiredAgents int          `json:"desiredAgents"`
	ActualAgents  int          `json:"actualAgents" doc:"As the scaler sees them; online agents where it sees none"`
	ScalerError   string       `json:"scalerError" doc:"Why the last reconcile failed, empty if it did not"`
	Stopped       bool         `json:"stopped"`
	NotYetStopped int          `json:"notYetStopped" doc:"Agents online that have not acknowledged the stop"`
	Targets       int          `json:"targets"`
	TargetsOn     int          `json:"targetsEnabled"`
	RunsRunning   int          `json:"runsRunning"`
	Window        WindowTotals `json:"window" doc:"Runs that ended in the last 15 minutes, merged"`
}

// WindowTotals are the merged numbers of the runs that ended in a window of time.
type WindowTotals struct {
	Seconds    int      `json:"seconds"`
	Runs       int64    `json:"runs"`
	RunsMerged int64    `json:"runsMerged" doc:"Those with a distribution, which p95_ms is of: not those of k6"`
	Requests   int64    `json:"requests"`
	Failures   int64    `json:"failures"`
	ErrorRate  *float64 `json:"error_rate"`
	P95        *float64 `json:"p95_ms" doc:"Of the merged distributions, not an average"`
}
