package storagetest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/commands"
)

func modelRules() []rule {
	says := "Whatever is done in whatever order, every answer is the one that follows from what was done before."
	return []rule{
		{name: "model/random commands agree", says: says, check: func(r *R) { agree(r, false) }},
		{name: "model/random commands and reopening agree", says: says, check: func(r *R) { agree(r, true) }, reopens: true},
	}
}

// agree runs random commands against the store and the model, and shrinks what fails.
func agree(r *R, reopening bool) {
	parameters := gopter.DefaultTestParametersWithSeed(r.rng.Int64())
	parameters.MinSuccessfulTests = 100
	parameters.MinSize, parameters.MaxSize = 8, 36
	if reopening { // opening costs time
		parameters.MinSuccessfulTests, parameters.MinSize, parameters.MaxSize = 20, 10, 40
	}
	var report string // of the last failure, which is the one that shrank most
	result := commands.Prop(&commands.ProtoCommands{
		InitialStateGen: func(*gopter.GenParameters) *gopter.GenResult {
			return gopter.NewGenResult(&model{clock: epoch()}, gopter.NoShrinker)
		},
		GenCommandFunc: func(s commands.State) gopter.Gen { return genCommand(s.(*model), reopening) },
		NewSystemUnderTestFunc: func(commands.State) commands.SystemUnderTest {
			return &subject{r: r, prefix: r.id("") + "."}
		},
		DestroySystemUnderTestFunc: func(s commands.SystemUnderTest) {
			if s := s.(*subject); s.failure != "" {
				report = strings.Join(s.done, "\n") + "\n" + s.failure
			}
		},
	}).Check(parameters)
	switch {
	case result.Passed():
	case report != "":
		r.Fatalf("after %d sequences that agree, these commands do not:\n%s", result.Succeeded, report)
	default:
		r.Fatalf("%v after %d sequences: %v\n%s", result.Status, result.Succeeded, result.Error, result.ErrorStack)
	}
}

// subject is the store under the fresh ids of one sequence of commands.
type subject struct {
	r       *R
	prefix  string
	done    []string
	failure string
}

func (s *subject) id(short string) string {
	if short == "" {
		return ""
	}
	return s.prefix + short
}

// reply is what the store gave for one item of a command.
type reply struct {
	value any
	err   error
}

// act is one command: what the store does, and what the model says of it. Acts
// hold short names and are not changed once made. They may name what does not
// exist: then both sides refuse.
type act interface {
	do(ctx context.Context, s *subject) ([]reply, error)
	expect(m *model) []answer
	fmt.Stringer
}

// command makes an act a command of gopter.
type command struct{ act }

type outcome struct {
	subject *subject
	replies []reply
	err     error
}

// Run does the act, unless an earlier one has failed already.
func (c command) Run(sut commands.SystemUnderTest) commands.Result {
	s := sut.(*subject)
	if s.failure != "" {
		return outcome{subject: s}
	}
	s.done = append(s.done, fmt.Sprintf("%3d. %s", len(s.done)+1, c.act))
	replies, err := c.do(s.r.ctx, s)
	return outcome{s, replies, err}
}

// NextState is the model after the act, with what it answers.
func (c command) NextState(state commands.State) commands.State {
	m := state.(*model).clone()
	m.answers = c.expect(m)
	return m
}

// PreCondition is that the contract says what happens.
func (c command) PreCondition(state commands.State) bool {
	u, ok := c.act.(interface{ unsaid(*model) bool })
	return !ok || !u.unsaid(state.(*model))
}

// PostCondition compares.
func (c command) PostCondition(state commands.State, result commands.Result) *gopter.PropResult {
	out := result.(outcome)
	if out.subject.failure == "" {
		out.subject.failure = disagreement(state.(*model).answers, out)
	}
	return gopter.NewPropResult(out.subject.failure == "", "")
}

func disagreement(want []answer, got outcome) string {
	if got.err != nil {
		return fmt.Sprintf("error: %v", got.err)
	}
	if len(want) != len(got.replies) {
		return fmt.Sprintf("%d results, want %d", len(got.replies), len(want))
	}
	for i, w := range want {
		g := got.replies[i]
		what := ""
		if len(want) > 1 {
			what = fmt.Sprintf("item %d: ", i)
		}
		if len(w.fails) > 0 {
			if !isAny(g.err, w.fails) {
				return fmt.Sprintf("%serror is %v, want %v", what, g.err, w.fails)
			}
			continue
		}
		if g.err != nil {
			return fmt.Sprintf("%serror: %v", what, g.err)
		}
		if diff := cmp.Diff(w.value, g.value, append(comparing(), asSeenBy(w.viewer))...); diff != "" {
			return what + "the answer differs (-want +got):\n" + diff
		}
	}
	return ""
}

func isAny(err error, allowed []error) bool {
	for _, a := range allowed {
		if errors.Is(err, a) {
			return true
		}
	}
	return false
}

// one is the replies of a command that has one item.
func (s *subject) one(value any, err error) ([]reply, error) {
	return []reply{{shorten(s.prefix, value), err}}, nil
}
