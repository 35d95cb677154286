package engine

import (
	"net/http"
	"strings"

	"github.com/hookline/hookline/transports"
)

// maxRetrySeconds bounds what is read of a Retry-After in seconds, some 30 years: the profile's cap is far below.
const maxRetrySeconds = 1_000_000_000

// retryAt reads an answer's Retry-After, seconds or a date (RFC 9110, 10.2.3), as a time in Unix ms; 0 when there is none
// that can be read. now is the end of the attempt.
func retryAt(headers []transports.Header, now int64) int64 {
	for _, h := range headers {
		if h.Name != "retry-after" {
			continue
		}
		value := strings.Trim(h.Value, " \t")
		if seconds, ok := wholeSeconds(value); ok {
			return now + seconds*1000
		}
		if at, err := http.ParseTime(value); err == nil {
			return max(0, at.UnixMilli())
		}
		return 0
	}
	return 0
}

func wholeSeconds(s string) (n int64, ok bool) {
	if s == "" {
		return 0, false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = min(n*10+int64(s[i]-'0'), maxRetrySeconds)
	}
	return n, true
}
