// Package dashboard is the pages for browsers: the operator's dashboard at / and the customer portal at /portal, made from
// ui/ by build.sh and committed in dist/, so that users need only Go.
//
// # Promises
//
//   - The pages are clients of the public API and know nothing else; whoever opens them sees what a key or a portal
//     session may see.
//   - Nothing comes from elsewhere: no CDN, no remote font. The content security policy starts from 'none' and has no
//     unsafe source; scripts cannot turn text into markup (trusted types), so what a receiver answered stays text.
//   - First load is at most 60 KiB, compressed. A test measures it.
//   - The same sources make the same bytes: build.sh --check rebuilds and compares.
//
// # Concurrency
//
// A Pages is safe for concurrent use, starts no goroutine and has nothing to close.
package dashboard

//go:generate ./build.sh
