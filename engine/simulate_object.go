package engine

// FilterSimulated answers a simulation.
type FilterSimulated struct {
	Valid            bool             `json:"valid" doc:"false where the filter is none: errors says why, and nothing was looked at"`
	Errors           []FilterRemark   `json:"errors"`
	Events           int              `json:"events" doc:"that were looked at"`
	Matched          int              `json:"matched"`
	Missed           int              `json:"missed" doc:"by the filter or by the event types"`
	OtherTypes       int              `json:"other_types" doc:"of those missed: what the event types do not select"`
	Failed           int              `json:"failed" doc:"neither a match nor a no: the filter could not be evaluated"`
	Erased           int              `json:"erased" doc:"whose content is gone, so that nobody can say"`
	Truncated        bool             `json:"truncated" doc:"the range has more events: these are the newest"`
	Oldest           *Time            `json:"oldest" doc:"record time of the oldest event looked at; null = there were none"`
	Newest           *Time            `json:"newest"`
	MatchRate        float64          `json:"match_rate" doc:"matched of those that could be evaluated, 0 to 1"`
	SpanS            float64          `json:"span_s" doc:"seconds that the events span: from the range's beginning, else the oldest event, to its end, else now"`
	DeliveriesPerDay *float64         `json:"deliveries_per_day" doc:"what matched, by the span; retries not counted; null where it spans nothing"`
	Samples          SimulatedSamples `json:"samples"`
	Diff             *SimulatedDiff   `json:"diff" doc:"against what the subscription has now; null without one"`
	TookMS           int              `json:"took_ms"`
}

// SimulatedSamples are the newest of each, up to 10.
type SimulatedSamples struct {
	Matched []SimulatedEvent `json:"matched"`
	Missed  []SimulatedEvent `json:"missed" doc:"of the selected types where there are any"`
	Failed  []SimulatedEvent `json:"failed"`
}

// SimulatedDiff compares with the filter and the event types that a subscription has.
type SimulatedDiff struct {
	SubscriptionID string           `json:"subscription_id"`
	Matched        int              `json:"matched" doc:"by what the subscription has now"`
	Failed         int              `json:"failed" doc:"on what it has now"`
	Added          int              `json:"added" doc:"matched by what is tried, not by what it has"`
	Removed        int              `json:"removed" doc:"the other way round"`
	Text           string           `json:"text" doc:"e.g. +12 -3 of 5 000"`
	AddedSamples   []SimulatedEvent `json:"added_samples" doc:"the newest, up to 10"`
	RemovedSamples []SimulatedEvent `json:"removed_samples"`
}

// SimulatedEvent is a sample.
type SimulatedEvent struct {
	ID    string `json:"id"`
	UID   string `json:"uid"`
	Type  string `json:"type"`
	Error string `json:"error,omitempty" doc:"why it could not be evaluated"`
}

// SimulateProgress says how far a simulation is.
type SimulateProgress struct {
	Done    int `json:"done" doc:"events"`
	Total   int `json:"total"`
	Matched int `json:"matched"`
	Failed  int `json:"failed"`
}
