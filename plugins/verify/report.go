package verify

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
)

// OK says that nothing failed.
func (r *Report) OK() bool { return r.Failed == 0 }

// Text writes one law, for people.
func (v Verdict) Text(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%-8s %-20s %5d ms  %s\n", v.Result, v.Law, v.TookMS, v.Says)
	if err == nil && v.Detail != "" {
		_, err = fmt.Fprintf(w, "         %s\n", v.Detail)
	}
	return err
}

// Summary writes the last line, for people.
func (r *Report) Summary(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%s %s (sha256 %s): %d passed, %d failed, %d skipped\n", r.Plugin, r.Version, r.Checksum, r.Passed, r.Failed, r.Skipped)
	return err
}

// JSON writes the report as one JSON object.
func (r *Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

type suite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Cases    []suiteCase `xml:"testcase"`
}

type suiteCase struct {
	Name    string  `xml:"name,attr"`
	Class   string  `xml:"classname,attr"`
	Time    string  `xml:"time,attr"`
	Failure *reason `xml:"failure,omitempty"`
	Skipped *reason `xml:"skipped,omitempty"`
}

type reason struct {
	Message string `xml:"message,attr"`
}

// JUnit writes the report as JUnit XML, for CI.
func (r *Report) JUnit(w io.Writer) error {
	s := suite{Name: "hookline plugins verify " + r.Plugin + " " + r.Version, Tests: len(r.Laws), Failures: r.Failed, Skipped: r.Skipped}
	for _, v := range r.Laws {
		c := suiteCase{Name: v.Law, Class: "hookline.plugins." + r.Plugin, Time: fmt.Sprintf("%d.%03d", v.TookMS/1000, v.TookMS%1000)}
		switch v.Result {
		case failed:
			c.Failure = &reason{v.Detail}
		case skipped:
			c.Skipped = &reason{v.Detail}
		}
		s.Cases = append(s.Cases, c)
	}
	b, err := xml.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, b)
	return err
}
