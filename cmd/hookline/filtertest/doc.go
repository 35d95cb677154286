// Package filtertest reads and runs files of tests for filters, which teams keep in their own repositories and run in CI
// with `hookline filters test`. A file is YAML, one or more documents, each a filter and what it should make of events:
//
//	filter: data.zone.name == "example.com" and data.record.ttl < 60
//	event_types: [zone_record.*]       # those of the subscription; default all
//	profile: dnsimple                  # whose catalogue to check against; default none
//	strict: true                       # warnings fail
//	tests:
//	  - name: a short time to live
//	    event:
//	      type: zone_record.create
//	      data: {zone: {name: example.com}, record: {ttl: 30}}
//	    expect: match                  # match, no or error
//	    because: data.record.ttl < 60  # optional: a clause that decided
//	  - name: the catalogue's own example
//	    event: {type: zone_record.create}
//	    expect: no
//	  - event_file: events/other.json  # beside the file: an event as it would be published
//	    expect: error
//	    message: compares nil          # optional: part of the error
//
// An event of the catalogue without data has the example's. Unknown fields are errors. The package holds no state.
package filtertest
