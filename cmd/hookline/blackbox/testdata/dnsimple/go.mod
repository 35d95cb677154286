module foreign

go 1.26

require github.com/dnsimple/dnsimple-go/v9 v9.1.0

require (
	github.com/google/go-querystring v1.2.0 // indirect
	github.com/shopspring/decimal v1.4.0 // indirect
	golang.org/x/oauth2 v0.34.0 // indirect
)
