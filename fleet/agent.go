package fleet

// Headers of an agent's calls.
const (
	HeaderAgent = "X-Agent"       // its name
	HeaderEpoch = "X-Agent-Epoch" // the number that register answered
)

// Registration is what an agent says when it starts (POST /api/k6/agents/register).
type Registration struct {
	Name        string            `json:"name" minLength:"1" maxLength:"200"`
	InstanceID  string            `json:"instanceId" maxLength:"200" doc:"Tells two processes of one name apart"`
	Version     string            `json:"version,omitempty" maxLength:"100"`
	Engine      string            `json:"engine,omitempty" maxLength:"100"`
	CPUs        float64           `json:"cpus,omitempty"`
	MemoryBytes int64             `json:"memoryBytes,omitempty" doc:"The limit it lives under"`
	MaxVUs      int               `json:"maxVus,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
}

// Registered is the answer.
type Registered struct {
	ID                  string `json:"id"`
	Name                string `json:"name"`
	Epoch               int64  `json:"epoch" doc:"Grows with each new instance of the name"`
	PollIntervalMs      int64  `json:"pollIntervalMs"`
	HeartbeatIntervalMs int64  `json:"heartbeatIntervalMs"`
	ServerTime          Time   `json:"serverTime" format:"date-time"`
}

// AgentState is what an agent is doing.
type AgentState string

// The states of an agent, as it reports them.
const (
	AgentIdle     AgentState = "idle"
	AgentRunning  AgentState = "running"
	AgentStopping AgentState = "stopping"
)

// Skipped counts starts that did not happen, since the agent's start.
type Skipped struct {
	Overlap int64 `json:"overlap" doc:"The target's last run was still going"`
	NoSlot  int64 `json:"noSlot" doc:"MAX_CONCURRENT_RUNS were going"`
	VULimit int64 `json:"vuLimit" doc:"MAX_VUS would have been passed"`
}

// Spool is the state of an agent's queue of unsent results.
type Spool struct {
	Results int   `json:"results"`
	Bytes   int64 `json:"bytes"`
	Dropped int64 `json:"dropped" doc:"Results lost because the spool was full, since the agent's start"`
	Refused int64 `json:"refused" doc:"Results that the dashboard would not take, since the agent's start"`
}

// K6 is the external k6 of an agent, as it was when it was last tried.
type K6 struct {
	Path    string `json:"path" maxLength:"4096"`
	Version string `json:"version" maxLength:"100" doc:"As 2.2.0; empty if it could not be found out"`
	Error   string `json:"error" maxLength:"300" doc:"Why it can't be used; empty if it can"`
}

// Heartbeat is an agent's sign of life (POST /api/k6/agents/heartbeat).
type Heartbeat struct {
	Name          string     `json:"name" minLength:"1" maxLength:"200"`
	InstanceID    string     `json:"instanceId" maxLength:"200"`
	Status        AgentState `json:"status" enum:"idle,running,stopping"`
	CurrentRunIDs []string   `json:"currentRunIds" maxItems:"1000"`
	RSSBytes      int64      `json:"rssBytes" minimum:"0"`
	CPURatio      float64    `json:"cpuRatio" minimum:"0" doc:"Of one core, since the heartbeat before"`
	Spool         Spool      `json:"spool"`
	Skipped       Skipped    `json:"skipped"`
	Acked         []string   `json:"acked,omitempty" maxItems:"1000" doc:"Orders that were carried out"`
	K6            *K6        `json:"k6,omitempty" doc:"Absent if the agent uses none"`
}

// HeartbeatAnswer paces the agent.
type HeartbeatAnswer struct {
	ServerTime          Time  `json:"serverTime" format:"date-time"`
	PollIntervalMs      int64 `json:"pollIntervalMs"`
	HeartbeatIntervalMs int64 `json:"heartbeatIntervalMs"`
}

// Deregistration is a clean end (POST /api/k6/agents/deregister).
type Deregistration struct {
	Name       string `json:"name" minLength:"1" maxLength:"200"`
	InstanceID string `json:"instanceId" maxLength:"200"`
}

// AgentStatus is whether an agent was heard from lately.
type AgentStatus string

// The states of an agent in the fleet.
const (
	AgentOnline  AgentStatus = "online"
	AgentOffline AgentStatus = "offline"
)

// Agent is an agent as the dashboard shows it.
type Agent struct {
	ID            string            `json:"id"`
	Name          string            `json:"name"`
	Status        AgentStatus       `json:"status" enum:"online,offline"`
	State         AgentState        `json:"state" doc:"What it last said it was doing"`
	Version       string            `json:"version"`
	Engine        string            `json:"engine"`
	CPUs          float64           `json:"cpus"`
	MemoryBytes   int64             `json:"memoryBytes"`
	MaxVUs        int               `json:"maxVus"`
	Labels        map[string]string `json:"labels"`
	RegisteredAt  Time              `json:"registeredAt" format:"date-time"`
	LastSeenAt    Time              `json:"lastSeenAt" format:"date-time"`
	CurrentRunID  *string           `json:"currentRunId"`
	CurrentRunIDs []string          `json:"currentRunIds"`
	RSSBytes      int64             `json:"rssBytes"`
	CPURatio      float64           `json:"cpuRatio"`
	Spool         Spool             `json:"spool"`
	Skipped       Skipped           `json:"skipped"`
	K6            *K6               `json:"k6" doc:"Null if the agent uses none"`
	Epoch         int64             `json:"epoch"`
	InstanceID    string            `json:"-"`
	Deregistered  bool              `json:"-"` // said goodbye: not live, however lately it was heard
}

// RunOrder asks an agent to run a target once, now, also a disabled one.
type RunOrder struct {
	ID     string `json:"id"`
	Target Target `json:"target"`
}

// Poll is the answer to an agent's poll (GET /api/k6/targets): what to run, and orders. Its ETag covers all of it.
type Poll struct {
	Targets  []Target   `json:"targets"`
	SpreadMs int64      `json:"spreadMs" doc:"A target that is new to an agent starts within this, or half its interval if that is less"`
	Run      []RunOrder `json:"run"`
	Abort    []string   `json:"abort" doc:"Ids of runs to abort"`
	Stop     bool       `json:"stop" doc:"Abort everything and start nothing"`
	StopID   string     `json:"stopId,omitempty" doc:"The order to acknowledge"`
}

// Config is the fleet's settings (GET and PUT /api/admin/config).
type Config struct {
	DesiredAgents int    `json:"k6DesiredAgentCount" minimum:"0" maximum:"1000"`
	Stopped       bool   `json:"stopped" doc:"The kill switch: no agent starts a run while it is set"`
	Revision      int64  `json:"revision"`
	UpdatedAt     Time   `json:"updatedAt" format:"date-time"`
	StopID        string `json:"-"` // the order that agents acknowledge; empty unless Stopped
}

// MaxAgents bounds the desired count.
const MaxAgents = 1000
