package faultnet

import (
	"math/rand/v2"
	"time"
)

// Kind is one way in which networks fail.
type Kind struct {
	Name string
	// Draw makes a fault of the kind, within the scale.
	Draw func(*rand.Rand) Fault
}

// Scale fits faults to the conversation that they are to break. All its fields
// are above 0, but CutFrom.
type Scale struct {
	Delay  time.Duration // latency: less than this,
	Jitter time.Duration // and for each chunk up to this more
	// CutFrom and Cut are where a connection is cut: after CutFrom bytes, and fewer
	// than Cut more.
	CutFrom, Cut int64
	Drip         time.Duration // for each byte
}

// Kinds are the faults that everything which speaks TCP must survive (issue 3):
// latency, cuts, a peer that vanishes, and a link that lets through next to nothing.
func Kinds(s Scale) []Kind {
	return []Kind{
		{"latency", func(r *rand.Rand) Fault {
			return Fault{Delay: time.Duration(r.Int64N(int64(s.Delay))), Jitter: s.Jitter}
		}},
		{"cut", func(r *rand.Rand) Fault {
			return Fault{CutAfter: max(1, s.CutFrom) + r.Int64N(s.Cut), Reset: r.IntN(2) == 0}
		}},
		{"half-open", func(*rand.Rand) Fault { return Fault{Swallow: true} }},
		{"byte by byte", func(*rand.Rand) Fault { return Fault{Drip: s.Drip} }},
	}
}
