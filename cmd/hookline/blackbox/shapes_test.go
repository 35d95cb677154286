package blackbox

import "time"

// The objects of the API, as far as tests look at them. Times are RFC 3339 UTC with milliseconds; null leaves nil or "".

type endpoint struct {
	ID                  string     `json:"id"`
	URL                 string     `json:"url"`
	Status              string     `json:"status"`
	DisabledAt          *time.Time `json:"disabled_at"`
	DisabledReason      string     `json:"disabled_reason"`
	SuppressedAt        *time.Time `json:"suppressed_at"`
	ConsecutiveFailures int        `json:"consecutive_failures"`
	Secret              string     `json:"secret"`
	Description         string     `json:"description"`
	Concurrency         *int       `json:"concurrency"`
	Timeout             string     `json:"timeout"`
	Schedule            []string   `json:"schedule"`
}

type subscription struct {
	ID         string   `json:"id"`
	EndpointID string   `json:"endpoint_id"`
	EventTypes []string `json:"event_types"`
	Filter     string   `json:"filter"`
}

// published is the answer to a publish.
type published struct {
	ID        string `json:"id"`
	UID       string `json:"uid"`
	Seq       uint64 `json:"seq"`
	Duplicate bool   `json:"duplicate"`
	Matched   []struct {
		EndpointID      string   `json:"endpoint_id"`
		DeliveryID      string   `json:"delivery_id"`
		SubscriptionID  string   `json:"subscription_id"`
		SubscriptionIDs []string `json:"subscription_ids"`
	} `json:"matched"`
	Unmatched []struct {
		SubscriptionID string `json:"subscription_id"`
		EndpointID     string `json:"endpoint_id"`
		Reason         string `json:"reason"`
	} `json:"unmatched"`
}

// kept is an event as the API lists it.
type kept struct {
	ID   string `json:"id"`
	UID  string `json:"uid"`
	Type string `json:"type"`
}

type delivery struct {
	ID            string     `json:"id"`
	EventID       string     `json:"event_id"`
	EventUID      string     `json:"event_uid"`
	EventType     string     `json:"event_type"`
	EndpointID    string     `json:"endpoint_id"`
	Status        string     `json:"status"`
	Reason        string     `json:"reason"`
	AttemptsMade  int        `json:"attempts_made"`
	MaxAttempts   int        `json:"max_attempts"`
	NextAttemptAt *time.Time `json:"next_attempt_at"`
	ResendOf      string     `json:"resend_of"`
	CreatedAt     time.Time  `json:"created_at"`
	Attempts      []attempt  `json:"attempts"`
}

type attempt struct {
	ID         string             `json:"id"`
	DeliveryID *string            `json:"delivery_id"`
	EventID    string             `json:"event_id"`
	EventType  string             `json:"event_type"`
	EndpointID string             `json:"endpoint_id"`
	Number     int                `json:"number"`
	Trigger    string             `json:"trigger"`
	StartedAt  time.Time          `json:"started_at"`
	FinishedAt time.Time          `json:"finished_at"`
	Outcome    string             `json:"outcome"`
	ErrorKind  string             `json:"error_kind"`
	Error      string             `json:"error"`
	Timings    map[string]float64 `json:"timings_ms"`
	Request    struct {
		Method  string              `json:"method"`
		URL     string              `json:"url"`
		Headers map[string][]string `json:"headers"`
		Body    string              `json:"body"`
	} `json:"request"`
	Response *struct {
		Status    int                 `json:"status"`
		Headers   map[string][]string `json:"headers"`
		Body      string              `json:"body"`
		Truncated bool                `json:"truncated"`
	} `json:"response"`
}

// status is the response's status, 0 when there was none.
func (a attempt) status() int {
	if a.Response == nil {
		return 0
	}
	return a.Response.Status
}

// hasHeader says whether the shown request carries the header with exactly this value.
func (a attempt) hasHeader(name, value string) bool {
	v := a.Request.Headers[name]
	return len(v) == 1 && v[0] == value
}
