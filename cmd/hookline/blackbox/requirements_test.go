package blackbox

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// Every requirement of the two seed providers, every reading and every acceptance case is named where a test proves it, alone
// or in a range such as D-3 to D-8.
func TestEveryRequirementIsNamed(t *testing.T) {
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var (
		single = regexp.MustCompile(`\b([ODR])-(\d+)\b|\bP(\d+)\b|func Test([ODRP])(\d+)`)
		ranges = regexp.MustCompile(`\b([ODR])-(\d+) to [ODR]-(\d+)\b`)
	)
	named := map[string]bool{}
	for _, file := range files {
		if file == "requirements_test.go" {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range single.FindAllStringSubmatch(string(text), -1) {
			switch {
			case m[1] != "":
				named[m[1]+m[2]] = true
			case m[3] != "":
				named["P"+m[3]] = true
			default:
				named[m[4]+m[5]] = true
			}
		}
		for _, m := range ranges.FindAllStringSubmatch(string(text), -1) {
			from, _ := strconv.Atoi(m[2]) // digits
			to, _ := strconv.Atoi(m[3])
			for i := from; i <= to; i++ {
				named[fmt.Sprint(m[1], i)] = true
			}
		}
	}
	for kind, last := range map[string]int{"O": 22, "D": 17, "R": 11, "P": 20} {
		for i := 1; i <= last; i++ {
			if !named[fmt.Sprint(kind, i)] {
				t.Errorf("no test names %s-%d: write it, or name it at the test that proves it", kind, i)
			}
		}
	}
}
