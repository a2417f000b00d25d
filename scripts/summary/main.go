// Command summary reads the events of `go test -json` and prints what a person
// wants of them: go test's own line for each package, the output of the tests
// that failed or were skipped, and last the counts. Subtests are counted.
//
//	go test -json ./... | summary [-v] [-counts file]
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	verbose := flag.Bool("v", false, "print all output as it comes")
	counts := flag.String("counts", "", "write the line of counts to this `file` instead of the output")
	flag.Parse()

	s := &summary{out: os.Stdout, verbose: *verbose, output: map[string][]string{}, failed: map[string]bool{}}
	err := s.read(os.Stdin)
	if err == nil {
		line := fmt.Sprintf("%d passed, %d failed, %d skipped\n", s.passes, s.fails, s.skips)
		if *counts == "" {
			_, err = io.WriteString(os.Stdout, line)
		} else {
			err = os.WriteFile(*counts, []byte(line), 0o600)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "summary:", err)
		os.Exit(1)
	}
}

// event is one line of `go test -json` (see go doc test2json and, for the
// output of builds, go help buildjson).
type event struct {
	Action     string
	Package    string
	ImportPath string
	Test       string
	Output     string
}

type summary struct {
	out                  io.Writer
	verbose              bool
	output               map[string][]string // lines by test of those still running, by package too
	failed               map[string]bool     // packages with a failed test
	passes, fails, skips int
}

func (s *summary) read(r io.Reader) error {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) == nil && e.Action != "" {
				s.take(e)
			} else {
				_, _ = s.out.Write(line) // go test's own words
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (s *summary) take(e event) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "build-output":
		s.print(e.Output)
	case "output":
		if s.verbose {
			s.print(e.Output)
		} else if !isChatter(e.Output) {
			s.output[key] = append(s.output[key], e.Output)
		}
	case "pass", "fail", "skip":
		s.end(e, key)
	}
}

// end counts a test or a package that has ended, and prints what it held back.
func (s *summary) end(e event, key string) {
	held := s.output[key]
	delete(s.output, key)
	switch {
	case e.Test == "" && e.Action == "fail":
		// A package that dies leaves tests without an end: they say why.
		for other, lines := range s.output {
			if strings.HasPrefix(other, e.Package+" ") {
				s.print(lines...)
				delete(s.output, other)
			}
		}
		s.print(held...)
		if !s.failed[e.Package] {
			s.fails++ // it did not build, or died outside of a test
		}
	case e.Test == "":
		for _, line := range held {
			if isVerdict(line) {
				s.print(line)
			}
		}
	case e.Action == "pass":
		s.passes++
	case e.Action == "skip":
		s.skips++
		s.print(held...)
	case e.Action == "fail":
		s.fails++
		s.failed[e.Package] = true
		s.print(held...)
	}
}

func (s *summary) print(lines ...string) {
	for _, line := range lines {
		_, _ = io.WriteString(s.out, line)
	}
}

// isVerdict tells go test's closing line of a package that has not failed.
func isVerdict(line string) bool {
	return strings.HasPrefix(line, "ok  \t") || strings.HasPrefix(line, "?   \t")
}

// isChatter tells the lines that only say how far a test is.
func isChatter(line string) bool {
	line = strings.TrimLeft(line, " ")
	for _, prefix := range []string{"=== RUN", "=== PAUSE", "=== CONT", "=== NAME", "--- PASS", "PASS\n"} {
		if strings.HasPrefix(line, prefix) {
			return true
		}
	}
	return false
}
