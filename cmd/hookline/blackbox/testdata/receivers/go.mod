module receivers

go 1.26

require (
	github.com/cloudevents/sdk-go/v2 v2.16.2
	github.com/dnsimple/dnsimple-go/v9 v9.1.0
	github.com/google/go-github/v74 v74.0.0
	github.com/standard-webhooks/standard-webhooks/libraries v0.0.1
)

require (
	github.com/google/go-querystring v1.2.0 // indirect
	github.com/json-iterator/go v1.1.12 // indirect
	github.com/modern-go/concurrent v0.0.0-20180306012644-bacd9c7ef1dd // indirect
	github.com/modern-go/reflect2 v1.0.2 // indirect
	github.com/shopspring/decimal v1.4.0 // indirect
	go.uber.org/multierr v1.11.0 // indirect
	go.uber.org/zap v1.27.0 // indirect
	golang.org/x/oauth2 v0.34.0 // indirect
)
